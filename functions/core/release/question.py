"""What is asked of a challenger: a rate, what of it is allowed and what is unacceptable, and what the outcomes show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from functions.core.release.evidence import evidence_above, evidence_below, shown_at_most

About = Literal["errors", "agreement", "latency", "truth"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One rate that a challenger is judged by: how often it fails, answers otherwise, or is slow."""

    about: About
    total: float
    count: int
    allowed: float
    """At most; 1 where nothing is asked for."""
    unacceptable: float
    """At least."""

    @property
    def is_asked(self) -> bool:
        """Whether a promotion asks for its answer: the contract allows less than everything."""
        return self.allowed < 1

    @property
    def against(self) -> float:
        """The evidence that the rate is above what is allowed."""
        return evidence_above(self.total, self.count, self.allowed)

    @property
    def in_favour(self) -> float:
        """The evidence that the rate is below what is unacceptable."""
        return evidence_below(self.total, self.count, self.allowed, self.unacceptable)

    def shown(self, risk: float) -> float:
        """Return the rate below which the outcomes show this one to be."""
        return shown_at_most(self.total, self.count, self.allowed, risk)

    @property
    def rate(self) -> float:
        return self.total / self.count if self.count else 0.0

    def document(self) -> dict[str, Any]:
        """Return it as the record of a run keeps it."""
        return {
            "outcomes": self.count,
            "rate": rounded(self.rate),
            "allowed": rounded(self.allowed),
            "unacceptable": rounded(self.unacceptable),
            "against": rounded(self.against),
            "in_favour": rounded(self.in_favour),
        }


def rounded(value: float) -> float:
    """Return a number with four digits that count."""
    return float(f"{value:.4g}")
