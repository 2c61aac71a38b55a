"""What the experiments of a run have used, and whether that is what its contract lets them use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.budget import usd_of

if TYPE_CHECKING:
    from functions.core.runtime.usage import Usage
    from models.budget import Budget

STEP = "train"
"""The step whose usage counts."""


def beyond(budget: Budget, used: Usage) -> str | None:
    """Return the cap that experiments have reached, in a sentence; None where there is something left."""
    if budget.maximum_usd is not None and used.usd >= budget.maximum_usd:
        return f"the run had used {_of(usd_of(used.usd), usd_of(budget.maximum_usd))}"
    if budget.maximum_seconds is not None and used.seconds >= budget.maximum_seconds:
        return f"the run had used {used.seconds:,.4g} of {budget.maximum_seconds:,.10g} seconds"
    return None


def _of(used: str, most: str) -> str:
    return f"{used.removesuffix(' USD')} of {most}"
