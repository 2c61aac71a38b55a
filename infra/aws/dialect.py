"""Render the training workflow in Amazon States Language, with JSONata.

Answers of steps are kept in variables; the state that travels is empty. A step that reads what
a variable does not have fails, and so leads where every failure leads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, assert_never

from infra.aws.account import partition
from infra.workflow import ERROR, EXECUTION, INPUT, ITEM, TRACE, Call, Choose, Each, End, Pause, Ref, Step, Workflow

State = dict[str, Any]

TRANSIENT: State = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Lambda.ClientExecutionTimeoutException",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 3,
    "MaxAttempts": 6,
    "MaxDelaySeconds": 300,
    "JitterStrategy": "FULL",
}
"""https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception

Patient enough for a function whose copies are all busy.
"""
REFUSED = "Lambda.AccessDeniedException"
"""The caller may not call the function: retried in early steps alone. So far Step Functions reports a refusal as
Lambda.AWSLambdaException, which is retried in every step."""
FAILED: State = {
    "ErrorEquals": ["States.TaskFailed", "States.Timeout"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 2,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}
"""A step can be repeated: so a worker that was killed is replaced."""
_TRACE = "$states.context.Execution.Input.trace"
TEXT_LIMIT = 30_000
"""Characters of a cause; Step Functions takes 32,768."""


def render(workflow: Workflow, functions: Mapping[str, str]) -> State:
    """Return the definition of the state machine; `functions` holds the ARN to invoke, by the name that steps use."""
    return {
        "QueryLanguage": "JSONata",
        "StartAt": workflow.start,
        "TimeoutSeconds": workflow.timeout_seconds,
        "States": {step.name: _state(step, workflow, functions) for step in workflow.steps},
    }


def _state(step: Step, workflow: Workflow, functions: Mapping[str, str]) -> State:
    match step:
        case Call():
            answer = {step.result: _expression("$states.result.Payload")}
            task = _task(step, _payload(step.payload), workflow, functions)
            return {**task, "Assign": answer, "Catch": [_catch(step, workflow)], "Next": step.next}
        case Each():
            return _map(step, workflow, functions)
        case Choose():
            return _choice(step, workflow)
        case Pause():
            return {"Type": "Wait", "Seconds": _expression(_path(step.seconds)), "Next": step.next}
        case End(failed=True):
            return {"Type": "Fail", "Error": "WorkflowFailed", "Cause": _expression(_path(ERROR))}
        case End():
            return {"Type": "Succeed"}
    assert_never(step)


def _task(step: Call | Each, payload: object, workflow: Workflow, functions: Mapping[str, str]) -> State:
    refused = [REFUSED] if step.name in workflow.early else []
    return {
        "Type": "Task",
        # A state machine of another partition knows the integration by an ARN of that partition alone.
        "Resource": f"arn:{partition(functions[step.function])}:states:::lambda:invoke",
        "Arguments": {"FunctionName": functions[step.function], "Payload": payload},
        "TimeoutSeconds": workflow.call_timeout_seconds[step.function],
        "Retry": [{**TRANSIENT, "ErrorEquals": [*TRANSIENT["ErrorEquals"], *refused]}, dict(FAILED)],
        "Output": {},
    }


def _map(step: Each, workflow: Workflow, functions: Mapping[str, str]) -> State:
    inner = f"{step.name}: {step.function}"
    task = _task(step, _expression("$states.input"), workflow, functions)
    return {
        "Type": "Map",
        "Items": _expression(_path(step.items)),
        "ItemSelector": _payload(step.payload),
        "MaxConcurrency": step.parallelism,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": inner,
            "States": {inner: {**task, "End": True}},
        },
        "Output": {},
        "Catch": [_catch(step, workflow)],
        "Next": step.next,
    }


def _choice(step: Choose, workflow: Workflow) -> State:
    value = _path(step.on)
    before, after = json.dumps(f'{step.name}: found "'), json.dumps(f'"; accepted: {", ".join(step.cases)}')
    return {
        "Type": "Choice",
        "Choices": [
            {"Condition": _expression(f"{value} = {json.dumps(case)}"), "Next": target}
            for case, target in step.cases.items()
        ],
        "Assign": {"problem": _expression(f"{before} & $string({value}) & {after}")},
        "Default": workflow.on_failure,
    }


def _catch(step: Call | Each, workflow: Workflow) -> State:
    failure = f"{json.dumps(step.name + ': ')} & $states.errorOutput.Error & ': ' & $states.errorOutput.Cause"
    if step.name != workflow.on_failure:
        return _catcher(failure, workflow.on_failure)
    # When recording a failure fails, too, the first failure stays the cause.
    return _catcher(f"$problem & '; then ' & {failure}", step.next)


def _catcher(text: str, target: str) -> State:
    return {
        "ErrorEquals": ["States.ALL"],
        "Assign": {"problem": _expression(f"$substring({text}, 0, {TEXT_LIMIT})")},
        "Output": {},
        "Next": target,
    }


def _payload(payload: Mapping[str, Ref | str]) -> State:
    return {name: _expression(_path(value)) if isinstance(value, Ref) else value for name, value in payload.items()}


def _path(ref: Ref) -> str:
    roots = {
        INPUT: "$states.context.Execution.Input",
        EXECUTION: "$states.context.Execution.Name",
        TRACE: f"$exists({_TRACE}) ? {_TRACE} : ''",
        ERROR: "$problem",
        ITEM: "$states.context.Map.Item.Value",
    }
    return roots.get(ref, f"${ref.path}")


def _expression(text: str) -> str:
    return f"{{% {text} %}}"
