"""The plan of a run: its experiments, and the rounds in which they are narrowed down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import halving
from models.light import dataclass
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST = 1
"""The number of the first round."""
WHOLE = (1.0,)
"""The shares of a search that does not narrow: one round, on all rows."""


class Unfinished(RuntimeError):
    """An experiment of the plan is not recorded: the step was called too early."""


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

    def going_on(self, records: Mapping[str, Mapping[str, Any]], metric: str, number: int) -> list[str]:
        """Return the ids of the experiments that go on after round `number`, in the order of the plan; all after 0.

        The better mean of `metric` goes on, of equals the earlier in the plan. Raise `Unfinished` where one of a round
        is not recorded.
        """
        names = list(self.experiments)
        for each in range(FIRST, number + 1):
            means = {name: _mean(name, records.get(name, {}), metric, each) for name in names}
            measured = {name: mean for name, mean in means.items() if mean is not None}
            sign = 1 if lower_is_better(metric) else -1
            best = sorted(measured, key=lambda name: sign * measured[name])[: halving.kept(len(names))]
            names = [name for name in names if name in best]
        return names

    def finalists(self, records: Mapping[str, Mapping[str, Any]], metric: str) -> list[str]:
        """Return the ids of the experiments that saw all rows. Raise `Unfinished` where one is not recorded."""
        names = self.going_on(records, metric, len(self.shares) - 1)
        for name in names:
            if records.get(name, {}).get("status") not in ("succeeded", "failed"):
                raise Unfinished(f"experiment {name} left no record")
        return names


def _mean(name: str, record: Mapping[str, Any], metric: str, number: int) -> float | None:
    """Return what an experiment came to in a round; None where it failed there. Raise `Unfinished`."""
    rounds = record.get("rounds", ())
    if len(rounds) >= number:
        return float(rounds[number - 1]["metrics"][metric]["mean"])
    if record.get("status") != "failed":
        raise Unfinished(f"experiment {name} left no record of round {number}")
    return None
