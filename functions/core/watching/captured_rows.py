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
            times=self.times[requests],
            inputs={name: values[rows] for name, values in self.inputs.items()},
            outputs={name: values[rows] for name, values in self.outputs.items()},
            digests={name: [values[at] for at in of_rows] for name, values in self.digests.items()},
            redacted=self.redacted,
        )

    def first(self, rows: int) -> Self:
        """Return the first requests that have so many rows together, or more."""
        return self.chosen(np.cumsum(self.lengths) - self.lengths < rows)


def column_of(values: Sequence[object]) -> np.ndarray:
    """Return values as a column: float64 where all are numbers or missing, else texts."""
    if any(isinstance(value, str) for value in values):
        return np.array([value if value is None else str(value) for value in values], dtype=object)
    return np.array(values, dtype=np.float64)
