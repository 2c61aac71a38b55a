"""Render the training workflow in the language of Google Workflows.

```
main      begin, then try: every step from the start on
                      except: the step that every failure leads to, and what follows it
call_*    one for each function: call it, again where that helps, and say what went wrong
begin_*   the same for the steps that begin a run: a refusal helps nothing later, and may be over soon then

is_early       failures of a busy function, and refusals: the function is called again, patiently
is_transient   failures of a busy function: it is called again, patiently
is_failure     failures of the function itself: it is called again, twice at most
```
Answers of steps are kept in variables. A step that reads what a variable does not have fails,
and so leads where every failure leads. A name may have no blank there, so `is it usable`
becomes `is_it_usable`. https://cloud.google.com/workflows/docs/reference/syntax
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from infra.workflow import ERROR, EXECUTION, INPUT, ITEM, Call, Choose, Each, End, Pause, Ref, Step, Workflow, followers

Document = dict[str, Any]

TRANSIENT: Document = {
    "predicate": "${is_transient}",
    "max_retries": 6,
    "backoff": {"initial_delay": 2, "max_delay": 300, "multiplier": 3},
}
"""Patient enough for a function whose instances are all busy."""
EARLY: Document = {**TRANSIENT, "predicate": "${is_early}"}
"""As patient while permissions spread: https://cloud.google.com/iam/docs/access-change-propagation ("2 minutes, or
potentially 7 minutes or longer")."""
FAILED: Document = {
    "predicate": "${is_failure}",
    "max_retries": 2,
    "backoff": {"initial_delay": 1, "max_delay": 30, "multiplier": 2},
}
"""A step can be repeated: so a worker that was killed is replaced."""
BUSY_CODES = (429, 502, 503)
"""There is no free instance, or it went away: https://cloud.google.com/run/docs/troubleshooting."""
REFUSED_CODE = 403
"""The caller may not call the function."""
FAILED_CODES = (500, 504)
"""The function's own failure, and its timeout."""
TEXT_LIMIT = 30_000
"""Characters of a cause; all variables together hold 512 KB: https://cloud.google.com/workflows/quotas."""
LISTED = 200
"""Characters of a list of names in an expression, which has 400 at most: https://cloud.google.com/workflows/quotas."""
RECOVERY_SECONDS = 3600
"""How long recording a failure may take, past every deadline."""
FAILURES = "failures"
"""The variable with what went wrong in the calls of an `Each`, the first failure first."""


def render(workflow: Workflow, functions: Mapping[str, str]) -> Document:
    """Return the workflow's source as a document; `functions` holds the URL to call, by the name that steps use."""
    recovery_names = _reached(workflow, workflow.on_failure)
    steps = [step for step in workflow.steps if step.name not in recovery_names]
    recovery_steps = [step for step in workflow.steps if step.name in recovery_names]
    return {
        "main": {
            "params": ["args"],
            "steps": [
                _begin(workflow),
                {
                    "attempt": {
                        "try": {"steps": [*_receive(workflow), *_steps(steps, workflow)]},
                        "except": {"as": "e", "steps": [_remember(), *_steps(recovery_steps, workflow)]},
                    }
                },
            ],
        },
        **{
            name: _function(functions[function], workflow.call_timeout_seconds[function], retry)
            for name, function, retry in _subworkflows(workflow)
        },
        "is_early": _predicate((REFUSED_CODE, *BUSY_CODES), "ConnectionError", "ConnectionFailedError"),
        "is_failure": _predicate(FAILED_CODES, "TimeoutError"),
        "is_transient": _predicate(BUSY_CODES, "ConnectionError", "ConnectionFailedError"),
    }


def _subworkflows(workflow: Workflow) -> Iterator[tuple[str, str, Document]]:
    """Yield, for each function, the subworkflows that call it: name, function, and how a call is made again."""
    calls = {(step.function, _subworkflow(step, workflow)) for step in workflow.steps if isinstance(step, (Call, Each))}
    for function, name in sorted(calls):
        yield name, function, EARLY if name.startswith("begin_") else TRANSIENT


def _subworkflow(step: Call | Each, workflow: Workflow) -> str:
    return f"{'begin' if step.name in workflow.early else 'call'}_{_name(step.function)}"


def _reached(workflow: Workflow, start: str) -> set[str]:
    """Return the names of the step and of all that can follow it."""
    names: set[str] = set()
    waiting = [start]
    while waiting:
        step = workflow.step(waiting.pop())
        if step.name not in names:
            names.add(step.name)
            waiting += followers(step)
    return names


# Main -------------------------------------------------------------------------------------------


def _begin(workflow: Workflow) -> Document:
    execution = '${sys.get_env("GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID")}'
    return _assign(
        "begin",
        input="${args}",
        execution=execution,
        deadline=f"${{sys.now() + {workflow.timeout_seconds}}}",
        problem="",
        trace="",
        **{FAILURES: []},
    )


def _receive(workflow: Workflow) -> Iterator[Document]:
    """Yield the steps that set trace and input: of an event of Eventarc its key, or else the argument itself."""
    yield {"join": {"assign": [{"trace": '${default(map.get(args, "trace"), "")}'}], "next": "receive"}}
    start = _name(workflow.start)
    arrival = {"condition": '${"data" in args}', "next": "from_event"}
    yield {"receive": {"switch": [arrival], "next": start}}
    source = {"source": "${args.data.message.attributes.objectId}"}
    yield {"from_event": {"assign": [{"input": source}], "next": start}}


def _remember() -> Document:
    return _assign("remember", problem=f"${{text.substring(e.message, 0, math.min(len(e.message), {TEXT_LIMIT}))}}")


def _steps(steps: list[Step], workflow: Workflow) -> list[Document]:
    return [rendered for step in steps for rendered in _step(step, workflow)]


def _step(step: Step, workflow: Workflow) -> Iterator[Document]:
    name = _name(step.name)
    match step:
        case Call() if step.name == workflow.on_failure:
            yield from _last_resort(name, step, workflow)
        case Call():
            yield {name: {**_call(step, workflow, "${deadline}"), "result": step.result, "next": _name(step.next)}}
        case Each():
            yield from _each(name, step, workflow)
        case Choose():
            yield from _choice(name, step)
        case Pause():
            pause = f"math.min({_path(step.seconds)}, deadline - sys.now())"
            seconds = f"${{int(math.max(0, {pause}))}}"
            yield {name: {"call": "sys.sleep", "args": {"seconds": seconds}, "next": _name(step.next)}}
        case End(failed=True):
            yield {name: {"raise": {"message": _expression(ERROR), "tags": ["WorkflowFailed"]}}}
        case End():
            yield {name: {"return": step.name}}
        case _:
            assert_never(step)


def _call(step: Call | Each, workflow: Workflow, deadline: str) -> Document:
    body = {key: _expression(value) if isinstance(value, Ref) else value for key, value in step.payload.items()}
    return {"call": _subworkflow(step, workflow), "args": {"step": step.name, "body": body, "deadline": deadline}}


def _last_resort(name: str, step: Call, workflow: Workflow) -> Iterator[Document]:
    """Yield the call that records a failure. When it fails, too, the first failure stays the cause."""
    call = {**_call(step, workflow, f"${{sys.now() + {RECOVERY_SECONDS}}}"), "result": step.result}
    note = _assign(f"{name}_failed", problem='${problem + "; then " + worse.message}')
    yield {name: _try({f"{name}_call": call}, "worse", note)}
    yield {f"{name}_next": {"next": _name(step.next)}}


def _each(name: str, step: Each, workflow: Workflow) -> Iterator[Document]:
    """Yield the calls for each element. Once one has failed for good, no other one begins."""
    none_failed, some_failed = f"${{len({FAILURES}) == 0}}", f"${{len({FAILURES}) > 0}}"
    note = _assign(f"{name}_note", **{FAILURES: f"${{list.concat({FAILURES}, e.message)}}"})
    guarded = {
        f"{name}_{_name(step.function)}": _try({f"{name}_call": _call(step, workflow, "${deadline}")}, "e", note)
    }
    yield {
        name: {
            "parallel": {
                "shared": [FAILURES],
                "concurrency_limit": step.parallelism,
                "for": {
                    "value": "item",
                    "in": _expression(step.items),
                    "steps": [{f"{name}_one": {"switch": [{"condition": none_failed, "steps": [guarded]}]}}],
                },
            }
        }
    }
    stop = {"condition": some_failed, "raise": {"message": f"${{{FAILURES}[0]}}", "tags": ["StepFailed"]}}
    yield {f"{name}_all": {"switch": [stop], "next": _name(step.next)}}


def _choice(name: str, step: Choose) -> Iterator[Document]:
    variable, _, key = _path(step.on).partition(".")
    # A missing value is null, which no case accepts.
    value = f"map.get({variable}, {json.dumps(key.split('.'))})"
    cases = [
        {"condition": f"${{{value} == {json.dumps(case)}}}", "next": _name(target)}
        for case, target in step.cases.items()
    ]
    before, after = json.dumps(f"{step.name}: found "), json.dumps(f"; accepted: {_listed(list(step.cases))}")
    yield {name: {"switch": cases, "next": f"{name}_otherwise"}}
    message = f"${{{before} + json.encode_to_string({value}) + {after}}}"
    yield {f"{name}_otherwise": {"raise": {"message": message, "tags": ["StepFailed"]}}}


def _listed(cases: list[str]) -> str:
    """Return names, as many as fit into an expression, and how many more there are."""
    fit = [case for at, case in enumerate(cases, 1) if len(", ".join(cases[:at])) <= LISTED]
    more = f" and {len(cases) - len(fit)} more" if len(fit) < len(cases) else ""
    return ", ".join(fit) + more


# Functions --------------------------------------------------------------------------------------


def _function(url: str, timeout_seconds: int, retry: Document) -> Document:
    """Return the subworkflow that calls one function, as the workflow's own account, and returns its answer.

    It raises a failure as text that begins with the step's name, and begins no call after the deadline.
    """
    late = {
        "condition": "${sys.now() >= deadline}",
        "raise": {"message": "the execution took too long", "tags": ["DeadlineError"]},
    }
    post = {
        "call": "http.post",
        "args": {
            "url": url,
            "auth": {"type": "OIDC", "audience": url},
            "body": "${body}",
            "timeout": timeout_seconds,
        },
        "result": "answer",
    }
    once = {"try": {"steps": [{"in_time": {"switch": [late]}}, {"ask": post}]}, "retry": FAILED}
    with_body = {
        "condition": '${"body" in e}',
        "assign": [{"cause": '${cause + ": " + json.encode_to_string(e.body)}'}],
    }
    blame = [
        _assign("blame", cause='${step + ": " + e.message}'),
        {"detail": {"switch": [with_body]}},
        {"fail": {"raise": {"message": "${cause}", "tags": ["StepFailed"]}}},
    ]
    patiently = {"try": {"steps": [{"once": once}]}, "retry": retry, "except": {"as": "e", "steps": blame}}
    return {
        "params": ["step", "body", "deadline"],
        "steps": [{"patiently": patiently}, {"hand_back": {"return": "${answer.body}"}}],
    }


def _predicate(codes: tuple[int, ...], *tags: str) -> Document:
    by_code = {"condition": f'${{map.get(e, "code") in {list(codes)}}}', "return": True}
    by_tag = {"condition": f"${{{' or '.join(f'{json.dumps(tag)} in e.tags' for tag in tags)}}}", "return": True}
    return {"params": ["e"], "steps": [{"judge": {"switch": [by_code, by_tag]}}, {"otherwise": {"return": False}}]}


# Words ------------------------------------------------------------------------------------------


def _assign(name: str, **values: object) -> Document:
    return {name: {"assign": [{key: value} for key, value in values.items()]}}


def _try(step: Document, error: str, otherwise: Document) -> Document:
    return {"try": {"steps": [step]}, "except": {"as": error, "steps": [otherwise]}}


def _name(step: str) -> str:
    return step.replace(" ", "_").replace("-", "_")


def _expression(ref: Ref) -> str:
    return f"${{{_path(ref)}}}"


def _path(ref: Ref) -> str:
    roots = {INPUT: "input", EXECUTION: "execution", ERROR: "problem", ITEM: "item"}
    return roots.get(ref, ref.path)
