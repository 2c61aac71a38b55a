from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.archive import Archive
from infra.aws.function import Function
from infra.aws.queue import Queue
from infra.aws.storage import Store
from infra.vocabulary import FunctionArgs, QueueArgs, StoreArgs
from tests.graph import Graph, deploy
from tests.infra.aws import whole as w
from tests.infra.sample import PLATFORM, archive


def deployed(*, consumes: bool = False, **more: Any) -> Graph:
    def program() -> dict[str, pulumi.Output[str]]:
        values: dict[str, Any] = {
            "archive": archive("prepare"),
            "code": Store("code", StoreArgs()),
            "platform": PLATFORM,
            "memory_mb": 512,
            "timeout_seconds": 60,
            "concurrency": 4,
            "reserved": True,
            "environment": {"LOG_LEVEL": "INFO"},
            "grants": (),
            "log_days": 14,
            "consumes": Queue("jobs", QueueArgs(consumer_timeout_seconds=60, attempts=5)) if consumes else None,
            **more,
        }
        function = Function("prepare", FunctionArgs(**values))
        return {"ref": function.ref, "name": function.name}

    return deploy(program)


def test_the_function_is_what_was_asked_for() -> None:
    inputs = deployed().one(w.FUNCTION).inputs
    keys = ("runtime", "architectures", "memorySize", "timeout", "reservedConcurrentExecutions", "handler")
    assert [inputs[key] for key in keys] == [
        "python3.13",
        ["x86_64"],
        512,
        60,
        4,
        "main.handle",
    ]
    assert inputs["environment"] == {"variables": {"LOG_LEVEL": "INFO", "PYTHONPATH": "/var/task:/var/runtime"}}


def test_xray_keeps_traces_where_that_was_asked_for_and_has_no_permission_elsewhere() -> None:
    plain, traced = deployed(), deployed(traced=True)
    modes = [graph.one(w.FUNCTION).inputs["tracingConfig"] for graph in (plain, traced)]
    assert modes == [{"mode": "PassThrough"}, {"mode": "Active"}]
    told = [graph.one(w.FUNCTION).inputs["environment"]["variables"].get("XRAY") for graph in (plain, traced)]
    assert told == [None, "yes"]
    assert ["xray:" in graph.one(w.ROLE_POLICY).inputs["policy"] for graph in (plain, traced)] == [False, True]


def test_nothing_is_reserved_that_was_not_asked_for() -> None:
    graph = deployed(consumes=True, reserved=False)
    assert "reservedConcurrentExecutions" not in graph.one(w.FUNCTION).inputs
    assert graph.one(w.MAPPING).inputs["scalingConfig"] == {"maximumConcurrency": 4}


def test_callers_are_given_the_alias() -> None:
    graph = deployed()
    assert graph.returned["ref"] == graph.one(w.ALIAS).outputs["arn"]
    assert graph.returned["ref"].endswith(":function:prepare-function-1a2b3c4:live")
    assert graph.returned["name"] == "prepare-function-1a2b3c4"


def test_the_code_hash_is_what_lambda_computes_of_the_same_bytes(tmp_path: Path) -> None:
    zipped = tmp_path / "prepare.zip"
    zipped.write_bytes(b"bytes of an archive")
    digest = hashlib.sha256(zipped.read_bytes())
    graph = deployed(archive=Archive(path=zipped, digest=digest.hexdigest(), size=19, unpacked=19))
    assert graph.one(w.FUNCTION).inputs["sourceCodeHash"] == base64.b64encode(digest.digest()).decode()
    uploaded = graph.one(w.OBJECT)
    assert uploaded.inputs["key"] == f"prepare/{digest.hexdigest()}.zip"
    assert isinstance(uploaded.inputs["source"], pulumi.FileAsset)
    assert uploaded.inputs["source"].path == str(zipped)


def test_changed_code_changes_the_upload_and_the_function_alone() -> None:
    before, after = deployed(), deployed(archive=archive("prepare", revision="2"))
    changed = {
        old.name for old, new in zip(before, after, strict=True) if old.inputs != new.inputs and _differ(old, new)
    }
    assert changed == {"prepare-code", "prepare-function"}


def _differ(old: Any, new: Any) -> bool:
    """Return whether the inputs differ; assets are compared by path, not by identity."""

    def comparable(resource: Any) -> dict[str, Any]:
        return {key: getattr(value, "path", value) for key, value in resource.inputs.items()}

    return comparable(old) != comparable(new)


def test_the_first_call_already_has_its_permissions() -> None:
    graph = deployed(consumes=True)
    policy = graph.one(w.ROLE_POLICY, "prepare-policy").urn
    assert policy in graph.one(w.FUNCTION).dependencies
    assert policy in graph.one(w.MAPPING).dependencies


@pytest.mark.parametrize(("batch", "window"), [(1, 0), (10, 0), (11, 1)])
def test_only_a_batch_above_ten_waits_to_fill(batch: int, window: int) -> None:
    inputs = deployed(consumes=True, batch=batch).one(w.MAPPING).inputs
    assert (inputs["batchSize"], inputs["maximumBatchingWindowInSeconds"]) == (batch, window)


def test_a_consumer_runs_at_most_as_many_copies_as_are_reserved() -> None:
    assert deployed(consumes=True, concurrency=7).one(w.MAPPING).inputs["scalingConfig"] == {"maximumConcurrency": 7}


def test_a_consumer_of_one_copy_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="function prepare: it consumes a queue, for which AWS accepts 2 copies or"):
        deployed(consumes=True, concurrency=1)


def test_a_function_that_consumes_nothing_may_run_as_one_copy() -> None:
    graph = deployed(concurrency=1)
    assert graph.of(w.MAPPING) == ()
    assert "sqs:" not in graph.one(w.ROLE_POLICY).inputs["policy"]
