"""The whole stack on this machine: an embedded cloud, and the program deployed into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localcloud.engine.cloud import EmbeddedCloud, Objects, State, start
from localcloud.engine.dead_letters import redrive
from localcloud.engine.engine import Changes, Engine
from localcloud.engine.program import evaluate
from localcloud.engine.resource_handler import Made
from localcloud.engine.stack_file import ROOT, STATE, StackFile
from localcloud.support.workspace import clear, take

PORT = 8400


class LocalStack:
    """`with LocalStack() as stack: stack.deploy()`.

    Entering starts the embedded cloud of the stack's settings; leaving ends it, with
    everything in it, whatever happened in between. `override` is laid over the stack's
    file; `program` is the folder of the program, or a function that declares resources.
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
        self._cloud = start(self.file, self._workspace, port=self._port, progress=self._say)
        self._engine = Engine(self._cloud, progress=self._say)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._cloud is not None:
            self._cloud.stop()
        if self._workspace is not None and not isinstance(error, Exception):
            clear(self._workspace)

    def deploy(self) -> Changes:
        """Evaluate the program and make, change or delete what differs from the last time.

        Raises what the program raises, `ResourceFailed` for a resource that cannot be made,
        and `CloudFailed` when the embedded cloud has died. What was made until then stays,
        and the next call goes on from there.
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
    def resources(self) -> tuple[Made, ...]:
        """Everything deployed, in order of creation."""
        return self.engine.resources

    def of(self, kind: str) -> tuple[Made, ...]:
        """The resources of one type, by its token: `aws:lambda/function:Function`."""
        return tuple(made for made in self.resources if made.declared.type == kind)

    def counts(self) -> dict[str, int]:
        """Resources by type."""
        kinds = sorted(made.declared.type for made in self.resources)
        return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}

    @property
    def not_emulated(self) -> dict[str, str]:
        """What the program asks for and this machine does not do, each with the reason."""
        return self.engine.not_emulated

    @property
    def log(self) -> Path:
        """The cloud's log, kept when the stack ends with an error."""
        return self.cloud.log

    def function(self, name: str) -> Made:
        """A function by its logical name, or by what its logical name begins with: `predict`."""
        functions = self.of(self.cloud.function)
        for made in functions:
            if made.declared.name == name or made.declared.name.startswith(f"{name}-"):
                return made
        known = ", ".join(sorted(made.declared.name for made in functions))
        raise KeyError(f"no function is called {name}; there are: {known or 'none'}")

    def logs(self, function: str, limit: int = 200) -> list[str]:
        """The newest lines of a function, oldest first."""
        return self.cloud.lines(self.function(function), limit)

    def workers(self, function: str) -> list[int]:
        """The processes that a function runs in at this moment."""
        return self.cloud.workers(self.function(function))

    def execute(self, argument: Mapping[str, Any]) -> str:
        """Start the workflow of the outputs; returns the name of the execution."""
        return self.cloud.execute(self.outputs["workflow"], argument)

    def executions(self) -> Mapping[str, State]:
        """Where each execution of the workflow stands."""
        return self.cloud.executions(self.outputs["workflow"])

    def dead_letters(self) -> int:
        """How many messages about jobs were given up."""
        return self.cloud.dead_letters(self.outputs["jobs_dead_letters"]).count()

    def redrive(self) -> int:
        """Try the jobs again that were given up, and return how many: `dead_letters.redrive`."""
        return redrive(self.cloud.dead_letters(self.outputs["jobs_dead_letters"]))

    def store(self, url: str) -> Objects:
        """The objects behind a URL of the outputs: `put(key, bytes or path)`, `get(key)`, `keys(prefix)`."""
        return self.cloud.store(url)
