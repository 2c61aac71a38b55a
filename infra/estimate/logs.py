"""How much each part of a stack writes into its logs, the same on every cloud."""

from __future__ import annotations

from infra.estimate import assumed
from infra.estimate.calls import calls
from infra.estimate.situation import Situation
from infra.estimate.use import Per


def written(name: str, situation: Situation, steps: float) -> list[tuple[Per, float]]:
    """Return the GB that the API, the workflow with so many steps a run, or a function writes, by its name."""
    match name:
        case "api":
            lines = [(Per.PREDICTION, 1 / situation.traffic.rows_a_request)]
        case "training":
            lines = [(Per.RUN, steps)]
        case _:
            lines = [(each.per, each.number) for each in calls(name, situation) or ()]
    return [(per, number * assumed.LOG_BYTES / assumed.GB) for per, number in lines]
