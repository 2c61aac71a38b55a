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

MAX_STEPS = 100_000
MAX_CALL_DEPTH = 20
"""https://cloud.google.com/workflows/quotas"""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What an execution can use: functions for its expressions, HTTP, time, and a log.

    `wait` sleeps for seconds and `check` returns at once; both raise `Cancelled` once the execution is cancelled.
    """

    functions: Mapping[str, Callable[..., Any]]
    http: Callable[[str, Mapping[str, Any]], Any]
    wait: Callable[[float], None]
    check: Callable[[], None]
    log: Callable[[str], None]


class Interpreter:
    """Runs one execution of a document. Raises `Raised`, `Undocumented` or `Cancelled` when it does not succeed."""

    def __init__(self, document: Document, services: Services) -> None:
        self._document = document
        self._services = services
        self._memory = Memory()
        self._steps = 0

    def run(self, argument: Any) -> Any:
        """Run the main workflow and return its value; None without a `return`."""
        main = self._document.main
        return self._routine(main, {name: argument for name in main.params}, depth=1)

    def _routine(self, routine: Routine, arguments: Mapping[str, Any], depth: int) -> Any:
        if depth > MAX_CALL_DEPTH:
            raise error("RecursionError", f"calls are nested deeper than {MAX_CALL_DEPTH}")
        values = {**routine.defaults, **arguments}
        if set(values) != set(routine.params):
            accepted, passed = ", ".join(routine.params) or "none", ", ".join(arguments) or "none"
            raise error("TypeError", f"{routine.name}: takes the arguments {accepted}; it got {passed}")
        scope = Scope(self._services.functions, self._memory)
        for name, value in values.items():
            scope.declare(name, value)
        try:
            outcome = Runner(self, routine.name, depth).block(routine.body, scope)
        finally:
            scope.close()
        return outcome.value if isinstance(outcome, Returned) else None

    def count(self) -> None:
        """Count one more step. Raises `ResourceLimitError` at the limit, and `Cancelled`."""
        self._services.check()
        with self._memory.lock:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise error("ResourceLimitError", f"the execution took more than {MAX_STEPS} steps")

    def call(self, function: str, arguments: Mapping[str, Any], depth: int) -> Any:
        """Call a subworkflow, an `http.*` function, `sys.sleep` or `sys.log`, and return its result."""
        if function in self._document.subworkflows:
            return self._routine(self._document.subworkflows[function], arguments, depth + 1)
        kind, _, verb = function.partition(".")
        if kind == "http":
            return self._services.http(verb, arguments)
        return self._sleep(arguments["seconds"]) if verb == "sleep" else self._log(arguments)

    def holds(self, predicate: str | Predicate, value: Any, depth: int) -> bool:
        """Return whether a retry policy's predicate is true for an error."""
        if isinstance(predicate, Predicate):
            return predicate.holds(value)
        routine = self._document.subworkflows[predicate]
        result = self._routine(routine, {name: value for name in routine.params[:1]}, depth + 1)
        if not isinstance(result, bool):
            raise Undocumented(f"the predicate {predicate} returned {result!r}, which is not a boolean")
        return result

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds. Raises `Cancelled` as soon as the execution is cancelled."""
        self._services.wait(seconds)

    def _sleep(self, seconds: Any) -> None:
        if not is_number(seconds):
            raise error("TypeError", "sys.sleep: seconds is a number")
        if seconds < 0:
            raise error("ValueError", "sys.sleep: seconds is negative")
        self._services.wait(seconds)

    def _log(self, arguments: Mapping[str, Any]) -> None:
        texts = [str(arguments[key]) for key in ("text", "json") if key in arguments]
        self._services.log(f"{arguments.get('severity', 'DEFAULT')}: {' '.join(texts)}")
