"""What rows are compared with: what a version learnt from, or else the first rows that were captured of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from functions.core.registry.versions import features_of
from functions.core.watching.captured_reference import place_of, positions
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
ANSWER = "answer"
"""How a column of the answers is called that has no other name than that of an output."""


@dataclass(frozen=True, kw_only=True)
class Captured:
    """The captured rows that a reference is made of, and the days that they are of."""

    rows: int
    requests: int
    first: str
    last: str

    @property
    def said(self) -> str:
        """What they are, in words."""
        days = self.first if self.first == self.last else f"{self.first} to {self.last}"
        return f"its first {self.rows:,} captured rows, of {days}"


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The columns of a version, and its answers."""

    columns: Mapping[str, Spread]
    answers: tuple[str, Spread] | None
    """What is looked at of each answer, and how it was spread; None for a version of an older release."""
    level: int = 0
    """Which number of an answer is looked at, where it is no category."""
    outputs: Mapping[str, Spread] = field(default_factory=dict)
    """The columns of the answers of a version whose training nobody knows, in place of `answers`."""
    captured: Captured | None = None
    """The captured rows that it is made of; None where that is the training."""

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
    def of_captured(cls, document: Mapping[str, Any]) -> Self:
        """Read what `captured_reference.described` returned. Raise `KeyError` or `TypeError` for anything else."""
        captured = Captured(
            rows=document["rows"], requests=document["requests"], first=document["from"], last=document["to"]
        )
        columns, outputs = (
            {name: Spread.of(one) for name, one in document[side].items()} for side in ("features", "outputs")
        )
        return cls(columns=columns, answers=None, outputs=outputs, captured=captured)

    @classmethod
    def find(cls, models: Objects, model: str, version: str) -> Self | None:
        """Return that of a version; None where it is gone, or its training is not known and there are no rows yet."""
        folder = f"{model}/{layout.VERSIONS}{version}"
        card, profile = (models.find_json(f"{folder}/{name}.json") for name in ("card", "profile"))
        if card is None:
            return None
        if profile is not None:
            return cls.of(profile, features_of(card))
        document = models.find_json(place_of(model, version))
        return None if document is None else cls.of_captured(document)

    @property
    def called(self) -> str:
        """What it is, in a sentence about shares of its rows."""
        return "training" if self.captured is None else "the first captured rows"

    @property
    def spreads(self) -> dict[str, Spread]:
        """All that is compared, by name: the columns, and after them the answers."""
        outputs = {f"{ANSWER} {name}": spread for name, spread in self.outputs.items()}
        return {**self.columns, **({} if self.answers is None else dict([self.answers])), **outputs}

    def learnt(self, counts: np.ndarray) -> int:
        """Return of how many rows, independent of each other, counts are: of a training all, of captures requests."""
        rows = int(counts.sum())
        return rows if self.captured is None else min(rows, self.captured.requests)

    def fits(self, rows: CapturedRows) -> bool:
        """Return whether rows have the columns that there are, but for those that are redacted."""
        if self.captured is not None:
            return bool(self.columns.keys() & rows.inputs.keys() or self.outputs.keys() & rows.outputs.keys())
        return self.columns.keys() - rows.redacted <= rows.inputs.keys()

    def count(self, rows: CapturedRows) -> dict[str, np.ndarray]:
        """Return how many rows lie in each cell, by name."""
        counts = {
            name: _count(spread, rows.inputs[name]) for name, spread in self.columns.items() if name in rows.inputs
        }
        counts |= {
            f"{ANSWER} {name}": _count(spread, rows.outputs[name])
            for name, spread in self.outputs.items()
            if name in rows.outputs
        }
        if self.answers is not None:
            name, spread = self.answers
            answers = list(rows.outputs.values())
            if spread.is_category:
                level = np.column_stack(answers).argmax(axis=1).astype(np.float64)
            else:
                level = answers[self.level]
            counts[name] = spread.count(level)
        return counts


def _count(spread: Spread, values: np.ndarray) -> np.ndarray:
    """Return how many values lie in each cell; what is text where numbers were, or the other way round, in the last."""
    if (values.dtype == object) == spread.is_category:
        return spread.count(positions(values, spread.cells[:-1]) if spread.is_category else values)
    if spread.is_category:
        return spread.count(values)
    return spread.count(np.full(len(values), np.nan))
