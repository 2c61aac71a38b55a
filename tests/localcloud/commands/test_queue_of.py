"""The queue of a function, by the function's name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.function_spec import Messages
from infra.function_table import FUNCTIONS, named
from localcloud.aws import Aws
from localcloud.commands import up
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack
from localcloud.gcp import Gcp


def test_a_message_is_for_a_function_that_takes_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    row = SimpleNamespace(name="labels", trigger=Messages())
    monkeypatch.setattr(up, "FUNCTIONS", (*FUNCTIONS, row))
    assert up.takes_messages("labels") == "labels"
    with pytest.raises(CloudFailed, match="no function called jobs takes messages; there are: stop, labels"):
        up.takes_messages("jobs")


@pytest.mark.parametrize("cloud", [Aws, Gcp])
def test_a_function_without_a_queue_is_told_from_one_that_has_one(cloud: Any) -> None:
    def made(type_: str, name: str) -> Any:
        return SimpleNamespace(declared=SimpleNamespace(type=type_, name=name), id=name)

    resources = [made(part.type, f"jobs{part.suffix}") for part in (cloud.queue, cloud.failed)]
    resources += [made(cloud.queue.type, f"data{cloud.queue.suffix}"), made(cloud.function, "jobs-function")]
    stack = LocalStack("local")
    stack._cloud = cloud
    stack._engine = cast("Any", SimpleNamespace(resources=resources))
    assert stack._of_queue("jobs", cloud.failed).id == f"jobs{cloud.failed.suffix}"
    with pytest.raises(LookupError, match=r"no queue is that of a function called data-1; there are: jobs$"):
        stack._of_queue("data-1", cloud.queue)
    assert named("jobs").consumes


def test_an_interrupted_start_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("localcloud.engine.stack.start", interrupted)
    with pytest.raises(KeyboardInterrupt), LocalStack("local", state=tmp_path):
        pass
    assert list((tmp_path / "run").iterdir()) == []
