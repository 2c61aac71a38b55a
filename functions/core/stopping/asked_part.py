"""A part of a stack that a cloud's interface is asked about, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from functions.core.stopping.part import NoSuchPart


class Refused(OSError):
    """A cloud refuses a request: of a method and path, with a status and what it said."""

    def __init__(self, what: str, status: int, said: str) -> None:
        super().__init__(f"{what}: HTTP {status}: {said}")
        self.status = status


class Ask(Protocol):
    """Asks an interface, by the name or the host of its service, and returns the answer. Raise `Refused`."""

    def __call__(
        self, service: str, method: str, path: str, body: Mapping[str, Any] | None = None, /, **query: str
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, kw_only=True)
class AskedPart:
    """A part, by what its cloud calls it."""

    kind = ""
    called: str
    ask: Ask

    @property
    def name(self) -> str:
        """What a person is told: of a path its last part."""
        return f"{self.kind} {self.called.rpartition('/')[2]}"

    def _ask(self, *asked: Any, **query: str) -> dict[str, Any]:
        try:
            return self.ask(*asked, **query)
        except Refused as refusal:
            if refusal.status == HTTPStatus.NOT_FOUND:
                raise NoSuchPart(self.name) from None
            raise
