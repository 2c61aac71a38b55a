from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from localcloud.commands.train import train
from localcloud.engine.cloud import CloudFailed
from tests.localcloud.staged import Staged


@pytest.fixture
def staged() -> Staged:
    return Staged({"data_url": "memory://data", "models": {"m": {}}})


def test_the_workflow_is_started_for_the_newest_dataset_of_the_model(staged: Staged) -> None:
    asked: list[Mapping[str, Any]] = []

    def started(argument: Mapping[str, Any]) -> str:
        asked.append(argument)
        return "one"

    staged.started = started
    staged.objects.put("m/incoming/a.csv", b"x")
    assert train(staged.stack, "m") == {"uploads": "memory://data/m/incoming/", "execution": "one"}
    assert asked == [{"model": "m"}]


def test_without_anything_to_train_on_nothing_is_started(staged: Staged) -> None:
    def started(_: Mapping[str, Any]) -> str:
        raise AssertionError("it was started")

    staged.started = started
    staged.objects.put("other/incoming/a.csv", b"x")
    with pytest.raises(CloudFailed, match="m: there is no dataset in memory://data/m/incoming/"):
        train(staged.stack, "m")
    with pytest.raises(CloudFailed, match="there is no model n; served here: m"):
        train(staged.stack, "n")
    staged.outputs = {}
    with pytest.raises(CloudFailed, match="nothing is deployed yet in the stack local"):
        train(staged.stack, "m")
