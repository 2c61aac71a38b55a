"""One row of the table: something of ours, what it is compared with, and its target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.measure import Spread


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured figure. `reached` is None where no target was set."""

    group: str
    name: str
    against: str
    """The peer: ours is divided by it or, where `unit` is not "x", it is subtracted from ours."""
    figure: Spread
    """A ratio, a difference or a size, by `unit`."""
    unit: str = "x"
    target: float | None = None
    """The greatest figure that reaches the target."""
    value: Spread | None = None
    """Our measured values, in `value_unit`."""
    value_unit: str = "ms"
    control: float | None = None
    """The median ratio of two equal variants in the same rounds: its distance from 1 is the noise (A/A)."""
    noise: float | None = None
    """Of a difference in place of `control`: the median difference of two equal variants, in `unit` (A/A)."""

    @property
    def reached(self) -> bool | None:
        return None if self.target is None else self.figure.median <= self.target

    def record(self) -> dict[str, Any]:
        """Return the row as JSON."""
        document: dict[str, Any] = {
            "group": self.group,
            "name": self.name,
            "against": self.against,
            "ratio": _short(self.figure.median),
            "unit": self.unit,
            "low": _short(self.figure.low),
            "high": _short(self.figure.high),
            "target": self.target,
            "reached": self.reached,
            "n": self.figure.n,
            "control": None if self.control is None else _short(self.control),
            "noise": None if self.noise is None else _short(self.noise),
        }
        measured = self.value or self.figure
        unit = self.unit if self.value is None else self.value_unit
        spread = {"median": _short(measured.median), "min": _short(measured.low), "max": _short(measured.high)}
        return document | spread | {"of": unit}


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A peer that could not be measured here, and why."""

    group: str
    name: str
    reason: str

    def record(self) -> dict[str, Any]:
        return {"group": self.group, "name": self.name, "missing": self.reason}


def _short(value: float) -> float:
    return float(f"{value:.4g}")
