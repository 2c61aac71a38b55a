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

SKIPPED = "skipped"
"""The state of an experiment that was not begun, because the run had used what it may."""
WITHOUT = ("failed", SKIPPED)
"""The states of experiments without a result."""


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
            best = _ranked(names, records, metric, each)[: halving.kept(len(names))]
            names = [name for name in names if name in best]
        return names

    def never_skipped(self, records: Mapping[str, Mapping[str, Any]], metric: str, number: int) -> str | None:
        """Return the id of the experiment that runs in a round whatever the run has used.

        It is the first of the plan, and in a later round the best of the round before. Raise `Unfinished` as above.
        """
        if number == FIRST:
            return next(iter(self.experiments), None)
        return next(iter(_ranked(self.going_on(records, metric, number - 1), records, metric, number - 1)), None)

    def finalists(self, records: Mapping[str, Mapping[str, Any]], metric: str) -> list[str]:
        """Return the ids of the experiments that saw all rows. Raise `Unfinished` where one is not recorded."""
        names = self.going_on(records, metric, len(self.shares) - 1)
        for name in names:
            if records.get(name, {}).get("status") not in ("succeeded", *WITHOUT):
                raise Unfinished(f"experiment {name} left no record")
        return names


def _ranked(names: Sequence[str], records: Mapping[str, Mapping[str, Any]], metric: str, number: int) -> list[str]:
    """Return those of the experiments that a round measured, the best first, of equals the earlier."""
    means = {name: _mean(name, records.get(name, {}), metric, number) for name in names}
    measured = {name: mean for name, mean in means.items() if mean is not None}
    sign = 1 if lower_is_better(metric) else -1
    return sorted(measured, key=lambda name: sign * measured[name])


def _mean(name: str, record: Mapping[str, Any], metric: str, number: int) -> float | None:
    """Return what an experiment came to in a round; None where it has nothing to show. Raise `Unfinished`."""
    rounds = record.get("rounds", ())
    if len(rounds) >= number:
        return float(rounds[number - 1]["metrics"][metric]["mean"])
    if record.get("status") not in WITHOUT:
        raise Unfinished(f"experiment {name} left no record of round {number}")
    return None
