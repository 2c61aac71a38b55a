"""Find what is wrong with a state machine before anybody runs it.

Neither the service nor an emulator reports all of it: a state that nothing leads to, a call
without a bound, a failure that nobody catches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Definition = Mapping[str, Any]

TERMINAL = ("Succeed", "Fail")
TYPES = frozenset({"Task", "Map", "Choice", "Wait", "Pass", *TERMINAL})
TRANSIENT = frozenset(
    {
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Lambda.ClientExecutionTimeoutException",
    }
)
LONGEST_NAME = 80
MOST_ATTEMPTS = 6


def problems(definition: Definition) -> list[str]:
    """Return everything that is wrong with a definition, each with the name of its state."""
    faults = [] if _bounded(definition) else ["the state machine: TimeoutSeconds is missing"]
    faults += _machine(definition, "the state machine", caught_outside=False)
    names = list(_names(definition))
    return [*faults, *(f"{name}: two states have this name" for name in sorted(set(names)) if names.count(name) > 1)]


def _machine(machine: Definition, where: str, *, caught_outside: bool) -> list[str]:
    states: Mapping[str, Definition] = machine.get("States", {})
    start = machine.get("StartAt")
    faults = [] if start in states else [f"{where}: StartAt names {start}, which is not a state"]
    for name, state in states.items():
        faults += [f"{name}: {fault}" for fault in _state(name, state, states, caught_outside=caught_outside)]
        if state.get("Type") == "Map":
            faults += _machine(state.get("ItemProcessor", {}), f"{name}: ItemProcessor", caught_outside=True)
    reached = _reached(start, states)
    faults += [f"{name}: no state leads here" for name in states if name not in reached]
    if not any(_ends(states[name]) for name in reached):
        faults.append(f"{where}: no state ends it")
    return faults


def _state(name: str, state: Definition, states: Mapping[str, Definition], *, caught_outside: bool) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in TYPES:
        yield f"Type is {kind}, which is not one of {', '.join(sorted(TYPES))}"
    if len(name) > LONGEST_NAME:
        yield f"the name has {len(name)} characters; accepted: {LONGEST_NAME}"
    for field, target in _targets(state):
        if target not in states:
            yield f"{field} names {target}, which is not a state"
    yield from _leaves(state)
    if kind in ("Task", "Map") and not caught_outside and not _catches_all(state):
        yield "Catch of States.ALL is missing"
    match kind:
        case "Choice":
            yield from _choice(state)
        case "Task":
            yield from _task(state)
        case "Map" if not _positive(state.get("MaxConcurrency")):
            yield "MaxConcurrency is missing"


def _leaves(state: Definition) -> Iterator[str]:
    kind = state.get("Type")
    leaves = [field for field in ("Next", "End") if state.get(field)]
    if kind in (*TERMINAL, "Choice"):
        if leaves:
            yield f"a {kind} has no {leaves[0]}"
    elif len(leaves) != 1:
        yield "exactly one of Next and End is needed"


def _choice(state: Definition) -> Iterator[str]:
    if not state.get("Choices"):
        yield "Choices is empty"
    if "Default" not in state:
        yield "Default is missing"


def _task(state: Definition) -> Iterator[str]:
    if not _bounded(state):
        yield "TimeoutSeconds is missing"
    retriers = state.get("Retry", [])
    retried = {error for retrier in retriers for error in retrier.get("ErrorEquals", [])}
    if missing := sorted(TRANSIENT - retried):
        yield f"Retry of {', '.join(missing)} is missing"
    if not {"States.TaskFailed", "States.Timeout"} <= retried:
        yield "Retry of States.TaskFailed and States.Timeout is missing"
    for retrier in retriers:
        if not retrier.get("BackoffRate", 0) > 1:
            yield "Retry: BackoffRate must be above 1"
        if not _positive(retrier.get("MaxDelaySeconds")):
            yield "Retry: MaxDelaySeconds is missing"
        if retrier.get("JitterStrategy") != "FULL":
            yield "Retry: JitterStrategy must be FULL"
        if not 1 <= retrier.get("MaxAttempts", 0) <= MOST_ATTEMPTS:
            yield f"Retry: MaxAttempts must be 1 to {MOST_ATTEMPTS}"


def _catches_all(state: Definition) -> bool:
    catchers = state.get("Catch", [])
    return bool(catchers) and catchers[-1].get("ErrorEquals") == ["States.ALL"]


def _targets(state: Definition) -> Iterator[tuple[str, str]]:
    for field in ("Next", "Default"):
        if field in state:
            yield field, state[field]
    for field in ("Choices", "Catch"):
        for branch in state.get(field, []):
            yield field, branch.get("Next")


def _reached(start: object, states: Mapping[str, Definition]) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if isinstance(name, str) and name in states and name not in reached:
            reached.add(name)
            waiting += [target for _, target in _targets(states[name])]
    return reached


def _ends(state: Definition) -> bool:
    return state.get("Type") in TERMINAL or state.get("End") is True


def _names(machine: Definition) -> Iterator[str]:
    for name, state in machine.get("States", {}).items():
        yield name
        yield from _names(state.get("ItemProcessor", {}))


def _bounded(node: Definition) -> bool:
    return _positive(node.get("TimeoutSeconds"))


def _positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
