"""What a model goes by, as a report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.selection.html import Markup, escape, join, number, section, share_bar, table
from functions.core.selection.plot import Axis, Plot, figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from functions.core.selection.importance import Reliance
    from models.contract import Contract

_SHOWN = 20
"""Features of the table."""
_CATEGORIES = 12


def figures(contract: Contract, found: Reliance | None) -> Markup:
    """Return what shuffling each feature costs, and how the answers go with the most important ones."""
    if found is None:
        told = f"{contract.gate.measure} is not defined for a sample of the rows, or the model refuses shuffled ones."
        return section("What it goes by", Markup(f"<p>Not measured: {escape(told)}</p>\n"))
    greatest = max([one.mean for one in found.importances], default=0.0)
    rows = [
        (
            escape(contract.terms[one.feature].name),
            number(one.mean),
            number(one.std, 2),
            share_bar(max(one.mean, 0.0) / greatest if greatest > 0 else 0.0),
        )
        for one in found.importances[:_SHOWN]
    ]
    many = len(found.importances)
    shown = f"The {_SHOWN} most important of {many} features" if many > _SHOWN else f"{many} features"
    late = f"; for {found.unmeasured} others there was no time" if found.unmeasured else ""
    caption = (
        f"{shown}{late}: how much worse {contract.gate.measure} is with the values of one shuffled, on {found.rows}"
        f" rows kept out, {found.repeats} times. Features that tell the same share their importance."
    )
    drawn = [_dependence(contract, position, points) for position, points in found.dependences if points]
    parts = [table(caption, ("feature", "#worse by", "#deviation", ""), rows)]
    if drawn:
        said = f"What is answered on average where every row has the same value of a feature: {_level(contract)}."
        parts.append(Markup(f'<p class="lead after">{escape(said)}</p>\n<div class="side">\n{join(drawn)}</div>\n'))
    return section("What it goes by", join(parts))


def _level(contract: Contract) -> str:
    """Return what of an answer goes up and down."""
    target = contract.target
    if target.classes:
        return f"the probability of {target.classes[-1]}"
    return f"{target.name}, in {target.unit}" if target.unit else target.name


def _dependence(contract: Contract, position: int, points: Sequence[tuple[float, float]]) -> Markup:
    feature = contract.terms[position]
    if feature.categories:
        rows = [(escape(feature.names[int(value)]), number(level)) for value, level in points[:_CATEGORIES]]
        return Markup(f"<div>{table(feature.name, ('', '#on average'), rows)}</div>\n")
    levels = [level for _, level in points]
    values = [value for value, _ in points]
    x, y = Axis.over(feature.name, *values), Axis.over("on average", *levels)
    plot = Plot(x=x, y=y, what=f"Partial dependence on {feature.name}")
    return figure(plot.draw(plot.line(points), plot.dots(points)), f"{feature.name}")
