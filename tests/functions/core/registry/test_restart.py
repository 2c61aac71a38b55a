"""A dataset that comes while its model is deployed anew: its run begins again, and ends if that does not help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.restart import PAUSES
from tests.functions.bench import MODEL
from tests.functions.life import Execution, Life


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(folder=tmp_path)


def deploy(life: Life, number: int) -> None:
    """Deploy the model with another contract than before, whose gate is as good as the one before."""
    life.bench.write_model(gate={"minimum": 0.0, "margin": -1.0, "slices": [], "maximum_bytes": 10_000_000 + number})


def causes(life: Life) -> list[Any]:
    return [record.get("cause") for record in life.records() if record["status"] == "failed"]


@pytest.mark.parametrize("before", ["experiments", "select"])
def test_an_upload_in_the_seconds_of_a_deployment_is_trained_with_what_is_deployed_then(
    before: str, life: Life
) -> None:
    execution = life.execute(life.upload(1), "one")
    execution.until(before)
    first = life.run("one")
    deploy(life, 1)
    assert execution.run() == "promoted"
    assert life.run("one") != first
    assert life.record(life.run("one"))["version"] == life.pointer.champion
    assert life.record(first)["restarts"] == "one"
    assert causes(life) == [
        f"the contract of {MODEL} changed after the run began: it begins again, with what is deployed now"
    ]


def test_a_training_that_is_behind_its_preparation_is_called_again_for_the_same_run(life: Life) -> None:
    deploy(life, 1)
    execution = life.execute(life.upload(1), "one")
    execution.until("experiments")
    first = life.run("one")
    life.bench.write_model(gate={"minimum": 0.0, "margin": -1.0, "slices": []})
    execution.until("select")
    deploy(life, 1)
    assert execution.run() == "promoted"
    assert (life.run("one"), causes(life)) == (first, [])
    assert not {"restarts", "outdated", "cause"} & set(life.record(first))


def test_a_deployment_that_does_not_end_ends_the_execution(life: Life) -> None:
    execution = life.execute(life.upload(1), "one")
    steps = _until_the_end(life, execution)
    assert execution.end == "failed"
    assert steps.count("prepare") == len(PAUSES) + 1
    ends = [cause.endswith("start the workflow again") for cause in causes(life)]
    assert sorted(ends) == [*[False] * len(PAUSES), True]


def _until_the_end(life: Life, execution: Execution) -> list[str]:
    """Deploy before each selection, and return the steps that were taken."""
    steps = []
    while (step := execution.go_on()) is not None:
        steps.append(step)
        if step == "select":
            deploy(life, len(steps))
    return steps
