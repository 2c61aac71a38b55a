"""What each step does, in a routine that was called at some depth."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from localcloud.gcp.workflows.errors import Raised, Undocumented, error
from localcloud.gcp.workflows.operators import is_number, member_of
from localcloud.gcp.workflows.parallel import run_all
from localcloud.gcp.workflows.scope import Scope
from localcloud.gcp.workflows.steps import (
    Assign,
    Block,
    Call,
    Loop,
    Parallel,
    Predicate,
    Raise,
    Retry,
    Return,
    Step,
    Switch,
    Try,
)

MOST_PARALLEL = 20
"""https://cloud.google.com/workflows/quotas"""


class Services(Protocol):
    """What the steps need of the execution that they are part of."""

    def count(self) -> None: ...

    def call(self, function: str, arguments: Mapping[str, Any], depth: int) -> Any: ...

    def holds(self, predicate: str | Predicate, value: Any, depth: int) -> bool: ...

    def wait(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Jump:
    target: str


@dataclass(frozen=True)
class Returned:
    value: Any


Outcome = Jump | Returned | None


class Runner:
    """The steps of one routine, called at some depth."""

    def __init__(self, services: Services, routine: str, depth: int) -> None:
        self._services = services
        self._name = routine
        self._depth = depth
        self._actions: Mapping[type, Callable[[Any, Scope], Outcome]] = {
            Assign: self._assign,
            Call: self._call,
            Switch: self._switch,
            Loop: self._loop,
            Parallel: self._parallel,
            Try: self._try,
            Raise: self._raise,
            Return: lambda action, scope: Returned(action.value(scope)),
            Block: self.block,
        }

    def block(self, block: Block, scope: Scope) -> Outcome:
        places = {step.name: at for at, step in enumerate(block.steps)}
        at = 0
        while at < len(block.steps):
            outcome = self._step(block.steps[at], scope)
            if outcome is None:
                at += 1
            elif isinstance(outcome, Jump) and outcome.target in places:
                at = places[outcome.target]
            else:
                return outcome
        return None

    def _step(self, step: Step, scope: Scope) -> Outcome:
        try:
            self._services.count()
            outcome = self._actions[type(step.action)](step.action, scope) if step.action else None
        except Raised as problem:
            problem.where = problem.where or f'in step "{step.name}", routine "{self._name}"'
            raise
        return outcome or (Jump(step.next) if step.next else None)

    def _assign(self, action: Assign, scope: Scope) -> None:
        """All at once: no other branch sees, or changes, a shared variable in between."""
        with scope.memory.lock:
            for name, keys, value in action.targets:
                found = value(scope)
                if keys:
                    found = _with_member(scope.get(name), [key(scope) for key in keys], found)
                scope.set(name, found)

    def _call(self, action: Call, scope: Scope) -> None:
        arguments = {name: value(scope) for name, value in action.arguments.items()}
        result = self._services.call(action.function, arguments, self._depth)
        if action.result is not None:
            scope.set(action.result, result)

    def _switch(self, action: Switch, scope: Scope) -> Outcome:
        for condition, block in action.cases:
            found = condition(scope)
            if not isinstance(found, bool):
                raise error("TypeError", f"a condition is a boolean; got: {found!r}")
            if found:
                return self.block(block, scope)
        return None

    def _loop(self, action: Loop, scope: Scope) -> Outcome:
        for index, item in enumerate(_items(action, scope)):
            outcome = self._turn(action, scope.inside(), index, item)
            if isinstance(outcome, Jump) and outcome.target == "break":
                return None
            if outcome is not None and outcome != Jump("continue"):
                return outcome
        return None

    def _turn(self, action: Loop, scope: Scope, index: int, item: Any) -> Outcome:
        try:
            scope.make(action.value, item)
            if action.index is not None:
                scope.make(action.index, index)
            return self.block(action.body, scope)
        finally:
            scope.close()

    def _parallel(self, action: Parallel, scope: Scope) -> None:
        limit = action.limit(scope) if action.limit else MOST_PARALLEL
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise error("TypeError", f"concurrency_limit is a number from 1; got: {limit!r}")
        work: dict[str, Callable[[], Any]] = {}
        if isinstance(action.work, Loop):
            loop = action.work
            for at, item in enumerate(_items(loop, scope)):
                inner = scope.inside(shared=action.shared)
                work[str(at)] = lambda inner=inner, at=at, item=item: self._turn(loop, inner, at, item)
        else:
            for name, block in action.work.items():
                inner = scope.inside(shared=action.shared)
                work[name] = lambda inner=inner, block=block: self._branch(block, inner)
        if failed := run_all(work, min(limit, MOST_PARALLEL)):
            raise _unhandled(failed)

    def _branch(self, block: Block, scope: Scope) -> None:
        try:
            self.block(block, scope)
        finally:
            scope.close()

    def _try(self, action: Try, scope: Scope) -> Outcome:
        try:
            return self._tried(action.body, action.retry, scope)
        except Raised as problem:
            if action.handler is None or action.error is None:
                raise
            inner = scope.inside()
            try:
                inner.make(action.error, problem.value)
                return self.block(action.handler, inner)
            finally:
                inner.close()

    def _tried(self, body: Block, retry: Retry | None, scope: Scope) -> Outcome:
        if retry is None:
            return self.block(body, scope)
        most, pause = retry.most(scope), retry.first_pause(scope)
        longest, multiplier = retry.longest_pause(scope), retry.multiplier(scope)
        if not all(map(is_number, (most, pause, longest, multiplier))):
            raise error("TypeError", "max_retries, initial_delay, max_delay and multiplier are numbers")
        retried = 0
        while True:
            try:
                return self.block(body, scope)
            except Raised as problem:
                if retried >= most or not self._services.holds(retry.predicate, problem.value, self._depth):
                    raise
            self._services.wait(min(pause, longest))
            pause *= multiplier
            retried += 1

    def _raise(self, action: Raise, scope: Scope) -> Outcome:
        value = action.value(scope)
        if not isinstance(value, (str, dict)):
            raise Undocumented(f"raise of {value!r}, which is neither a text nor a map")
        raise Raised(value)


def _items(loop: Loop, scope: Scope) -> Any:
    found = loop.items(scope)
    if not isinstance(found, list):
        raise error("TypeError", f"a for goes through a list; got: {type(found).__name__}")
    if not loop.is_range:
        return found
    if len(found) != 2 or not all(isinstance(end, int) and not isinstance(end, bool) for end in found):
        raise Undocumented(f"range {found!r}; a range here has two whole numbers")
    return range(found[0], found[1] + 1)


def _with_member(root: Any, keys: list[Any], value: Any) -> Any:
    """A copy of a map or a list in which one member, however deep, is another."""
    changed = holder = copy.deepcopy(root)
    for key in keys[:-1]:
        holder = member_of(holder, key)
    last = keys[-1]
    if not (isinstance(holder, dict) and isinstance(last, str)):
        member_of(holder, last)
    holder[last] = value
    return changed


def _unhandled(failed: Mapping[str, Raised]) -> Raised:
    branches = [
        {"id": name, "error": {"context": f"RuntimeError: {problem} {problem.where}", "payload": problem.value}}
        for name, problem in failed.items()
    ]
    return Raised(
        {
            "message": "UnhandledBranchError: One or more branches or iterations encountered"
            " an unhandled runtime error",
            "tags": ["UnhandledBranchError", "RuntimeError"],
            "branches": branches[:100],
            "truncated": len(branches) > 100,
        }
    )
