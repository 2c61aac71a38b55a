"""The plan of a run: its experiments, and the rounds in which they are narrowed down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST = 1
"""The number of the first round."""
WHOLE = (1.0,)
"""The shares of a search that does not narrow: one round, on all rows."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What `plan.json` of a run says."""

    experiments: Mapping[str, dict[str, Any]]
    """The parameters of each, by its id."""
    shares: Sequence[float]
    """Of the rows outside the holdout, by round. The last is 1."""

    @classmethod
    def of(cls, points: Sequence[dict[str, Any]], shares: Sequence[float] = WHOLE) -> Plan:
        """Return the plan for these parameters."""
        return cls(experiments={f"e{at}": params for at, params in enumerate(points)}, shares=tuple(shares))

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Plan:
        """Return the plan that a document describes; one of an earlier release has one round."""
        experiments = {entry["id"]: entry["params"] for entry in document.get("experiments", ())}
        return cls(experiments=experiments, shares=tuple(document.get("rounds", WHOLE)))

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        experiments = [{"id": name, "params": params} for name, params in self.experiments.items()]
        return {"experiments": experiments, **({"rounds": list(self.shares)} if len(self.shares) > 1 else {})}

    def number(self, in_round: int | None) -> int:
        """Return the number of a round: the last where none is named, as in workflows of an earlier release."""
        return len(self.shares) if in_round is None else in_round

    def is_last(self, number: int) -> bool:
        """Return whether no round follows."""
        return number >= len(self.shares)
