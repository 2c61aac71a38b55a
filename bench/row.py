"""One line of the table: something of ours, what it is held against, and what it should reach."""

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
    """What it is divided by; what is subtracted from it, where the unit of `figure` is not "x"."""
    figure: Spread
    """A ratio, a difference or a size, by `unit`."""
    unit: str = "x"
    target: float | None = None
    """The greatest figure that will do."""
    value: Spread | None = None
    """The measured values of ours, in `value_unit`."""
    value_unit: str = "ms"
    control: float | None = None
    """The median ratio of two equal variants in the same rounds: how far from 1 says how much to believe."""

    @property
    def reached(self) -> bool | None:
        return None if self.target is None else self.figure.median <= self.target

    def record(self) -> dict[str, Any]:
        """The row as JSON."""
        found: dict[str, Any] = {
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
        }
        measured = self.value or self.figure
        unit = self.unit if self.value is None else self.value_unit
        spread = {"median": _short(measured.median), "min": _short(measured.low), "max": _short(measured.high)}
        return found | spread | {"of": unit}


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
