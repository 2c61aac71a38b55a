"""A rehearsal: what a version answered to what callers asked others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from models.catalogue import load
from models.section import ContractError
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.release.units import Written
    from functions.core.watching.answered import Captured
    from functions.core.watching.captured_rows import CapturedRows
    from models.bring_your_own import BringYourOwn
    from models.contract import Contract

NOBODY_KNOWS_WHEN = 0.0


class Pair(NamedTuple):
    """What the version and the champion of then answered to one request."""

    champion: str
    agreed: int = 0
    """Rows to which both gave the same answer."""
    error: str = ""
    """Why the version gave none."""
    said: tuple[Sequence[Any], Sequence[Any]] = ((), ())
    """What the version and the champion said of each row, as a truth of it would be told."""
    numbers: tuple[Sequence[Captured], Sequence[Captured]] = ((), ())
    """The numbers of both answers, row by row, where truths are measured."""
    ms: tuple[float, float] = (0.0, 0.0)


@dataclass(kw_only=True)
class Rehearsal:
    """What a version answered to what others were asked."""

    model: str
    version: str
    first: str
    last: str
    job: str = ""
    """The job by which it was asked; "" where it was asked on this machine."""
    answered_then: Counter[str] = field(default_factory=Counter)
    """Requests by the version that answered them then."""
    rows: int = 0
    moved: int = 0
    """Requests that this version of then answers otherwise on this machine."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Requests that were not asked, by why."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """As a canary captures them."""
    numbers: list[tuple[Sequence[Captured], Sequence[Captured]]] = field(default_factory=list)
    """Of each record the numbers of both answers, row by row; empty where truths are not measured."""
    differing: list[dict[str, Any]] = field(default_factory=list)
    """Rows that were answered otherwise, or not at all, with both answers."""

    def note(self, rows: CapturedRows, number: int, pair: Pair) -> None:
        """Note what was answered to one of some requests."""
        at, length = rows.times[number], int(rows.lengths[number])
        record: dict[str, Any] = {
            "time": NOBODY_KNOWS_WHEN if np.isnan(at) else float(at),
            "request": rows.requests[number],
            "caller": rows.callers[number],
            "version": self.version,
            "variant": "shadow",
            "rows": length,
            "ms": pair.ms[0],
            "champion": {"version": pair.champion, "ms": pair.ms[1], "said": list(pair.said[1])},
            **({"key": rows.keys[number]} if rows.keys[number] else {}),
            **({"error": pair.error} if pair.error else {"agreed": pair.agreed, "said": list(pair.said[0])}),
        }
        self.records.append(record)
        self.numbers.append(pair.numbers)
        self.answered_then[pair.champion] += 1
        self.rows += length

    @property
    def written(self) -> list[Written]:
        """The records as a release reads them."""
        return [(int(one["time"]), one) for one in self.records]

    def require_answers(self) -> None:
        """Raise `Mistake` where nothing could be asked."""
        if not self.records:
            why = "; ".join(f"{count:,} {reason}" for reason, count in self.passed_over.most_common())
            raise Mistake(f"of what was captured from {self.first} to {self.last} nothing can be asked: {why}")


def contract_of(model: str) -> Contract | BringYourOwn:
    """Return the contract of a model here, by which releases are judged. Raise `Mistake`."""
    try:
        return load(model)
    except ContractError as problem:
        raise Mistake(f"the contract says what is judged: {problem}") from None
