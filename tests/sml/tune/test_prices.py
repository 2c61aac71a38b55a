"""What a second costs at each size: the answer of the process that knows the tariffs."""

from __future__ import annotations

import json
import subprocess
from types import SimpleNamespace

import pytest

from infra.estimate.meters import meters
from sml.mistake import Mistake
from sml.tune.prices import sizes_of
from sml.tune.trial import Deployed

DEPLOYED = Deployed(memory_mb=1024, architecture="arm64")


def answered(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Answer for the process, in this one; return the commands that are asked for."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        cloud, region, architecture, profile, *sizes = command[3:]
        try:
            found = meters(cloud, region, architecture, profile, [int(one) for one in sizes])
        except ValueError as problem:
            return SimpleNamespace(returncode=1, stdout="", stderr=f"Traceback\nValueError: {problem}\n")
        return SimpleNamespace(returncode=0, stdout=json.dumps(found), stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_lambda_brings_a_processor_with_1769_mb_and_costs_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = answered(monkeypatch)
    half, whole = sizes_of("aws", "eu-west-1", DEPLOYED, [512, 1769])
    assert commands[0][1:7] == ["-m", "infra.estimate.meters", "aws", "eu-west-1", "arm64", "eco"]
    assert (whole.processors, half.processors) == (1.0, pytest.approx(512 / 1769))
    assert half.meter is not None
    assert whole.meter is not None
    assert whole.meter.usd / half.meter.usd == pytest.approx(1769 / 512)


@pytest.mark.parametrize(("shared", "processors"), [(False, 0.333), (True, 1.0)])
def test_an_instance_that_several_callers_share_has_a_whole_processor(
    shared: bool, processors: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(monkeypatch)
    deployed = Deployed(memory_mb=512, architecture="x86_64", shared=shared)
    [found] = sizes_of("gcp", "europe-west1", deployed, [512])
    assert found.processors == pytest.approx(processors)


def test_a_region_without_a_price_has_sizes_without_meters(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch)
    [found] = sizes_of("aws", "mars-1", DEPLOYED, [512])
    assert (found.meter, found.processors > 0) == (None, True)


def test_a_table_that_cannot_be_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda *_, **__: SimpleNamespace(returncode=1, stdout="", stderr="Traceback\nKeyError: 'x'\n"),
    )
    with pytest.raises(Mistake, match="the tariffs of aws cannot be read: KeyError: 'x'"):
        sizes_of("aws", "eu-west-1", DEPLOYED, [512])
