"""What is to be doubted of a candidate, in words: on other rows a check might have another outcome, or nothing of it
is better than what nobody has to learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.dataset.effective_rows import rows_in_words
from functions.core.selection.gate import MARGIN
from models.readable import readable
from models.task import lower_is_better

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    import numpy as np

    from functions.core.selection.check import Check
    from models.contract import Contract


def doubts(
    contract: Contract,
    checks: Sequence[Check],
    rows: int,
    metrics: Mapping[str, Any] | None = None,
    weight: np.ndarray | None = None,
) -> list[str]:
    """Return a sentence for each bound of the gate about which a holdout of so many rows says little.

    `metrics` are those of the holdout, as the run's record has them: a model no better than a naive forecast is told.
    Rows that weigh, `weight` [rows], say as much as the number that they count as.
    """
    told = f"{rows} rows" if weight is None else rows_in_words(weight)
    return [*_bounds(contract, checks, told), *_margin(contract, checks, told), *_naive(metrics or {})]


def _naive(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield which naive forecasts are as good as the model, of those that its record has."""
    ours = metrics.get("holdout", {}).get("mae")
    for name, errors in metrics.get("naive", {}).items():
        if ours is not None and "mae" in errors and ours >= errors["mae"]:
            yield (
                f"the model is no better than a naive forecast, repeating {name}: its mae is {readable(ours)}, and that"
                f" of the naive one {readable(errors['mae'])}"
            )


def _bounds(contract: Contract, checks: Sequence[Check], rows: str) -> Iterator[str]:
    named = {contract.gate.measure, *(one.measure for one in contract.gate.also)}
    for check in checks:
        if check.name not in named or check.interval is None or check.bound is None or not check.passed:
            continue
        lower, upper = check.interval
        if upper > check.bound if lower_is_better(check.name) else lower < check.bound:
            yield (
                f"{check.name}: {rows} are too few to tell whether it keeps to {readable(check.bound)}: on others like"
                f" them it would be {readable(lower)} to {readable(upper)}"
            )


def _margin(contract: Contract, checks: Sequence[Check], rows: str) -> Iterator[str]:
    asked = abs(contract.gate.margin)
    interval = {check.name: check.interval for check in checks}
    of_margin, of_metric = interval.get(MARGIN), interval.get(contract.gate.measure)
    name, ends = (MARGIN, of_margin) if of_margin is not None else (contract.gate.measure, of_metric)
    if asked and ends is not None and (width := ends[1] - ends[0]) > asked:
        yield (
            f"{name}: its interval on {rows}, {readable(ends[0])} to {readable(ends[1])}, is {readable(width, 2)} wide,"
            f" and the gate asks for a margin of {contract.gate.margin:g}: they are too few to tell two such models"
            " apart"
        )
