"""Which columns of a table may say what its rows weigh. Nothing is taken for sure: a weight may be that of a parcel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sml.init.words import share_of_numbers, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sml.init.table import Column

_NAMES = frozenset(
    {"weight", "weights", "sample_weight", "case_weight", "instance_weight", "survey_weight", "frequency_weight"}
    | {"fnlwgt", "exposure"}
)


def guess_weights(columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the columns with such a name that hold a number of 0 or more in every row."""
    return tuple(one.name for one in columns if "_".join(words_of(one.name)) in _NAMES and _may_weigh(one))


def _may_weigh(column: Column) -> bool:
    values = list(column.counts)
    return not column.missing and share_of_numbers(values) == 1 and not any(value.startswith("-") for value in values)
