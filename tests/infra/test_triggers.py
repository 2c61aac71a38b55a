"""What a workflow and its triggers refuse, on every cloud."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pulumi
import pytest

from infra import clouds
from infra.keys import Keys
from infra.vocabulary import ArrivalArgs, Cloud, QueueArgs, ScheduleArgs, StoreArgs, WorkflowArgs
from infra.workflow import Call, End, Workflow
from tests.graph import Graph, deploy

every_cloud = pytest.mark.parametrize("cloud", [clouds.find(name) for name in clouds.names()], ids=clouds.names())
KEYS = Keys(models=("a",), prefixes=("in/",))
QUEUE_ARGS = QueueArgs(consumer_timeout_seconds=10, attempts=5)
DEFINITION = Workflow(
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


@dataclass
class Called:
    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    logs: pulumi.Output[str]


def a_function(ref: str, name: str) -> Called:
    named = pulumi.Output.from_input(name)
    return Called(ref=pulumi.Output.from_input(ref), name=named, logs=named)


@dataclass(frozen=True)
class Elsewhere:
    ref: str = "projects/elsewhere/topics/jobs"


def declare(cloud: Cloud, definition: Workflow, *functions: str) -> Graph:
    def program() -> None:
        called = {f: a_function(f"https://{f}.a.run.app", f) for f in functions}
        cloud.workflow("training", WorkflowArgs(definition=definition, functions=called, log_days=7))

    return deploy(program)


def arrive(cloud: Cloud, keys: Keys, *, announces: bool = True, target: Any = None) -> Graph:
    def program() -> None:
        store = cloud.store("data", StoreArgs(announces=announces))
        waiting = target or cloud.queue("jobs", replace(QUEUE_ARGS, keys=keys))
        cloud.arrival("new", ArrivalArgs(store=store, keys=keys, target=waiting))

    return deploy(program)


@every_cloud
def test_a_sound_definition_is_deployed(cloud: Cloud) -> None:
    assert [resource.name for resource in declare(cloud, DEFINITION, "worker") if resource.component] == ["training"]


@every_cloud
@pytest.mark.parametrize(
    "broken",
    [
        replace(DEFINITION, start="end"),
        replace(DEFINITION, steps=(*DEFINITION.steps, End(name="island"))),
        replace(DEFINITION, call_timeout_seconds={"worker": 0}),
    ],
)
def test_a_broken_definition_stops_the_program(cloud: Cloud, broken: Workflow) -> None:
    with pytest.raises(ValueError, match="workflow training: "):
        declare(cloud, broken, "worker")


@every_cloud
def test_a_function_too_few_or_too_many_stops_the_program(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match="steps call worker; it was given none"):
        declare(cloud, DEFINITION)
    with pytest.raises(ValueError, match="it was given idler, worker"):
        declare(cloud, DEFINITION, "worker", "idler")


@every_cloud
def test_a_store_that_announces_nothing_has_no_arrivals(cloud: Cloud) -> None:
    with pytest.raises(TypeError, match="does not announce"):
        arrive(cloud, KEYS, announces=False)


@every_cloud
def test_a_target_of_another_cloud_is_refused(cloud: Cloud) -> None:
    with pytest.raises(TypeError, match="Elsewhere is neither a queue nor a workflow of this cloud"):
        arrive(cloud, KEYS, target=Elsewhere())


@every_cloud
def test_a_schedule_that_is_no_cron_is_refused(cloud: Cloud) -> None:
    def program() -> None:
        called = {"worker": a_function("https://w", "w")}
        workflow = cloud.workflow("training", WorkflowArgs(definition=DEFINITION, functions=called, log_days=7))
        cloud.schedule("nightly", ScheduleArgs(cron="0 25 * * *", target=workflow, input={}))

    with pytest.raises(ValueError, match="hour: 25 is not a number from 0 to 23"):
        deploy(program)
