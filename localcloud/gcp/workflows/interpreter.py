"""Runs the steps of a workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.gcp.workflows.errors import Undocumented, error
from localcloud.gcp.workflows.operators import is_number
from localcloud.gcp.workflows.runner import Returned, Runner
from localcloud.gcp.workflows.scope import Memory, Scope
from localcloud.gcp.workflows.steps import Document, Predicate, Routine

MOST_STEPS = 100_000
DEEPEST_CALL = 20
"""https://cloud.google.com/workflows/quotas"""


@dataclass(frozen=True, kw_only=True)
class World:
    """What an execution can reach: functions for its expressions, HTTP, time, and a log.

    `wait` sleeps for seconds and `check` does nothing; both raise `Cancelled` once the execution is.
    """

    functions: Mapping[str, Callable[..., Any]]
    http: Callable[[str, Mapping[str, Any]], Any]
    wait: Callable[[float], None]
    check: Callable[[], None]
    log: Callable[[str], None]


class Interpreter:
    """One execution of a document. Raises `Raised`, `Undocumented` or `Cancelled` when it does not end well."""

    def __init__(self, document: Document, world: World) -> None:
        self._document = document
        self._world = world
        self._memory = Memory()
        self._steps = 0

    def run(self, argument: Any) -> Any:
        """The value that the main workflow returns; None without a `return`."""
        main = self._document.main
        return self._routine(main, {name: argument for name in main.params}, depth=1)

    def _routine(self, routine: Routine, arguments: Mapping[str, Any], depth: int) -> Any:
        if depth > DEEPEST_CALL:
            raise error("RecursionError", f"calls are nested deeper than {DEEPEST_CALL}")
        given = {**routine.defaults, **arguments}
        if set(given) != set(routine.params):
            wanted, found = ", ".join(routine.params) or "none", ", ".join(arguments) or "none"
            raise error("TypeError", f"{routine.name}: takes the arguments {wanted}; it got {found}")
        scope = Scope(self._world.functions, self._memory)
        for name, value in given.items():
            scope.make(name, value)
        try:
            outcome = Runner(self, routine.name, depth).block(routine.body, scope)
        finally:
            scope.close()
        return outcome.value if isinstance(outcome, Returned) else None

    def count(self) -> None:
        """One more step."""
        self._world.check()
        with self._memory.lock:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise error("ResourceLimitError", f"the execution took more than {MOST_STEPS} steps")

    def call(self, function: str, arguments: Mapping[str, Any], depth: int) -> Any:
        if function in self._document.subworkflows:
            return self._routine(self._document.subworkflows[function], arguments, depth + 1)
        kind, _, verb = function.partition(".")
        if kind == "http":
            return self._world.http(verb, arguments)
        return self._sleep(arguments["seconds"]) if verb == "sleep" else self._log(arguments)

    def holds(self, predicate: str | Predicate, value: Any, depth: int) -> bool:
        """Whether an error is to be tried again."""
        if isinstance(predicate, Predicate):
            return predicate.holds(value)
        routine = self._document.subworkflows[predicate]
        found = self._routine(routine, {name: value for name in routine.params[:1]}, depth + 1)
        if not isinstance(found, bool):
            raise Undocumented(f"the predicate {predicate} returned {found!r}, which is not a boolean")
        return found

    def wait(self, seconds: float) -> None:
        self._world.wait(seconds)

    def _sleep(self, seconds: Any) -> None:
        if not is_number(seconds):
            raise error("TypeError", "sys.sleep: seconds is a number")
        if seconds < 0:
            raise error("ValueError", "sys.sleep: seconds is negative")
        self._world.wait(seconds)

    def _log(self, arguments: Mapping[str, Any]) -> None:
        said = [str(arguments[key]) for key in ("text", "json") if key in arguments]
        self._world.log(f"{arguments.get('severity', 'DEFAULT')}: {' '.join(said)}")
