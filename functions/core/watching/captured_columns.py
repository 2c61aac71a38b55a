"""The columns of a version's captures: what its requests and answers hold in each row, by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.registry.captures import REDACTED
from functions.core.registry.versions import features_of
from functions.core.watching.captured_rows import CapturedRows, column_of
from models.terms import lacking, spans_of, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Record = dict[str, Any]
WIDEST = 100
"""Columns of a tensor, at most: what is wider is an image or the like, and no row of a table."""


class CapturedColumns(ABC):
    """Reads what captures hold of one version."""

    @abstractmethod
    def fits(self, record: Record) -> bool:
        """Return whether a record that holds rows holds them in these columns."""

    @abstractmethod
    def read(self, records: Sequence[Record]) -> CapturedRows:
        """Return the rows of records that fit."""

    @abstractmethod
    def hidden(self, redacted: Iterable[str]) -> frozenset[str]:
        """Return the names of the columns that are redacted with these, or tell of one."""


def columns_of(card: Mapping[str, Any] | None) -> CapturedColumns | None:
    """Return those of a version with this card; None for a version that is gone."""
    match None if card is None else card["task"]:
        case None:
            return None
        case "finished":
            return FinishedColumns(card or {})
        case _:
            return TrainedColumns(card or {})


class TrainedColumns(CapturedColumns):
    """Those of a version that was trained here: its terms, and the numbers of its answer."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self._features = features_of(card)
        self.names = tuple(term.name for term in terms_of(self._features))
        self._spans = spans_of(self._features)
        classes = card["target"].get("classes")
        numbers = ("value", *(end for end in ("low", "high") if end in card["outputs"]))
        self.answers: tuple[str, ...] = tuple(classes or numbers)
        self._width, self._numbers = len(self.names), len(self.answers)
        self._hidden: dict[tuple[str, ...], frozenset[int]] = {}

    def fits(self, record: Record) -> bool:
        inputs, outputs = record.get("inputs"), record.get("outputs")
        return (
            isinstance(inputs, list)
            and isinstance(outputs, list)
            and 0 < len(inputs) == len(outputs)
            and all(len(row) == self._width for row in inputs)
            and all(len(row) == self._numbers for row in outputs)
        )

    def hidden(self, redacted: Iterable[str]) -> frozenset[str]:
        return frozenset(self.names[at] for at in self._positions(redacted))

    def _positions(self, redacted: Iterable[str]) -> frozenset[int]:
        known = tuple(redacted)
        if known not in self._hidden:
            found = (one for one in self._features if one.name in known)
            self._hidden[known] = frozenset(at for one in found for at in lacking(one, self._features))
        return self._hidden[known]

    def read(self, records: Sequence[Record]) -> CapturedRows:
        rows: list[list[Any]] = []
        digests: dict[str, list[str | None]] = {}
        redacted: set[int] = set()
        for record in records:
            inputs = record["inputs"]
            if names := record.get(REDACTED):
                hidden = self._positions(names)
                redacted |= hidden
                for name in names:
                    if name in self._spans:
                        _note(digests, name, len(rows), [row[self._spans[name].start] for row in inputs])
                inputs = [[None if at in hidden else value for at, value in enumerate(row)] for row in inputs]
            rows += inputs
        x = np.array(rows, dtype=np.float64).reshape(len(rows), len(self.names))
        answers = [row for record in records for row in record["outputs"]]
        y = np.array(answers, dtype=np.float64).reshape(len(rows), len(self.answers))
        return CapturedRows(
            **_asked(records, [len(record["inputs"]) for record in records]),
            inputs={name: x[:, at] for at, name in enumerate(self.names)},
            outputs={name: y[:, at] for at, name in enumerate(self.answers)},
            digests=_filled(digests, len(rows)),
            redacted=frozenset(self.names[at] for at in redacted),
        )


class FinishedColumns(CapturedColumns):
    """Those of a finished model: of each input and output [rows] or [rows, N] its columns, by what model.yaml says."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        self._columns: Mapping[str, Sequence[str]] = card.get("columns", {})
        scores = card.get("scores") or {}
        self._classes = {scores["output"]: tuple(scores["classes"])} if scores else {}

    def fits(self, record: Record) -> bool:
        inputs, outputs = record.get("inputs"), record.get("outputs")
        if not isinstance(inputs, dict) or not isinstance(outputs, dict):
            return False
        hidden = set(record.get(REDACTED, ()))
        tensors = [one for name, one in inputs.items() if "data" in one or name not in hidden]
        tensors += outputs.values()
        rows = {one["shape"][0] for one in tensors if one["shape"]}
        return bool(tensors) and len(rows) == 1 and all(_is_table(one) for one in tensors)

    def read(self, records: Sequence[Record]) -> CapturedRows:
        inputs: dict[str, list[Any]] = defaultdict(list)
        outputs: dict[str, list[Any]] = defaultdict(list)
        digests: dict[str, list[str | None]] = {}
        redacted: set[str] = set()
        lengths: list[int] = []
        done = 0
        for record in records:
            rows = next(one["shape"][0] for one in record["outputs"].values())
            hidden = set(record.get(REDACTED, ()))
            for name, tensor in record["inputs"].items():
                # Of an input that is redacted as a whole there is a digest of each row, or nothing.
                columns = {name: tensor.get("data")} if name in hidden else _cut(tensor, self._named(name, tensor))
                for column, values in columns.items():
                    if column in hidden:
                        redacted.add(column)
                        _note(digests, column, done, list(values or [None] * rows))
                        values = [None] * rows  # noqa: PLW2901
                    _extend(inputs, column, done, values)
            for name, tensor in record["outputs"].items():
                for column, values in _cut(tensor, self._classes.get(name) or _numbered(name, tensor)).items():
                    _extend(outputs, column, done, values)
            lengths.append(rows)
            done += rows
        return CapturedRows(
            **_asked(records, lengths),
            inputs={name: column_of(_padded(values, done)) for name, values in inputs.items()},
            outputs={name: column_of(_padded(values, done)) for name, values in outputs.items()},
            digests=_filled(digests, done),
            redacted=frozenset(redacted),
        )

    def hidden(self, redacted: Iterable[str]) -> frozenset[str]:
        return frozenset(redacted)

    def _named(self, name: str, tensor: Mapping[str, Any]) -> Sequence[str]:
        return self._columns.get(name) or _numbered(name, tensor)


class ScoreColumns(FinishedColumns):
    """Those of a finished model's answers alone: a score for each class, whatever else it takes and answers."""

    def __init__(self, card: Mapping[str, Any]) -> None:
        """Raise `LookupError` or `TypeError` where the card names no classes."""
        super().__init__(card)
        self._output, self._number = card["scores"]["output"], len(card["scores"]["classes"])

    def fits(self, record: Record) -> bool:
        outputs = record.get("outputs")
        scores = outputs.get(self._output) if isinstance(outputs, dict) else None
        return (
            isinstance(scores, dict)
            and len(scores.get("shape", ())) == 2
            and scores["shape"][0] > 0
            and len(scores.get("data", ())) == scores["shape"][0] * self._number
        )

    def read(self, records: Sequence[Record]) -> CapturedRows:
        return super().read([{**one, "inputs": {}, "outputs": self._only(one)} for one in records])

    def _only(self, record: Record) -> dict[str, Any]:
        return {self._output: record["outputs"][self._output]}


def _is_table(tensor: Mapping[str, Any]) -> bool:
    shape = tensor["shape"]
    return "data" in tensor and len(shape) in (1, 2) and shape[0] > 0 and 0 < _width(tensor) <= WIDEST


def _width(tensor: Mapping[str, Any]) -> int:
    return tensor["shape"][1] if len(tensor["shape"]) == 2 else 1


def _numbered(name: str, tensor: Mapping[str, Any]) -> Sequence[str]:
    width = _width(tensor)
    return [name] if width == 1 else [f"{name}[{at}]" for at in range(width)]


def _cut(tensor: Mapping[str, Any], names: Sequence[str]) -> dict[str, Sequence[Any]]:
    data = tensor["data"]
    return {name: data[at :: len(names)] for at, name in enumerate(names)}


def _extend(columns: dict[str, list[Any]], name: str, done: int, values: Sequence[Any]) -> None:
    column = columns[name]
    column += [None] * (done - len(column))
    column += values


def _padded(values: list[Any], rows: int) -> list[Any]:
    return values + [None] * (rows - len(values))


def _note(digests: dict[str, list[str | None]], name: str, done: int, values: Sequence[Any]) -> None:
    """Keep what stands in place of a column from a row on, where that is a digest."""
    if any(isinstance(value, str) for value in values):
        column = digests.setdefault(name, [])
        column += [None] * (done - len(column))
        column += [value if isinstance(value, str) else None for value in values]


def _filled(digests: Mapping[str, list[str | None]], rows: int) -> dict[str, list[str | None]]:
    return {name: values + [None] * (rows - len(values)) for name, values in digests.items()}


def _asked(records: Sequence[Record], lengths: Sequence[int]) -> dict[str, Any]:
    return {
        "lengths": np.array(lengths, dtype=np.int64),
        "requests": [str(record.get("request", "")) for record in records],
        "callers": [str(record.get("caller", "")) for record in records],
        "keys": [str(record.get("key", "")) for record in records],
        "times": np.array([record.get("time") for record in records], dtype=np.float64),
    }
