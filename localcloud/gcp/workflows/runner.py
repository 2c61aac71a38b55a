"""Runs the steps of a routine."""

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

MAX_PARALLEL = 20
"""https://cloud.google.com/workflows/quotas"""


class Runtime(Protocol):
    """What the steps use of the execution that they belong to."""

    def count(self) -> None:
        """Count one more step."""
        ...

    def call(self, function: str, arguments: Mapping[str, Any], depth: int) -> Any:
        """Call a function or a subworkflow, and return its result."""
        ...

    def holds(self, predicate: str | Predicate, value: Any, depth: int) -> bool:
        """Return whether a retry policy's predicate is true for an error."""
        ...

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds."""
        ...


@dataclass(frozen=True)
class Jump:
    """The steps go on at another one."""

    target: str


@dataclass(frozen=True)
class Returned:
    """The routine ends with a value."""

    value: Any


Outcome = Jump | Returned | None


class Runner:
    """Runs the steps of one routine, which was called at some depth."""

    def __init__(self, runtime: Runtime, routine: str, depth: int) -> None:
        self._runtime = runtime
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
        """Run the steps of a block. Return None at its end, or the jump or return that leaves it."""
        positions = {step.name: at for at, step in enumerate(block.steps)}
        at = 0
        while at < len(block.steps):
            outcome = self._step(block.steps[at], scope)
            if outcome is None:
                at += 1
            elif isinstance(outcome, Jump) and outcome.target in positions:
                at = positions[outcome.target]
            else:
                return outcome
        return None

    def _step(self, step: Step, scope: Scope) -> Outcome:
        try:
            self._runtime.count()
            outcome = self._actions[type(step.action)](step.action, scope) if step.action else None
        except Raised as problem:
            problem.where = problem.where or f'in step "{step.name}", routine "{self._name}"'
            raise
        return outcome or (Jump(step.next) if step.next else None)

    def _assign(self, action: Assign, scope: Scope) -> None:
        """Assign every target atomically: no other branch reads or changes a shared variable in between."""
        with scope.memory.lock:
            for name, keys, value in action.targets:
                result = value(scope)
                if keys:
                    result = _with_member(scope.get(name), [key(scope) for key in keys], result)
                scope.set(name, result)

    def _call(self, action: Call, scope: Scope) -> None:
        arguments = {name: value(scope) for name, value in action.arguments.items()}
        result = self._runtime.call(action.function, arguments, self._depth)
        if action.result is not None:
            scope.set(action.result, result)

    def _switch(self, action: Switch, scope: Scope) -> Outcome:
        for condition, block in action.cases:
            result = condition(scope)
            if not isinstance(result, bool):
                raise error("TypeError", f"a condition is a boolean; got: {result!r}")
            if result:
                return self.block(block, scope)
        return None

    def _loop(self, action: Loop, scope: Scope) -> Outcome:
        for index, item in enumerate(_items(action, scope)):
            outcome = self._iteration(action, scope.inside(), index, item)
            if isinstance(outcome, Jump) and outcome.target == "break":
                return None
            if outcome is not None and outcome != Jump("continue"):
                return outcome
        return None

    def _iteration(self, action: Loop, scope: Scope, index: int, item: Any) -> Outcome:
        try:
            scope.declare(action.value, item)
            if action.index is not None:
                scope.declare(action.index, index)
            return self.block(action.body, scope)
        finally:
            scope.close()

    def _parallel(self, action: Parallel, scope: Scope) -> None:
        limit = action.limit(scope) if action.limit else MAX_PARALLEL
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise error("TypeError", f"concurrency_limit is a number from 1; got: {limit!r}")
        branches: dict[str, Callable[[], Any]] = {}
        if isinstance(action.work, Loop):
            loop = action.work
            for at, item in enumerate(_items(loop, scope)):
                inner = scope.inside(shared=action.shared)
                branches[str(at)] = lambda inner=inner, at=at, item=item: self._iteration(loop, inner, at, item)
        else:
            for name, block in action.work.items():
                inner = scope.inside(shared=action.shared)
                branches[name] = lambda inner=inner, block=block: self._branch(block, inner)
        if failed := run_all(branches, min(limit, MAX_PARALLEL)):
            raise _unhandled(failed)

    def _branch(self, block: Block, scope: Scope) -> None:
        try:
            self.block(block, scope)
        finally:
            scope.close()

    def _try(self, action: Try, scope: Scope) -> Outcome:
        try:
            return self._retried(action.body, action.retry, scope)
        except Raised as problem:
            if action.handler is None or action.error is None:
                raise
            inner = scope.inside()
            try:
                inner.declare(action.error, problem.value)
                return self.block(action.handler, inner)
            finally:
                inner.close()

    def _retried(self, body: Block, retry: Retry | None, scope: Scope) -> Outcome:
        if retry is None:
            return self.block(body, scope)
        max_retries, delay = retry.max_retries(scope), retry.initial_delay(scope)
        max_delay, multiplier = retry.max_delay(scope), retry.multiplier(scope)
        if not all(map(is_number, (max_retries, delay, max_delay, multiplier))):
            raise error("TypeError", "max_retries, initial_delay, max_delay and multiplier are numbers")
        retried = 0
        while True:
            try:
                return self.block(body, scope)
            except Raised as problem:
                if retried >= max_retries or not self._runtime.holds(retry.predicate, problem.value, self._depth):
                    raise
            self._runtime.wait(min(delay, max_delay))
            delay *= multiplier
            retried += 1

    def _raise(self, action: Raise, scope: Scope) -> Outcome:
        value = action.value(scope)
        if not isinstance(value, (str, dict)):
            raise Undocumented(f"raise of {value!r}, which is neither a text nor a map")
        raise Raised(value)


def _items(loop: Loop, scope: Scope) -> Any:
    items = loop.items(scope)
    if not isinstance(items, list):
        raise error("TypeError", f"a for goes through a list; got: {type(items).__name__}")
    if not loop.is_range:
        return items
    if len(items) != 2 or not all(isinstance(end, int) and not isinstance(end, bool) for end in items):
        raise Undocumented(f"range {items!r}; a range here has two whole numbers")
    return range(items[0], items[1] + 1)


def _with_member(root: Any, keys: list[Any], value: Any) -> Any:
    """Return a copy of a map or a list with one member, below some keys, replaced by a value."""
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
