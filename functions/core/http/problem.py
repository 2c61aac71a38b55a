"""The errors that callers see: problem details with a status and the faults of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FAULTS = 20
"""Faults that an error lists; further ones are left out."""
UNNAMED = "about:blank"
"""The type of a problem of which the status says all: https://www.rfc-editor.org/rfc/rfc9457#section-4.2.1"""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault of a request: the field (`instances[2].mean_radius`) and what is accepted, never the value sent."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field} {self.message}"


class Problem(Exception):
    """A request is refused, with an HTTP status and a text for the caller.

    `kind` names the problem for programs, where one has something to do about it.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        kind: str = UNNAMED,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    @property
    def text(self) -> str:
        """The detail and the faults in one line."""
        return "; ".join([self.detail, *(str(fault) for fault in self.faults[:MOST_FAULTS])])

    def in_protocol(self) -> dict[str, str]:
        """Return the error in the words of the Open Inference Protocol, with the name of one that has a name."""
        return {"error": self.text, **({} if self.kind == UNNAMED else {"type": self.kind})}

    def document(self) -> dict[str, Any]:
        """Return the error as RFC 9457 problem details."""
        faults = [{"field": fault.field, "message": fault.message} for fault in self.faults[:MOST_FAULTS]]
        from http import HTTPStatus  # noqa: PLC0415 - a first answer need not wait for it

        title = HTTPStatus(self.status).phrase
        return {"type": self.kind, "title": title, "status": self.status, "detail": self.detail, "errors": faults}


def misfit(field: str, message: str) -> Problem:
    """Return the `Problem` 400 for an Open Inference Protocol request whose member `field` is wrong."""
    return Problem(400, "the request does not fit the protocol", faults=[Fault(field=field, message=message)])


def shown(name: str) -> str:
    """Return a name that a caller sent, cut to 48 printable characters, so that a message can repeat it."""
    printable = "".join(character if character.isprintable() else "?" for character in name[:48])
    return f"{printable}..." if len(name) > 48 else printable
