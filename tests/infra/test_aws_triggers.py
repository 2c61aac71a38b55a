from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pytest

from infra.aws.arrival import Arrival
from infra.aws.queue import Queue
from infra.aws.storage import Store
from infra.aws.workflow import Workflow
from infra.vocabulary import ArrivalArgs, QueueArgs, StoreArgs, WorkflowArgs
from infra.workflow import Call, End
from infra.workflow import Workflow as Definition
from tests.graph import deploy
from tests.infra.aws import whole as w

QUEUE_ARGS = QueueArgs(consumer_timeout_seconds=10, attempts=5)


def test_a_dataset_starts_the_workflow_with_its_key_alone() -> None:
    target = w.graph().one(w.TARGET, "datasets-target")
    assert target.inputs["inputTransformer"] == {
        "inputPaths": {"key": "$.detail.object.key"},
        "inputTemplate": '{"source": <key>}',
    }
    assert target.inputs["arn"] == w.graph().returned["workflow"]


def test_a_job_becomes_a_message_that_is_the_event_itself() -> None:
    target = w.graph().one(w.TARGET, "submissions-target")
    assert not {"inputTransformer", "input", "inputPath", "roleArn"} & set(target.inputs)
    assert target.inputs["arn"] == w.graph().one(w.QUEUE, "jobs-queue").outputs["arn"]


def test_a_rule_sees_only_its_bucket_and_prefixes() -> None:
    assert w.graph().one(w.RULE, "datasets-rule").document("eventPattern") == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": ["data-bucket-1a2b3c4"]},
            "object": {"key": [{"prefix": "breast_cancer/incoming/"}]},
        },
    }


def arrive(prefixes: tuple[str, ...], *, announces: bool = True, target: Any = None) -> Any:
    def program() -> None:
        store = Store("data", StoreArgs(protect=False, announces=announces))
        Arrival("new", ArrivalArgs(store=store, prefixes=prefixes, target=target or Queue("jobs", QUEUE_ARGS)))

    return deploy(program).one(w.RULE).document("eventPattern")["detail"]


def test_an_arrival_anywhere_in_the_store_asks_for_no_prefix() -> None:
    assert "object" not in arrive(("",))
    assert arrive(("a/", "b/"))["object"] == {"key": [{"prefix": "a/"}, {"prefix": "b/"}]}


def test_a_store_that_announces_nothing_has_no_arrivals() -> None:
    with pytest.raises(TypeError, match="does not announce"):
        arrive(("a/",), announces=False)


@dataclass(frozen=True)
class Elsewhere:
    ref: str = "projects/elsewhere/topics/jobs"


def test_a_target_of_another_cloud_is_refused() -> None:
    with pytest.raises(TypeError, match="Elsewhere is neither a queue nor a workflow of this cloud"):
        arrive(("a/",), target=Elsewhere())


def test_a_schedule_starts_the_workflow_on_time_with_its_input() -> None:
    schedule = w.graph().one(w.SCHEDULE)
    assert schedule.inputs["scheduleExpression"] == "cron(0 3 ? * 2 *)"
    assert schedule.inputs["scheduleExpressionTimezone"] == "UTC"
    assert schedule.inputs["flexibleTimeWindow"] == {"mode": "OFF"}
    assert json.loads(schedule.inputs["target"]["input"]) == {"model": "breast_cancer"}
    assert schedule.inputs["target"]["arn"] == w.graph().returned["workflow"]


def test_a_machine_is_made_after_it_may_write_its_log() -> None:
    graph = w.graph()
    assert graph.one(w.ROLE_POLICY, "training-policy").urn in graph.one(w.MACHINE).dependencies
    assert graph.one(w.MACHINE).inputs["type"] == "STANDARD"


@dataclass
class Called:
    ref: pulumi.Output[str]
    name: pulumi.Output[str]


DEFINITION = Definition(
    start="work",
    steps=(
        Call(name="work", function="worker", payload={}, result="done", next="end"),
        Call(name="sorry", function="worker", payload={}, result="told", next="failed"),
        End(name="end"),
        End(name="failed", failed=True),
    ),
    on_failure="sorry",
    timeout_seconds=60,
    call_timeout_seconds={"worker": 5},
)


def declare(definition: Definition, *functions: str) -> None:
    def program() -> None:
        called = {
            f: Called(ref=pulumi.Output.from_input(f"arn:{f}"), name=pulumi.Output.from_input(f)) for f in functions
        }
        Workflow("training", WorkflowArgs(definition=definition, functions=called, log_days=7))

    deploy(program)


def test_a_sound_definition_is_deployed() -> None:
    declare(DEFINITION, "worker")


def test_a_broken_definition_stops_the_program() -> None:
    astray = replace(DEFINITION, start="begin")
    with pytest.raises(pulumi.RunError, match="workflow training: the state machine: StartAt names begin"):
        declare(astray, "worker")


def test_a_function_too_few_or_too_many_stops_the_program() -> None:
    with pytest.raises(ValueError, match="steps call worker; it was given none"):
        declare(DEFINITION)
    with pytest.raises(ValueError, match="it was given idler, worker"):
        declare(DEFINITION, "worker", "idler")
