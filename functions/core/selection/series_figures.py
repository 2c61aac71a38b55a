"""How the forecasts of series go with the truth over time, and what naive ones come to, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.selection.html import Markup, escape, number, table
from functions.core.selection.plot import Axis, Plot, figure
from models.moment import DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.dataset.dataset import Dataset
    from functions.core.training.number_answers import NumberAnswers
    from models.contract import Contract

_DRAWN = 4
"""Series that are drawn: the first of the file that have rows in the holdout."""


def figures(
    contract: Contract,
    holdout: Dataset,
    answers: NumberAnswers,
    metrics: Mapping[str, Any],
    record: Mapping[str, Any],
) -> list[Markup]:
    """Return the naive forecasts' errors, and the truth and the answers over time; `record` is the run's."""
    return [_naive(contract, metrics), *_drawn(contract, holdout, answers, record)]


def _naive(contract: Contract, metrics: Mapping[str, Any]) -> Markup:
    of_all = {"this model": metrics["holdout"], **{f"repeating {name}": one for name, one in metrics["naive"].items()}}
    rows = [(escape(name), number(one.get("mae")), number(one.get("rmse"))) for name, one in of_all.items()]
    unit = f", in {contract.target.unit}" if contract.target.unit else ""
    return table(f"Beside naive forecasts{unit}", ("forecast", "#mae", "#rmse"), rows)


def _drawn(contract: Contract, holdout: Dataset, answers: NumberAnswers, record: Mapping[str, Any]) -> Iterator[Markup]:
    assert holdout.series is not None  # noqa: S101 - only rows of series are drawn
    assert holdout.time is not None  # noqa: S101 - as above
    target, told, begin = contract.target, record["series"], record["split"]["holdout"]["from"]
    times = (holdout.time - holdout.time.min()) / (DAY if told["dated"] else 1)
    across = f"days from {begin} on" if told["dated"] else f"{record['split']['column']} from {begin} on"
    unit = f", in {target.unit}" if target.unit else ""
    for code in np.unique(holdout.series)[:_DRAWN].tolist():
        rows = np.flatnonzero(holdout.series == code)
        rows = rows[np.argsort(times[rows], kind="stable")]
        truth, said, at = holdout.y[rows], answers.values[rows], times[rows]
        low, high = float(min(truth.min(), said.min())), float(max(truth.max(), said.max()))
        names = told["names"]
        name = f"{names[code]}: " if code < len(names) else ""
        plot = Plot(
            x=Axis.over(across, float(at.min()), float(at.max())),
            y=Axis.over(f"{target.name}{unit}", low, high),
            what=f"{name}{target.name} over time",
        )
        lines = [
            plot.line(list(zip(at.tolist(), truth.tolist(), strict=True)), soft=True),
            plot.line(list(zip(at.tolist(), said.tolist(), strict=True))),
        ]
        yield figure(plot.draw(*lines), f"{name}the truth, dashed, and what was forecast")
