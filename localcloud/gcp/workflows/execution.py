"""An execution of a workflow."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from localcloud.gcp.workflows.errors import Cancelled, Raised, Undocumented, error
from localcloud.gcp.workflows.scope import MEMORY, size_of

ACTIVE, SUCCEEDED, FAILED, CANCELLED = "ACTIVE", "SUCCEEDED", "FAILED", "CANCELLED"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an execution failed: the error as JSON text, and the step that raised it."""

    payload: str
    context: str


@dataclass(frozen=True, kw_only=True)
class Execution:
    """The state of an execution at one time. Times are seconds since 1970; `ended` is None while it is ACTIVE."""

    id: str
    workflow: str
    revision: str
    argument: Any
    started: float
    state: str = ACTIVE
    result: Any = None
    failure: Failure | None = None
    ended: float | None = None


class Running:
    """An execution under way, in a thread of its own."""

    def __init__(self, execution: Execution, *, now: Callable[[], float], log: Callable[[str], None]) -> None:
        self._execution = execution
        self._now = now
        self._log = log
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def execution(self) -> Execution:
        """The execution as it is now."""
        with self._lock:
            return self._execution

    def begin(self, run: Callable[[], Any]) -> None:
        """Call `run` in a new thread, and keep its result or its error."""
        threading.Thread(target=self._run, args=(run,), name=f"execution {self._execution.id}", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Sleep for some seconds. Raises `Cancelled` as soon as the execution is cancelled."""
        if self._over.wait(seconds):
            raise Cancelled

    def check(self) -> None:
        """Raise `Cancelled` if the execution is cancelled."""
        if self._over.is_set():
            raise Cancelled

    def cancel(self) -> bool:
        """End the execution at once; the response to a call under way is ignored. Return False if it had ended."""
        return self._end(CANCELLED)

    def _run(self, run: Callable[[], Any]) -> None:
        try:
            result = run()
            if size_of(result) > MEMORY:
                raise error("ResourceLimitError", f"the result has more than {MEMORY} bytes")
            self._end(SUCCEEDED, result=result)
        except Cancelled:
            self._end(CANCELLED)
        except Raised as problem:
            payload = json.dumps(problem.value, default=repr, ensure_ascii=False)
            self._end(FAILED, failure=Failure(payload=payload, context=f"RuntimeError: {problem} {problem.where}"))
        except Undocumented as problem:
            message = f"not documented, so not done here: {problem}"
            self._end(FAILED, failure=Failure(payload=json.dumps(message), context=message))
        except Exception as problem:
            message = f"the embedded Workflows failed: {type(problem).__name__}: {problem}"
            self._end(FAILED, failure=Failure(payload=json.dumps(message), context=message))

    def _end(self, state: str, **more: Any) -> bool:
        with self._lock:
            if self._execution.state != ACTIVE:
                return False
            self._execution = replace(self._execution, state=state, ended=self._now(), **more)
            self._over.set()
        failure = self._execution.failure
        self._log(f"{self._execution.id} {state}{f': {failure.context}' if failure else ''}")
        return True
