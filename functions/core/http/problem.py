"""What a caller is told when a request cannot be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_FAULTS = 20
"""So many faults are told one by one; of the others only that there are more."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong: where (`instances[2].mean_radius`), and what is accepted. Never what was sent."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field} {self.message}"


class Problem(Exception):
    """A request refused, with the HTTP status and a text for the caller."""

    def __init__(
        self, status: int, detail: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    @property
    def text(self) -> str:
        """Everything in one sentence."""
        return "; ".join([self.detail, *(str(fault) for fault in self.faults[:MOST_FAULTS])])

    def document(self) -> dict[str, Any]:
        """RFC 9457 problem details."""
        faults = [{"field": fault.field, "message": fault.message} for fault in self.faults[:MOST_FAULTS]]
        from http import HTTPStatus  # noqa: PLC0415 - a first answer need not wait for it

        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail, "errors": faults}


def misfit(field: str, message: str) -> Problem:
    """A request of the Open Inference Protocol whose member `field` is wrong."""
    return Problem(400, "the request does not fit the protocol", faults=[Fault(field=field, message=message)])


def shown(name: str) -> str:
    """A name that a caller sent, short and harmless enough to be repeated in a message."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name[:48])
    return f"{printable}..." if len(name) > 48 else printable
