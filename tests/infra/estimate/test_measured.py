"""What a function measures is what the estimate says of the same time: where they part, the time differs."""

from __future__ import annotations

import pytest

from functions.core.runtime.usage import Metering, Usage
from infra import clouds
from infra.aws.function_charges import vcpus
from infra.estimate.bill import Figure, scaled
from infra.estimate.use import Per
from infra.gcp.quotas import thousandths
from infra.tier import Tier
from interface import variables
from interface.meter import Meter
from tests.functions.metered import Stopwatch
from tests.infra.estimate.stacks import bill

every_cloud = pytest.mark.parametrize("cloud", clouds.of(Tier.EMBEDDED))
MS = 40.0
PROCESSORS = {"aws": vcpus(1024), "gcp": thousandths(None, 1024) / 1000}
"""Of a predict function under eco."""


def measured(cloud: str, function: str, ms: float, calls: int) -> Usage:
    """Return what so many calls use by the meter that the stack gives its function."""
    meter = Meter.from_json(bill(cloud).situation.environment(function)[variables.METER])
    clock = Stopwatch()
    metering, seconds = Metering(meter, clock=clock), 0.0
    for _ in range(calls):
        begun = metering.begin()
        clock.forward(ms)
        seconds += metering.end(begun)
    return metering.usage(seconds, calls)


def estimated(cloud: str, function: str, per: Per, number: float, **traffic: float) -> Figure:
    """Return what the estimate says of one function of the stack, at some traffic."""
    whole = bill(cloud, {"starts_an_hour": 0, **traffic})
    own = [line for line in whole.lines if line.use.per is per and line.resource.name == f"{function}-function"]
    return whole.figure(scaled(line.use, number) for line in own)


def assert_same(used: Usage, figure: Figure) -> None:
    assert figure.usd is not None
    assert figure.operational is not None
    assert used.usd == pytest.approx(figure.usd)
    assert used.kwh == pytest.approx(figure.kwh.central)
    assert used.grams_operational == pytest.approx(figure.operational.central)
    assert used.grams_embodied == pytest.approx(figure.embodied.central)
    assert figure.kwh.low < used.kwh < figure.kwh.high


@every_cloud
def test_requests_of_the_same_length_are_measured_at_what_was_estimated(cloud: str) -> None:
    alone = MS * PROCESSORS[cloud]
    figure = estimated(cloud, "predict", Per.PREDICTION, 1000, milliseconds_a_request=alone)
    assert_same(measured(cloud, "predict", MS, 1000), figure)


@every_cloud
def test_experiments_of_the_same_length_are_measured_at_what_was_estimated(cloud: str) -> None:
    figure = estimated(cloud, "train", Per.RUN, 1, seconds_an_experiment=30)
    experiments = round(bill(cloud).situation.experiments_a_run)
    assert_same(measured(cloud, "train", 30_000, experiments), figure)


@every_cloud
def test_every_function_of_a_stack_has_a_meter_for_its_own_memory(cloud: str) -> None:
    situation = bill(cloud).situation
    meters = {
        name: Meter.from_json(found[variables.METER])
        for name in situation.by_component
        if (found := situation.environment(name))
    }
    assert {"prepare", "train", "select", "rollout", "supervise", "tally", "watch", "predict", "jobs"} <= meters.keys()
    assert (meters["predict"].gb, meters["tally"].gb) == (1.0, 0.25)
    assert len({meter.region for meter in meters.values()}) == 1


@every_cloud
def test_a_predict_function_is_metered_by_its_own_profile(cloud: str) -> None:
    ready, plain = (
        Meter.from_json(bill(cloud, **settings).situation.environment("predict")[variables.METER])
        for settings in ({"scaling": {"profile": "latency", "minimum": 1}}, {})
    )
    assert (ready.gb, ready.usd != plain.usd) == (plain.gb, True)
