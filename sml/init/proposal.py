"""The proposal of a model for a table: its columns, its target, and how it is to be trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.dataset.leak import NEARLY_ALL, said_of, told_alone
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import validate_dataset
from models.feature import Feature, exactly
from models.section import ContractError
from models.terms import spans_of
from sml.init.encoded import Encoded, encode
from sml.init.families import STANDARD, Family, Size
from sml.init.guess import Guess, demoted, described, guess
from sml.init.number_target import NumberTarget
from sml.init.plan import FOLDS, Plan, planned
from sml.init.series_guess import SeriesGuess, guess_series, known_ahead
from sml.init.split_guess import SplitGuess, guess_split
from sml.init.table import blocks_of, read_sheet
from sml.init.target import Target, find_number, find_target, set_aside
from sml.init.weight_guess import guess_weights
from sml.init.words import is_amount, listed, of
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from functions.core.dataset.wanted import Reader
    from models.contract import Contract
    from sml.init.table import Column, Sheet

TOLERATED = 0.02
"""The share of a feature's values that may be mistakes; beyond it the column is something else."""
FEW_ROWS = 200
RARE = 0.1
"""The share of the rarest of two classes below which the table is unbalanced."""
COUNTING_ROWS = 50
"""Rows that show of whole numbers from 0 or 1 on that they count something."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is proposed for one table."""

    model: str
    source: str
    """The table's file name."""
    rows: int
    target: Target | NumberTarget
    columns: tuple[Guess, ...]
    """In the order of the table, without the target."""
    plan: Plan
    split: SplitGuess
    warnings: tuple[str, ...]
    sample: dict[str, Any]
    """The features of one row, as a caller would send them."""
    families: tuple[Family, ...] = STANDARD
    """The families that are tried besides the linear one."""
    series: SeriesGuess | None = None
    """Of a forecast."""
    weights: tuple[str, ...] = ()
    """Columns that may say what rows weigh."""

    @property
    def features(self) -> list[Feature]:
        return [found.feature for found in self.columns if found.feature is not None]

    @property
    def is_of_numbers(self) -> bool:
        """Whether a number is to be predicted, and no class."""
        return isinstance(self.target, NumberTarget)

    @property
    def size(self) -> Size:
        """What the grids of its families follow from."""
        return Size(rows=self.rows, classes=len(self.target.classes) if isinstance(self.target, Target) else 0)

    def named(self, role: str) -> list[Guess]:
        """Return the columns of a role."""
        return [found for found in self.columns if found.role == role]

    def document(self) -> dict[str, Any]:
        """Return the proposal as JSON values."""
        columns = [{"name": found.name, "becomes": found.becomes, "why": found.why} for found in self.columns]
        return {
            "model": self.model,
            "source": self.source,
            "rows": self.rows,
            "target": self.target.document(),
            "columns": columns,
            "plan": asdict(self.plan),
            "families": ["linear", *(one.name for one in self.families)],
            "split": asdict(self.split),
            "series": None if self.series is None else asdict(self.series),
            "weights": list(self.weights),
            "warnings": list(self.warnings),
        }


def propose(
    model: str,
    path: Path,
    read: Reader,
    contract_of: Callable[[Proposal], Contract],
    target: str | None = None,
    families: tuple[Family, ...] = STANDARD,
    *,
    forecasting: bool = False,
) -> Proposal:
    """Return a proposal whose contract accepts the table. Raise `Mistake` where there is none."""
    sheet = read_sheet(path, read)
    found = find_number(sheet, target) if forecasting else find_target(sheet, target)
    found = _as_read(sheet, found, read)
    rows = found.rows_of(sheet.column(found.name))
    columns = [column.of(rows) for column in sheet.columns if column.name != found.name]
    guesses, series = [guess(column) for column in columns], None
    if isinstance(found, NumberTarget) and forecasting:
        series = guess_series(sheet, found, guesses)
        guesses = [known_ahead(one, sheet, series, found) for one in guesses]
    guesses, encoded = _settled(sheet, columns, guesses, found, read)
    spans = spans_of([one.feature for one in guesses if one.feature])
    guesses = [_measured(one, encoded, spans) for one in guesses]
    if series is None and not any(one.feature for one in guesses):
        told = "; ".join(f"{one.name}: {one.why}" for one in guesses[:4])
        raise Mistake(f"{path}: nothing is left to predict {found.name} from: {told}")
    to_come = 0 if series is None else series.to_come
    missing, rejected = sheet.column(found.name).missing - to_come, encoded.rejected - to_come
    weights = guess_weights(columns)
    warnings = [*set_aside(found, missing, sheet.rows, to_come), *_warnings(sheet, found, guesses)]
    told = "is it a feature, or does it say how much a row counts? Then see weights in model.yaml"
    warnings += [f"{name}: {told}" for name in weights]
    proposal = Proposal(
        model=model,
        source=path.name,
        rows=sheet.rows + sheet.malformed,
        target=found,
        columns=tuple(guesses),
        plan=planned(found, sheet.rows + sheet.malformed, rejected, series=series),
        split=guess_split(columns, guesses) if series is None else SplitGuess(),
        warnings=tuple(warnings),
        sample=_sample([one.feature for one in guesses if one.feature], encoded, columns),
        families=families if series is None else tuple(one for one in families if one.name != "random_forest"),
        series=series,
        weights=weights,
    )
    return _accepted(proposal, path, read, contract_of, rejected)


def _as_read(sheet: Sheet, target: Target | NumberTarget, read: Reader) -> Target | NumberTarget:
    """Return the target with its classes as training reads them: true, where a Parquet file says so.

    Raise `Mistake` where training takes none of them.
    """
    if isinstance(target, NumberTarget):
        return target
    variants = [target.classes]
    if {name.lower() for name in target.classes} == {"true", "false"}:
        variants.append(tuple(name.lower() for name in target.classes))
    for classes in variants:
        encoded = encode(sheet.path, read, (), replace(target, classes=classes).feature, sheet.rows)
        if len(encoded.truth):
            return replace(target, classes=classes, spelled=target.classes)
    raise Mistake(f"{sheet.path}: {target.name}: {encoded.reasons[target.name]}; write classes as texts")


def _settled(
    sheet: Sheet, columns: Sequence[Column], guesses: list[Guess], target: Target | NumberTarget, read: Reader
) -> tuple[list[Guess], Encoded]:
    """Return guesses of which training would refuse hardly a value, and the table read by them."""
    while True:
        features = [one.feature for one in guesses if one.feature is not None]
        encoded = encode(sheet.path, read, features, target.feature, sheet.rows + sheet.malformed)
        wrong = {name for name, count in encoded.refused.items() if count > TOLERATED * max(1, len(encoded.numbers))}
        if not wrong:
            return guesses, encoded
        guesses = [
            demoted(one, column, encoded.refused[one.name], f"cannot be read, the first in {encoded.reasons[one.name]}")
            if one.name in wrong
            else one
            for one, column in zip(guesses, columns, strict=True)
        ]


def _measured(found: Guess, encoded: Encoded, spans: Mapping[str, slice]) -> Guess:
    """Return a guess with what the numbers of its feature show: a range, a leak, mistakes."""
    feature = found.feature
    if feature is None:
        return found
    terms = encoded.numbers[:, spans[found.name]]
    values = terms[:, 0]
    found = _ranged(found, feature, values[~np.isnan(values)])
    if feature.name in encoded.rounded:
        found = described(found, "holds whole numbers beyond 16,777,216, of which 32 bits round some")
    if encoded.refused.get(feature.name):
        refused, where = encoded.refused[feature.name], encoded.reasons[feature.name]
        told = f"{of(refused, len(values))} cannot be read and are set aside, the first in {where}"
        found = replace(described(found, told), warning=told)
    share = max(told_alone(column, encoded.truth) for column in terms.T)
    if share >= NEARLY_ALL:
        leak = said_of(share, numbers=encoded.truth.dtype.kind == "f")
        found = replace(described(found, f"A LEAK? {leak}"), warning=f"may be a leak: {leak}")
    return found


def _ranged(found: Guess, feature: Feature, values: np.ndarray) -> Guess:
    """Return a guess for numbers with their range, and a minimum of 0 where it is sure."""
    if feature.kind not in ("number", "integer") or not len(values):
        return found
    least, most = float(values.min()), float(values.max())
    why = f"{'whole numbers ' if feature.kind == 'integer' else ''}from {_short(least)} to {_short(most)}"
    counts = feature.kind == "integer" and least in (0, 1) and len(values) >= COUNTING_ROWS
    if least >= 0 and (is_amount(feature.name) or counts):
        sure = "it counts something" if counts else "its name is that of an amount"
        return described(replace(found, feature=_with_minimum(feature)), f"{why}; never negative, as {sure}")
    return described(found, why)


def _with_minimum(feature: Feature) -> Feature:
    return Feature(name=feature.name, kind=feature.kind, missing=feature.missing, minimum=0)


def _short(number: float) -> str:
    return exactly(number) if number % 1 == 0 else f"{number:.6g}"


def _warnings(sheet: Sheet, target: Target | NumberTarget, guesses: Sequence[Guess]) -> list[str]:
    told = []
    if target.others:
        told.append(f"{listed(target.others)} might be meant instead of {target.name}: name one with --target")
    if target.rows < FEW_ROWS:
        told.append(f"{target.rows} rows are few: what is measured on the holdout of a fifth of them says little")
    if isinstance(target, Target) and (rarest := min(target.counts)) < RARE * target.rows:
        name = target.classes[target.counts.index(rarest)]
        told.append(f"{name} is rare, {of(rarest, target.rows)}: look at its own precision and recall in the report")
    if sheet.malformed:
        told.append(f"{of(sheet.malformed, sheet.rows + sheet.malformed)} are no rows of the table, and are set aside")
    if sheet.unnamed:
        told.append(f"columns without a name are passed over ({sheet.unnamed}); name them to use them")
    if not sheet.whole:
        told.append(f"judged by the first {sheet.rows:,} rows")
    told += [f"{one.name} {one.warning}" for one in guesses if one.warning]
    return told


def _sample(features: Sequence[Feature], encoded: Encoded, columns: Sequence[Column]) -> dict[str, Any]:
    """Return one row with the fewest gaps, as a caller would write it."""
    if not len(encoded.numbers):
        return {}
    row = encoded.numbers[np.isnan(encoded.numbers).sum(axis=1).argmin()]
    spans, counts = spans_of(features), {column.name: column.counts for column in columns}
    return {
        one.name: _value(one, float(row[spans[one.name].start]), counts[one.name].most_common(1)[0][0])
        for one in features
        if not np.isnan(row[spans[one.name].start])
    }


def _value(feature: Feature, number: float, frequent: str) -> Any:
    """Return a value as a caller would write it, a `frequent` one where its number does not tell it."""
    match feature.kind:
        case "category" if not feature.learn and number < len(feature.categories):
            return feature.categories[int(number)]
        case "category" | "date" | "datetime" | "text":
            return frequent
        case "boolean":
            return bool(number)
        case _:
            return int(number) if number % 1 == 0 else float(f"{number:.7g}")


def _accepted(
    proposal: Proposal, path: Path, read: Reader, contract_of: Callable[[Proposal], Contract], rejected: int
) -> Proposal:
    """Return the proposal with as many folds as the table has rows for, by its groups if there are enough of them.

    Raise `Mistake` where training rejects it.
    """
    cause = ""
    splits = [proposal.split, proposal.split.without_group] if proposal.split.group else [proposal.split]
    for split, folds in product(splits, (some for some in FOLDS if some <= proposal.plan.folds)):
        plan = planned(proposal.target, proposal.rows, rejected, folds, proposal.series)
        some = replace(proposal, plan=plan, split=split)
        try:
            with blocks_of(path) as blocks:
                validate_dataset(blocks, contract_of(some), read)
        except RejectedDataset as rejection:
            cause = str(rejection)
            continue
        except ContractError as problem:
            raise Mistake(f"{path}: no contract can be written for this table: {problem}") from None
        return some
    unused = [f"{one.name} ({one.why})" for one in proposal.columns if one.role in ("ignore", "passed over")]
    told = f"; not used are {'; '.join(unused[:4])}" if unused else ""
    raise Mistake(f"{path}: training would reject this table: {cause}{told}")
