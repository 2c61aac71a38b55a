"""A stack on this machine: an embedded cloud, and the program deployed into it.

```python
with LocalStack("local") as stack:
    stack.deploy()
    stack.store(stack.outputs["data_url"]).put("breast_cancer/incoming/a.csv", b"...")
```
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localcloud.engine.alarms import AlarmState, states
from localcloud.engine.cloud import EmbeddedCloud, Objects, QueuePart, State, start
from localcloud.engine.dead_letters import DeadLetters, redrive
from localcloud.engine.engine import Changes, Engine
from localcloud.engine.program import evaluate
from localcloud.engine.resource_handler import Resource
from localcloud.engine.stack_file import ROOT, STATE, StackFile
from localcloud.support.workspace import clear, take

PORT = 8400
COUNTED_LINES = 20_000
"""The newest lines of a function that metrics are made of."""
JOBS = "jobs"
"""The function that does the jobs of the API."""


class LocalStack:
    """Starts the embedded cloud that the stack's settings name, and stops it at the end of the `with` block.

    `override` replaces keys of the stack's file. `program` is the folder of the program, or a
    function that declares resources. `state` is the folder for everything that is written.
    The API listens on `port`, or on the next free one.
    """

    def __init__(
        self,
        stack: str = "local",
        *,
        state: Path = STATE,
        override: Mapping[str, Any] | None = None,
        program: Path | Callable[[], object] = ROOT / "infra",
        port: int = PORT,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.file = StackFile.read(stack, override=override)
        self.program = program
        self.outputs: dict[str, Any] = {}
        self._state = state
        self._workspace: Path | None = None
        self._port = port
        self.progress = progress
        self._cloud: EmbeddedCloud | None = None
        self._engine: Engine | None = None

    def __enter__(self) -> Self:
        self._workspace = take(self._state)
        try:
            self._cloud = start(self.file, self._workspace, port=self._port, progress=self._say)
        except BaseException as error:
            # What began to run when the command was interrupted ends with this process: nobody reads its log.
            if not isinstance(error, Exception):
                clear(self._workspace)
            raise
        self._engine = Engine(self._cloud, progress=self._say)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._cloud is not None:
            self._cloud.stop()
        if self._workspace is not None and not isinstance(error, Exception):
            clear(self._workspace)

    def deploy(self) -> Changes:
        """Evaluate the program, create, update or delete what differs from the last time, and return the changes.

        Raises what the program raises, `ResourceFailed` for a resource that cannot be created,
        and `CloudFailed` when the embedded cloud has ended. What was created until then stays,
        and the next call continues from there.
        """
        engine = self.engine
        self.cloud.check()
        engine.begin()
        try:
            self.outputs = dict(self.cloud.outputs(evaluate(self.file, engine, self.program)))
            return engine.finish()
        except Exception:
            self.cloud.check()
            raise

    def _say(self, text: str) -> None:
        self.progress(text)

    @property
    def cloud(self) -> EmbeddedCloud:
        if self._cloud is None:
            raise RuntimeError("the stack is not up: use it in a with statement")
        return self._cloud

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            raise RuntimeError("the stack is not up: use it in a with statement")
        return self._engine

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Everything deployed, in order of creation."""
        return self.engine.resources

    def of(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of one type, by its token: `aws:lambda/function:Function`."""
        return tuple(resource for resource in self.resources if resource.declared.type == kind)

    def counts(self) -> dict[str, int]:
        """Return the number of resources of each type."""
        kinds = sorted(resource.declared.type for resource in self.resources)
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    @property
    def not_emulated(self) -> dict[str, str]:
        """The resource types and inputs that have no effect here, each with the reason."""
        return self.engine.not_emulated

    @property
    def log(self) -> Path:
        """The cloud's log, kept when the stack ends with an error."""
        return self.cloud.log

    def function(self, name: str) -> Resource:
        """Return a function by its logical name, or by the beginning of it: `predict`. Raises `KeyError`."""
        functions = self.of(self.cloud.function)
        exact = [one for one in functions if one.declared.name in (name, f"{name}-function")]
        for resource in (*exact, *functions):
            if resource in exact or resource.declared.name.startswith(f"{name}-"):
                return resource
        known = ", ".join(sorted(resource.declared.name for resource in functions))
        raise KeyError(f"no function is called {name}; there are: {known or 'none'}")

    def logs(self, function: str, limit: int = 200) -> list[str]:
        """Return the newest `limit` lines that a function logged, oldest first."""
        return self.cloud.lines(self.function(function), limit)

    def alarms(self, now: float | None = None) -> list[AlarmState]:
        """Return the state of each alarm that is deployed, at a time in seconds since 1970, or now."""
        monitoring, samples = self.cloud.monitoring(self.resources), list(self.cloud.counted(self.resources))
        for function in self.of(self.cloud.function):
            name = function.outputs["name"]
            if name in monitoring.functions:
                samples += monitoring.measured(name, self.cloud.lines(function, COUNTED_LINES))
        return states(monitoring.rules, samples, time.time() if now is None else now)

    def workers(self, function: str) -> list[int]:
        """Return the ids of the processes that a function runs in at this moment."""
        return self.cloud.workers(self.function(function))

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Any:
        """Call a function as its schedule does, with another payload, and return its answer.

        Raises `KeyError` for an unknown one, and `CloudFailed` where it fails.
        """
        return self.cloud.invoke(self.function(function), payload)

    def execute(self, argument: Mapping[str, Any]) -> str:
        """Start the training workflow with an argument, and return the name of the execution."""
        return self.cloud.execute(self.outputs["workflow"], argument)

    def executions(self, *, running: bool = False) -> Mapping[str, State]:
        """Return the state of each execution of the training workflow, by its name; `running`: of those that run."""
        return self.cloud.executions(self.outputs["workflow"], running=running)

    def send(self, function: str, message: Mapping[str, Any]) -> None:
        """Send a message to the queue of a function. Raises `LookupError` for a function that has none."""
        self.cloud.send(self._of_queue(function, self.cloud.queue), json.dumps(message).encode())

    def dead_letters(self, function: str = JOBS) -> int:
        """Return the number of dead letters of a function's queue. Raises `LookupError` as `send` does."""
        return self.letters(function).count()

    def letters(self, function: str) -> DeadLetters:
        """Return the dead letters of a function's queue. Raises `LookupError` as `send` does."""
        return self.cloud.dead_letters(self._of_queue(function, self.cloud.failed).id)

    def redrive(self, function: str = JOBS) -> int:
        """Send the dead letters of a function's queue back to it, and return their number.

        Raises `LookupError` as `send` does.
        """
        return redrive(self.letters(function))

    def _of_queue(self, function: str, part: QueuePart) -> Resource:
        """Return what the queue of a function consists of, by the function's name in the table."""
        parts = {one.declared.name: one for one in self.of(part.type) if one.declared.name.endswith(part.suffix)}
        if found := parts.get(f"{function}{part.suffix}"):
            return found
        consumers = {one.declared.name.removesuffix("-function") for one in self.of(self.cloud.function)}
        names = sorted(consumers & {name.removesuffix(part.suffix) for name in parts})
        raise LookupError(f"no queue is that of a function called {function}; there are: {', '.join(names) or 'none'}")

    def store(self, url: str) -> Objects:
        """Return the store at a URL of the outputs, for `put(key, content)`, `get(key)` and `keys(prefix)`."""
        return self.cloud.store(url)
