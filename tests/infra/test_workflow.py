"""What a step reads must have been set on every way to it: no cloud says so before an execution gets there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from infra import clouds, function_checks, workflow, workflow_values
from infra.function_table import FUNCTIONS
from infra.vocabulary import WorkflowArgs
from infra.workflow import ERROR, ITEM, Call, Choose, Each, Pause, Ref, Workflow
from infra.workflow_values import problems
from tests.infra import sample

TRAINING = workflow.training(parallelism=1, timeout_seconds=1, function_timeouts={})


def changed(name: str, **changes: Any) -> Workflow:
    assert any(step.name == name for step in TRAINING.steps)
    steps = (replace(step, **changes) if step.name == name else step for step in TRAINING.steps)
    return replace(TRAINING, steps=tuple(steps))


def test_the_training_workflow_reads_only_what_was_set() -> None:
    assert problems(TRAINING) == []


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        (
            "judge",
            {"payload": {"model": Ref("prepar.model")}},
            "step judge: prepar.model: no result is called prepar at all; accepted: rollout, search",
        ),
        (
            "release",
            {"payload": {"why": Ref("rollout.status")}},
            "step release: rollout.status: no result is called rollout before the step on every way there;"
            " accepted: search",
        ),
        ("is it usable", {"on": Ref("prepared.status")}, "step is it usable: prepared.status: no result is called "),
        ("bake", {"seconds": Ref("rollot.wait_seconds")}, "step bake: rollot.wait_seconds: no result is called rollot"),
        ("experiments", {"items": Ref("prepar.experiments")}, "step experiments: prepar.experiments: no result is "),
        ("experiments", {"payload": {"run": Ref("run")}}, "step experiments: run: no result is called run at all"),
        ("select", {"payload": {"experiment": ITEM}}, "step select: item: only a step for each element of a list has"),
        ("select", {"payload": {"cause": ERROR}}, "step select: error: only the step abandon can read it"),
        (
            "abandon",
            {"payload": {"model": Ref("search.model")}},
            "step abandon: search.model: no result is called search before the step on every way there; accepted: none",
        ),
    ],
)
def test_a_value_that_nothing_may_have_set_is_named_with_its_step(
    name: str, changes: dict[str, Any], expected: str
) -> None:
    (problem,) = problems(changed(name, **changes))
    assert problem.startswith(expected)


def test_every_kind_of_step_that_reads_is_looked_at() -> None:
    kinds = {type(step) for step in TRAINING.steps if workflow_values._refs(step)}
    assert kinds == {Call, Each, Choose, Pause}


def test_a_step_that_leads_nowhere_is_left_to_the_linters() -> None:
    assert problems(changed("select", next="nowhere")) == []


def test_no_cloud_takes_a_workflow_that_reads_what_nothing_set() -> None:
    """The arguments of the component refuse it, so no cloud has to."""
    first, *others = sample.WORKFLOW.steps
    assert isinstance(first, Call)
    broken = replace(sample.WORKFLOW, steps=(replace(first, payload={"a": Ref("prepar.a")}), *others))
    with pytest.raises(pulumi.RunError, match=r"the workflow: step prepare: prepar\.a: no result is called prepar"):
        WorkflowArgs(definition=broken, functions={}, log_days=1)


def test_the_table_is_refused_with_the_workflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "training", lambda **_: changed("bake", seconds=Ref("x.y")))
    with pytest.raises(pulumi.RunError, match=r"infra/workflow\.py: step bake: x\.y: no result is called x at all"):
        function_checks.require(FUNCTIONS)


@pytest.mark.parametrize("cloud", clouds.names())
def test_a_function_with_a_hyphen_can_be_a_step(cloud: str) -> None:
    steps = tuple(
        replace(step, function="my-step") if isinstance(step, Call | Each) else step for step in sample.WORKFLOW.steps
    )
    renamed = replace(sample.WORKFLOW, steps=steps, call_timeout_seconds={"my-step": 9})
    package = __import__(f"infra.{cloud}", fromlist=["dialect", "lint"])
    assert package.lint.problems(package.dialect.render(renamed, {"my-step": "https://my-step.example.org"})) == []
