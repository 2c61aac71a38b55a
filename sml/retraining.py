"""Trainings on the dataset of the live version and the rows labelled since: those that were asked for, and the next."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.training_request import BadTrainingRequest
from functions.core.storage.objects import Conflict
from functions.core.watching.retraining import Retraining
from sml.mistake import Mistake

if TYPE_CHECKING:
    from functions.core.watching.retraining_decision import Asked
    from sml.stack import Stack

NOTHING_LABELLED = (
    "no rows of {model} were labelled that its live version has not learnt from: `{feedback}` tells what was true"
    " of rows that were captured, and each is joined with its truth once the horizon is over (docs/watching.md)"
)


@dataclass(frozen=True, kw_only=True)
class Past:
    """What was asked for of a model."""

    asked: list[Asked]
    decided: str
    """What the stack decided last, a sentence with its time; empty where it never did."""
    rows: int
    """Rows that were labelled since the last."""

    def document(self) -> dict[str, Any]:
        return {"asked": [vars(one) for one in self.asked], "decided": self.decided, "labelled_rows": self.rows}


def of(stack: Stack, model: str) -> Retraining:
    """Return the trainings of a model. Raise `Mistake` for one that the stack does not have."""
    return Retraining(stack.model(model), models=stack.registry, captures=stack.captures, data=stack.data)


def past_of(stack: Stack, model: str) -> Past:
    """Return which trainings were asked for, what came of each, and what the stack decided last."""
    retraining = of(stack, model)
    asked, decided = retraining.past(), retraining.decided()
    told = f"{decided['at'][:16].replace('T', ' ')} UTC: {decided['said']}" if decided else ""
    return Past(asked=asked, decided=told, rows=retraining.labels(asked).rows)


HAD = "a training has had these rows: something else comes of it only if the contract or the code has changed since"


def ask(stack: Stack, model: str) -> tuple[Asked, str]:
    """Ask for a training now, and remember it. Return it, and what is to be known of it, a sentence or nothing.

    Raise `Mistake` where there is no dataset, or nothing was labelled.
    """
    retraining, now = of(stack, model), time.time()
    past = retraining.past()
    base, labels = retraining.base(), retraining.labels(past)
    if base.missing:
        raise Mistake(base.missing)
    if not retraining.unlearnt(base, labels):
        feedback = stack.typed("feedback", model, "FILE")
        raise Mistake(NOTHING_LABELLED.format(model=model, feedback=feedback))
    if not labels.rows and past and past[-1].is_under_way(now):
        runs = stack.typed("runs", model)
        raise Mistake(f"the training that was asked for on these rows is under way: `{runs}` shows it")
    if labels.lacks:
        raise Mistake(
            f"labelled rows lack {', '.join(labels.lacks)}, which no request has or no capture keeps:"
            " upload a dataset that has such rows"
        )
    try:
        return retraining.ask("a person asked for it", past, now), "" if labels.rows else HAD
    except BadTrainingRequest as problem:
        raise Mistake(str(problem)) from None
    except Conflict:
        past = stack.typed("retrain", model, "--past")
        raise Mistake(f"somebody else asked for a training of {model} at the same moment: `{past}` shows it") from None


def row_of(asked: Asked) -> dict[str, Any]:
    """Return a training as a list shows it."""
    at = f"{datetime.fromtimestamp(asked.at, UTC):%Y-%m-%d %H:%M}"
    return {"at": at, "cause": asked.cause, "rows": f"{asked.rows:,}", "status": asked.status or "under way"}
