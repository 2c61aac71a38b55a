from __future__ import annotations

import json
from typing import Any

import pytest

from infra.aws import dialect
from infra.workflow import (
    ERROR,
    EXECUTION,
    INPUT,
    ITEM,
    Call,
    Choose,
    Each,
    End,
    Pause,
    Ref,
    Workflow,
    training,
)

FUNCTIONS = ("prepare", "train", "select", "rollout")
WORKFLOW = Workflow(
    start="look",
    steps=(
        Call(
            name="look",
            function="looker",
            payload={"input": INPUT, "execution": EXECUTION, "way": "far"},
            result="seen",
            next="any",
        ),
        Choose(name="any", on=Ref("seen.status"), cases={"some": "each", "none": "done"}),
        Each(
            name="each",
            items=Ref("seen.things"),
            function="worker",
            payload={"of": Ref("seen.name"), "thing": ITEM},
            parallelism=3,
            next="rest",
        ),
        Pause(name="rest", seconds=Ref("seen.seconds"), next="done"),
        Call(name="sorry", function="looker", payload={"cause": ERROR}, result="told", next="failed"),
        End(name="done"),
        End(name="failed", failed=True),
    ),
    on_failure="sorry",
    timeout_seconds=600,
    call_timeout_seconds={"looker": 20, "worker": 40},
)
ARNS = {name: f"arn:aws:lambda:eu-west-1:000000000000:function:{name}:live" for name in ("looker", "worker")}
STATES: dict[str, Any] = dialect.render(WORKFLOW, ARNS)["States"]


def test_a_call_invokes_its_function_and_keeps_only_its_answer() -> None:
    look = STATES["look"]
    assert look["Resource"] == "arn:aws:states:::lambda:invoke"
    assert look["Arguments"] == {
        "FunctionName": ARNS["looker"],
        "Payload": {
            "input": "{% $states.context.Execution.Input %}",
            "execution": "{% $states.context.Execution.Name %}",
            "way": "far",
        },
    }
    assert (look["Assign"], look["Output"]) == ({"seen": "{% $states.result.Payload %}"}, {})
    assert (look["TimeoutSeconds"], look["Next"]) == (20, "any")


def test_a_refusal_is_tried_again_by_the_steps_that_begin_a_run_and_by_no_others() -> None:
    each = STATES["each"]["ItemProcessor"]["States"]["each: worker"]
    early, later = ["Lambda.AccessDeniedException"], []
    for state, refused in ((STATES["look"], early), (each, early), (STATES["sorry"], later)):
        busy, failed = state["Retry"]
        assert busy == {**dialect.TRANSIENT, "ErrorEquals": [*dialect.TRANSIENT["ErrorEquals"], *refused]}
        assert failed == dialect.FAILED


def test_what_may_come_before_the_first_pause_begins_a_run() -> None:
    definition = training(parallelism=4, timeout_seconds=60, function_timeouts=dict.fromkeys(FUNCTIONS, 5))
    calls = {step.name for step in definition.steps if isinstance(step, (Call, Each))}
    assert calls & definition.early == {"prepare", "experiments", "select", "release", "roll back"}
    assert calls - definition.early == {"judge", "abandon"}


def test_a_failure_leads_to_on_failure_with_its_cause_as_text() -> None:
    (catch,) = STATES["look"]["Catch"]
    assert (catch["ErrorEquals"], catch["Next"]) == (["States.ALL"], "sorry")
    assert "$states.errorOutput.Cause" in catch["Assign"]["problem"]
    assert STATES["sorry"]["Arguments"]["Payload"] == {"cause": "{% $problem %}"}


def test_a_failure_of_on_failure_goes_on_and_keeps_the_first_cause() -> None:
    (catch,) = STATES["sorry"]["Catch"]
    assert catch["Next"] == "failed"
    assert catch["Assign"]["problem"].startswith("{% $substring($problem & '; then ' & ")
    assert STATES["failed"] == {"Type": "Fail", "Error": "WorkflowFailed", "Cause": "{% $problem %}"}


def test_each_element_goes_to_the_function_so_many_at_a_time() -> None:
    each = STATES["each"]
    assert (each["Type"], each["MaxConcurrency"], each["Items"]) == ("Map", 3, "{% $seen.things %}")
    assert each["ItemSelector"] == {"of": "{% $seen.name %}", "thing": "{% $states.context.Map.Item.Value %}"}
    task = each["ItemProcessor"]["States"]["each: worker"]
    assert task["Arguments"] == {"FunctionName": ARNS["worker"], "Payload": "{% $states.input %}"}
    assert (task["End"], task["Output"], task["TimeoutSeconds"]) == (True, {}, 40)


def test_a_choice_that_no_case_names_is_a_failure_that_says_what_was_found() -> None:
    choice = STATES["any"]
    assert [(rule["Condition"], rule["Next"]) for rule in choice["Choices"]] == [
        ('{% $seen.status = "some" %}', "each"),
        ('{% $seen.status = "none" %}', "done"),
    ]
    assert choice["Default"] == "sorry"
    assert "$string($seen.status)" in choice["Assign"]["problem"]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_integration_is_named_in_the_partition_of_the_function(partition: str) -> None:
    arns = {name: arn.replace("aws", partition, 1) for name, arn in ARNS.items()}
    text = json.dumps(dialect.render(WORKFLOW, arns))
    assert text.count(f'"arn:{partition}:states:::lambda:invoke"') == 3
    assert text.count("arn:") == text.count(f"arn:{partition}:")


def test_a_pause_takes_its_seconds_from_a_result() -> None:
    assert STATES["rest"] == {"Type": "Wait", "Seconds": "{% $seen.seconds %}", "Next": "done"}


def test_what_steps_answer_never_travels_in_the_state() -> None:
    definition = dialect.render(
        training(parallelism=4, timeout_seconds=60, function_timeouts=dict.fromkeys(FUNCTIONS, 5)),
        dict.fromkeys(FUNCTIONS, ARNS["worker"]),
    )
    assert {json.dumps(state.get("Output", {})) for state in definition["States"].values()} == {"{}"}
