"""What a model says of many rows: the labels and the probabilities that its callers would get."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from models.feature import Feature

TOLERANCE = 1e-4
"""Between the estimator's probabilities and those of its ONNX file, which computes in 32 bits."""
MADE_UP = 100
"""Rows that are asked once more without a value, for each feature whose values may be missing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """A label and probabilities for each row."""

    labels: np.ndarray
    """int64 [rows], positions in the target's classes."""
    probabilities: np.ndarray
    """float64 [rows, classes]."""

    @classmethod
    def likeliest(cls, probabilities: np.ndarray) -> Answers:
        """Return the answers whose label is the likeliest class, the first of equals."""
        return cls(labels=probabilities.argmax(axis=1), probabilities=probabilities)

    def of(self, rows: np.ndarray | slice) -> Answers:
        """Return the answers to some of the rows, by a mask bool [rows] or a slice."""
        return Answers(labels=self.labels[rows], probabilities=self.probabilities[rows])

    def to_bytes(self) -> bytes:
        """Return a .npz file, with the probabilities in 32 bits. Equal answers give equal bytes."""
        file = io.BytesIO()
        narrow = np.min_scalar_type(self.probabilities.shape[1])
        np.savez(file, labels=self.labels.astype(narrow), probabilities=self.probabilities.astype(np.float32))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Answers:
        """Read what `to_bytes` wrote."""
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return cls(
                labels=arrays["labels"].astype(np.int64), probabilities=arrays["probabilities"].astype(np.float64)
            )


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """How an estimator of two classes decides that does not take the likeliest one."""

    positive: int
    """The class, as a position, that a row gets whose probability of it reaches `value`. All others get the other."""
    value: float

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, document: Mapping[str, Any] | None) -> Threshold | None:
        return None if document is None else cls(**document)


def undecided(probabilities: np.ndarray, threshold: Threshold | None) -> np.ndarray:
    """Return the rows, bool [rows], in which a difference within `TOLERANCE` decides about the label.

    Their two likeliest classes are as likely, or the probability is at the threshold.
    """
    if threshold is not None:
        return np.abs(probabilities[:, threshold.positive] - threshold.value) <= TOLERANCE
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0] <= TOLERANCE


def with_gaps(x: np.ndarray, features: Sequence[Feature]) -> np.ndarray:
    """Return rows made up of those of `x`, float32 [rows, features]: each lacks a value that a request may lack.

    A dataset may have too few such rows, or none, to show what becomes of them.
    """
    spread = x[np.linspace(0, len(x) - 1, min(MADE_UP, len(x))).astype(int)]
    parts = [x[:0]]
    for position, feature in enumerate(features):
        if feature.missing == "keep":
            part = spread.copy()
            part[:, position] = np.nan
            parts.append(part)
    return np.concatenate(parts)
