"""Captured rows as the rows of a table, which a job answers by a version that others were asked before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import features_of
from functions.core.watching.trained import cell
from models.feature import COMPOUND
from sml.asked_again import NotAskable, require_alike, require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from functions.core.watching.captured_rows import CapturedRows
    from models.feature import Feature


def columns_of_table(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of a table whose rows the version of a card answers. Raise `NotAskable` where it takes none.

    Of a date or a text captures hold the numbers that it became, and no table holds those.
    """
    if "features" not in card:
        named: Mapping[str, Sequence[str]] = card.get("columns", {})
        if wide := [
            one["name"] for one in card["inputs"] if one["name"] not in named and one["shape"][1:] not in ([], [1])
        ]:
            raise NotAskable(f"by a job: the columns of {', '.join(wide)} have no names in model.yaml (columns)")
        return tuple(column for one in card["inputs"] for column in named.get(one["name"], (one["name"],)))
    features = features_of(card)
    if compound := [one.name for one in features if one.kind in COMPOUND]:
        raise NotAskable(f"by a job: captures hold the numbers that {', '.join(compound)} became, and no table does")
    return tuple(one.name for one in features)


class JobRows:
    """Writes rows that one version was asked as cells for another one."""

    def __init__(self, card: Mapping[str, Any], then: Mapping[str, Any]) -> None:
        """`card` is that of the version that is asked now, `then` that of the other.

        Raise `NotAskable` where the contracts differ in what the version takes.
        """
        if ("features" in card) != ("features" in then):
            raise NotAskable("of another kind of model, which takes other inputs")
        self._columns = columns_of_table(card)
        self._features: Mapping[str, Feature] = {}
        if "features" in card:
            require_alike(features_of(card), features_of(then))
            self._features = {one.name: one for one in features_of(then)}

    def cells(self, rows: CapturedRows) -> Iterator[list[str]]:
        """Yield the cells of each row. Raise `NotAskable` where rows lack a column."""
        require_columns(rows, self._columns)
        return self._cells(rows)

    def _cells(self, rows: CapturedRows) -> Iterator[list[str]]:
        columns = [(self._features.get(name), rows.inputs[name].tolist()) for name in self._columns]
        for at in range(rows.rows):
            yield [_plain(values[at]) if feature is None else cell(feature, values[at]) for feature, values in columns]


def _plain(value: Any) -> str:
    """Return a value of a finished model's input as a table has it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
