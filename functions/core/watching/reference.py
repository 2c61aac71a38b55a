"""What a version learnt from, as far as later rows are compared with it: its columns, and its answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from functions.core.registry.versions import features_of
from functions.core.watching.spread import Spread
from interface import layout
from models.feature import any_compound
from models.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.storage.objects import Objects
    from functions.core.watching.captured_rows import CapturedRows
    from models.feature import Feature

ANSWERS = "answers"
"""Where a data profile describes what the version answered to the rows that no experiment saw."""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The columns of a version, in the order of its input, and its answers."""

    columns: Mapping[str, Spread]
    answers: tuple[str, Spread] | None
    """What is looked at of each answer, and how it was spread; None for a version of an older release."""
    level: int = 0
    """Which number of an answer is looked at, where it is no category."""

    @classmethod
    def of(cls, profile: Mapping[str, Any], features: Sequence[Feature]) -> Self:
        """Read the data profile of a version with these features. Raise `KeyError` or `TypeError` for anything else."""
        terms = terms_of(features) if any_compound(features) else features
        columns = {term.name: Spread.of(profile["features"][term.name]) for term in terms}
        answers = profile.get(ANSWERS)
        if answers is None:
            return cls(columns=columns, answers=None)
        return cls(columns=columns, answers=(answers["of"], Spread.of(answers)), level=answers["at"])

    @classmethod
    def find(cls, models: Objects, model: str, version: str) -> Self | None:
        """Return that of a version; None where it is gone, or is a finished model, which learnt from unknown rows."""
        folder = f"{model}/{layout.VERSIONS}{version}"
        card, profile = (models.find_json(f"{folder}/{name}.json") for name in ("card", "profile"))
        return None if card is None or profile is None else cls.of(profile, features_of(card))

    @property
    def spreads(self) -> dict[str, Spread]:
        """All that is compared, by name: the columns, and after them the answers."""
        return {**self.columns, **({} if self.answers is None else dict([self.answers]))}

    def fits(self, rows: CapturedRows) -> bool:
        """Return whether rows have the columns that there are, but for those that are redacted."""
        return self.columns.keys() - rows.redacted <= rows.inputs.keys()

    def count(self, rows: CapturedRows) -> dict[str, np.ndarray]:
        """Return how many rows lie in each cell, by name."""
        counts = {name: spread.count(rows.inputs[name]) for name, spread in self.columns.items() if name in rows.inputs}
        if self.answers is not None:
            name, spread = self.answers
            answers = list(rows.outputs.values())
            if spread.is_category:
                level = np.column_stack(answers).argmax(axis=1).astype(np.float64)
            else:
                level = answers[self.level]
            counts[name] = spread.count(level)
        return counts
