"""What every command works with: the stack that the options name, and what is printed to."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, get_type_hints

from sml.options import AsJson, OutputsFile, StackName, StateFolder
from sml.output import Output
from sml.stack import Stack, find_stack
from sml.typed import Typed

SHARED = {"stack": StackName, "outputs": OutputsFile, "state": StateFolder, "as_json": AsJson}
"""The options that each command has."""


class Session:
    """One call of a command."""

    def __init__(self, *, stack: str | None, outputs: Path | None, state: Path | None, as_json: bool) -> None:
        self._named = (stack, outputs, state)
        self.typed = Typed(stack=stack, outputs=outputs, state=state)
        """Writes a command for the same stack."""
        self.out = Output(as_json=as_json)

    @cached_property
    def stack(self) -> Stack:
        """The stack that the options name. Raises as `find_stack` does."""
        return self.find()

    def other(self, name: str | None, outputs: Path | None, state: Path | None = None) -> Stack:
        """Find another stack than the one that the options name; raises as `find_stack` does."""
        return find_stack(name, outputs, state or self._named[2])

    def find(self) -> Stack:
        """Find it anew: one that runs here may have been started again. Raises as `find_stack` does."""
        return find_stack(*self._named)


def on_stack(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command for typer, which has the shared options beside its own, and gets a session first."""
    hints = get_type_hints(command, include_extras=True)
    own = [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(command).parameters.values())[1:]
    ]
    shared = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name == "as_json" else None, annotation=annotation
        )
        for name, annotation in SHARED.items()
    ]

    def run(**arguments: Any) -> None:
        options = {name: arguments.pop(name) for name in SHARED}
        session = Session(**options)
        try:
            command(session, **arguments)
        except Exception as problem:
            # For what is not a mistake of the user the application says what to type: of which stack, it cannot know.
            problem.add_note(session.typed("registry", "verify"))
            raise

    run.__name__, run.__doc__, run.__module__ = getattr(command, "__name__", ""), command.__doc__, command.__module__
    # The console calls it with a session of its own.
    run.__wrapped__ = command  # ty: ignore[missing-attribute]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *shared)}
    run.__signature__ = inspect.Signature([*own, *shared])  # ty: ignore[missing-attribute]
    return run
