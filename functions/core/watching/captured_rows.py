"""Captured rows of one version, column by column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, kw_only=True, eq=False)
class CapturedRows:
    """The rows of some requests, one request after the other."""

    lengths: np.ndarray
    """How many rows each request has: int64 [requests]."""
    requests: Sequence[str]
    """Their ids, [requests]."""
    callers: Sequence[str]
    """The pseudonyms of who sent them, [requests]."""
    keys: Sequence[str]
    """The pseudonyms of the keys that they came with, [requests]; "" where one came with none."""
    times: np.ndarray
    """When they came, in seconds since the epoch: float64 [requests], NaN where nobody knows."""
    inputs: Mapping[str, np.ndarray]
    """The columns of what was asked, [rows] each: float64, NaN where a value is missing; or texts, None where."""
    outputs: Mapping[str, np.ndarray]
    """The columns of what was answered, as `inputs`."""
    digests: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    """Of redacted columns what captures hold in their place, [rows] each."""
    redacted: frozenset[str] = frozenset()
    """Those of `inputs` of which some rows are redacted: they are missing there."""

    @property
    def rows(self) -> int:
        return int(self.lengths.sum())

    def chosen(self, requests: np.ndarray) -> Self:
        """Return some of the requests: bool [requests]."""
        rows = np.repeat(requests, self.lengths)
        places = np.flatnonzero(requests).tolist()
        of_rows = np.flatnonzero(rows).tolist()
        return type(self)(
            lengths=self.lengths[requests],
            requests=[self.requests[at] for at in places],
            callers=[self.callers[at] for at in places],
            keys=[self.keys[at] for at in places],
            times=self.times[requests],
            inputs={name: values[rows] for name, values in self.inputs.items()},
            outputs={name: values[rows] for name, values in self.outputs.items()},
            digests={name: [values[at] for at in of_rows] for name, values in self.digests.items()},
            redacted=self.redacted,
        )

    def first(self, rows: int) -> Self:
        """Return the first requests that have so many rows together, or more."""
        return self.chosen(np.cumsum(self.lengths) - self.lengths < rows)


def joined(parts: Sequence[CapturedRows]) -> CapturedRows:
    """Return the rows of several parts of one version as one. A column that a part lacks is missing there."""
    names = [list(dict.fromkeys(name for part in parts for name in side(part))) for side in (_inputs, _outputs)]
    digests = dict.fromkeys(name for part in parts for name in part.digests)
    return CapturedRows(
        lengths=np.concatenate([part.lengths for part in parts]),
        requests=[one for part in parts for one in part.requests],
        callers=[one for part in parts for one in part.callers],
        keys=[one for part in parts for one in part.keys],
        times=np.concatenate([part.times for part in parts]),
        inputs={name: _column([(part.inputs.get(name), part.rows) for part in parts]) for name in names[0]},
        outputs={name: _column([(part.outputs.get(name), part.rows) for part in parts]) for name in names[1]},
        digests={
            name: [digest for part in parts for digest in part.digests.get(name, [None] * part.rows)]
            for name in digests
        },
        redacted=frozenset().union(*(part.redacted for part in parts)),
    )


def column_of(values: Sequence[object]) -> np.ndarray:
    """Return values as a column: float64 where all are numbers or missing, else texts."""
    if any(isinstance(value, str) for value in values):
        return np.array([value if value is None else str(value) for value in values], dtype=object)
    return np.array(values, dtype=np.float64)


def _inputs(part: CapturedRows) -> Mapping[str, np.ndarray]:
    return part.inputs


def _outputs(part: CapturedRows) -> Mapping[str, np.ndarray]:
    return part.outputs


def _column(parts: Sequence[tuple[np.ndarray | None, int]]) -> np.ndarray:
    texts = any(values is not None and values.dtype == object for values, _ in parts)
    if not texts:
        return np.concatenate([np.full(rows, np.nan) if values is None else values for values, rows in parts])
    return np.array(
        [
            value if value is None or isinstance(value, str) else f"{value:g}"
            for values, rows in parts
            for value in ([None] * rows if values is None else values)
        ],
        dtype=object,
    )
