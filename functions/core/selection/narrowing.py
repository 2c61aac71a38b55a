"""Narrowing: which experiments of a run go on to its next round, by the records of those before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import halving
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.registry.plan import Plan


class Unfinished(RuntimeError):
    """An experiment of the plan is not recorded: the step was called too early."""


def going_on(records: Mapping[str, Mapping[str, Any]], plan: Plan, metric: str, number: int) -> list[str]:
    """Return the ids of the experiments that go on after round `number`, in the order of the plan; all after round 0.

    The better mean of `metric` goes on, of equals the earlier in the plan. Raise `Unfinished` where one of a round is
    not recorded.
    """
    names = list(plan.experiments)
    for each in range(1, number + 1):
        means = {name: _mean(name, records.get(name, {}), metric, each) for name in names}
        measured = {name: mean for name, mean in means.items() if mean is not None}
        sign = 1 if lower_is_better(metric) else -1
        best = sorted(measured, key=lambda name: sign * measured[name])[: halving.kept(len(names))]
        names = [name for name in names if name in best]
    return names


def _mean(name: str, record: Mapping[str, Any], metric: str, number: int) -> float | None:
    """Return what an experiment came to in a round; None where it failed there. Raise `Unfinished`."""
    rounds = record.get("rounds", ())
    if len(rounds) >= number:
        return float(rounds[number - 1]["metrics"][metric]["mean"])
    if record.get("status") != "failed":
        raise Unfinished(f"experiment {name} left no record of round {number}")
    return None
