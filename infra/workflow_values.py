"""The values that the steps of a workflow read, and whether something has set each of them by then."""

from __future__ import annotations

from infra.workflow import (
    ERROR,
    EXECUTION,
    INPUT,
    ITEM,
    TRACE,
    Call,
    Choose,
    Each,
    End,
    Pause,
    Ref,
    Step,
    Workflow,
    followers,
)


def problems(workflow: Workflow) -> list[str]:
    """Return what is wrong with the values that steps read, each with the step's name: nothing may have set them.

    A cloud finds that out only once an execution gets to the step.
    """
    results = _results(workflow)
    return [
        f"step {step.name}: {ref.path}: {problem}"
        for step in workflow.steps
        if step.name in results
        for ref in _refs(step)
        if (problem := _unset(ref, step, workflow, results[step.name]))
    ]


def _unset(ref: Ref, step: Step, workflow: Workflow, results: frozenset[str]) -> str:
    """Return why nothing may have set what a step reads; empty if it is set whenever the step begins."""
    root = ref.path.partition(".")[0]
    if ref in (INPUT, EXECUTION, TRACE):
        return ""
    if ref == ITEM:
        return "" if isinstance(step, Each) else "only a step for each element of a list has one"
    if ref == ERROR:
        return "" if step.name == workflow.on_failure else f"only the step {workflow.on_failure} can read it"
    if root in results:
        return ""
    everywhere = {other.result for other in workflow.steps if isinstance(other, Call)}
    when = "before the step on every way there" if root in everywhere else "at all"
    return f"no result is called {root} {when}; accepted: {', '.join(sorted(results)) or 'none'}"


def _refs(step: Step) -> list[Ref]:
    """Return what a step reads."""
    match step:
        case Call():
            return [value for value in step.payload.values() if isinstance(value, Ref)]
        case Each():
            return [step.items, *(value for value in step.payload.values() if isinstance(value, Ref))]
        case Choose():
            return [step.on]
        case Pause():
            return [step.seconds]
        case End():
            return []


def _results(workflow: Workflow) -> dict[str, frozenset[str]]:
    """Return, for each step that can be reached, the results that are there on every way to it.

    A failure anywhere leads to `on_failure`, so nothing is sure to be there.
    """
    steps = {step.name: step for step in workflow.steps}
    found: dict[str, frozenset[str]] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(workflow.start, frozenset()), (workflow.on_failure, frozenset())]
    while waiting:
        name, results = waiting.pop()
        before = found.get(name)
        results = results if before is None else results & before
        if name in steps and results != before:
            found[name] = results
            step = steps[name]
            after = results | {step.result} if isinstance(step, Call) else results
            waiting += [(following, after) for following in followers(step)]
    return found
