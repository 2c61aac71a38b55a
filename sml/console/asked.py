"""A command of `sml`, asked from a page: what it would print is what the page shows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import typer

from sml.output import Output
from sml.session import Session

if TYPE_CHECKING:
    from sml.stack import Stack


@dataclass(kw_only=True)
class Table:
    """A table as a command would print it."""

    rows: Sequence[Mapping[str, Any]]
    columns: Mapping[str, str]
    empty: str
    documents: Any


@dataclass(kw_only=True)
class Told:
    """What a command told."""

    lines: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    document: Any = None

    @property
    def table(self) -> Table:
        return self.tables[0]


class _Kept(Output):
    """Keeps what a command would print."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Told()

    def say(self, text: str) -> None:
        self.told.lines.append(text.strip())

    def line(self, text: str) -> None:
        self.told.lines.append(text)

    def result(self, document: object, *lines: str) -> None:
        self.told.document = document
        self.told.lines += lines

    def fields(self, document: Mapping[str, Any], shown: Mapping[str, object] | None = None) -> None:
        self.told.document = document

    def table(
        self, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, empty: str, documents: object = None
    ) -> None:
        self.told.tables.append(Table(rows=rows, columns=columns, empty=empty, documents=documents or rows))


class _Found(Session):
    """A session with a stack that is found already."""

    def __init__(self, stack: Stack, out: Output) -> None:
        super().__init__(stack=None, outputs=None, state=None, as_json=False)
        self.out = out
        self.__dict__["stack"] = stack
        self.typed = stack.typed


def ask(stack: Stack, command: Callable[..., None], **arguments: Any) -> Told:
    """Call a command on a stack, and return what it told. Raise `Mistake` as it does."""
    out = _Kept()
    # How it ended is in what it told.
    with suppress(typer.Exit):
        inspect.unwrap(command)(_Found(stack, out), **arguments)
    return out.told
