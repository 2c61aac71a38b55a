"""Rows of a table as a request has them, read as training and jobs read a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from functions.core.dataset.read_apart import open_rows
from functions.core.dataset.table import UnreadableTable
from functions.core.dataset.wanted import Wanted
from models.feature import COMPOUND
from models.terms import spans_of
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from functions.core.dataset.encoded_rows import Refused
    from models.feature import Feature


def table_rows(
    blocks: Iterator[bytes], features: Sequence[Feature], where: str, most: int
) -> Iterator[dict[str, Any] | str]:
    """Yield the first `most` rows of a table, by feature; for one that does not fit, why.

    The table is CSV in any dialect, JSON Lines or Parquet, each also compressed by gzip; columns that are no
    features are passed over. No more of it is read. Raise `Mistake` for what is no table, or lacks a column.
    """
    # What several values become alike is sent as it is written.
    raw = tuple(one.name for one in features if one.kind in COMPOUND or one.unseen == "other")
    wanted = Wanted(features=tuple(features), others=raw, dtype="float64")
    places = {name: span.start for name, span in spans_of(features).items()}
    try:
        with open_rows(blocks, wanted) as rows:
            lacking = [one.name for one in features if one.missing == "reject" and one.name not in rows.facts.columns]
            if lacking:
                found = ", ".join(rows.facts.columns[:8])
                raise Mistake(f"{where} lacks columns of the model: {', '.join(lacking[:8])}; it begins with {found}")
            given = 0
            for some in rows:
                for at, numbers in enumerate(some.numbers):
                    if given == most:
                        return
                    given += 1
                    refused = some.refused.get(at)
                    if refused is not None:
                        yield _why(refused, rows.facts.unit)
                    else:
                        yield _row(features, places, numbers.tolist(), {name: some.texts[name][at] for name in raw})
    except UnreadableTable as problem:
        raise Mistake(f"{where}: {problem}") from None


def _row(
    features: Sequence[Feature], places: Mapping[str, int], numbers: Sequence[float], raw: Mapping[str, str | None]
) -> dict[str, Any]:
    row = {one.name: _value(one, numbers[places[one.name]]) for one in features if one.name not in raw}
    row |= {one.name: None if one.is_blank(raw[one.name]) else raw[one.name] for one in features if one.name in raw}
    return {one.name: row[one.name] for one in features}


def _value(feature: Feature, number: float) -> Any:
    if math.isnan(number):
        return None
    match feature.kind:
        case "category":
            return feature.categories[int(number)]
        case "boolean":
            return bool(number)
        case "integer":
            return int(number)
    return number


def _why(refused: Refused, unit: str) -> str:
    faults = "; ".join(f"{column or 'the row'} {reason}" for column, reason in refused.faults)
    return f"{unit} {refused.location}: {faults}"
