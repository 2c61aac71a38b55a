"""A label and probabilities for each of many rows."""

from __future__ import annotations

import io
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.core.training.answers import TOLERANCE, Answers, Differences

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassAnswers(Answers):
    labels: np.ndarray
    """int64 [rows], positions in the target's classes."""
    probabilities: np.ndarray
    """float64 [rows, classes]."""

    @classmethod
    def likeliest(cls, probabilities: np.ndarray) -> ClassAnswers:
        """Return the answers whose label is the likeliest class, the first of equals."""
        return cls(labels=probabilities.argmax(axis=1), probabilities=probabilities)

    def decided(self, threshold: Threshold) -> ClassAnswers:
        """Return the answers with the label that a threshold gives each row."""
        reached = self.probabilities[:, threshold.positive] >= threshold.value
        labels = np.where(reached, threshold.positive, 1 - threshold.positive).astype(np.int64)
        return ClassAnswers(labels=labels, probabilities=self.probabilities)

    @property
    def rows(self) -> int:
        return len(self.labels)

    def of(self, rows: np.ndarray | slice) -> ClassAnswers:
        return ClassAnswers(labels=self.labels[rows], probabilities=self.probabilities[rows])

    def followed_by(self, more: ClassAnswers) -> ClassAnswers:
        return ClassAnswers(
            labels=np.concatenate([self.labels, more.labels]),
            probabilities=np.concatenate([self.probabilities, more.probabilities]),
        )

    def to_bytes(self) -> bytes:
        """Return a .npz file, with the probabilities in 32 bits."""
        file = io.BytesIO()
        narrow = np.min_scalar_type(self.probabilities.shape[1])
        np.savez(file, labels=self.labels.astype(narrow), probabilities=self.probabilities.astype(np.float32))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> ClassAnswers:
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


def differences(estimator: ClassAnswers, served: ClassAnswers, threshold: Threshold | None) -> Differences:
    """Compare what a file answers with what its estimator does, by probabilities and labels."""
    distance = np.abs(estimator.probabilities - served.probabilities).max(axis=1, initial=0.0)
    other_label = estimator.labels != served.labels
    wrong_label = other_label & ~undecided(estimator.probabilities, threshold)
    return Differences(distance=distance, other=wrong_label, excused=int((other_label & ~wrong_label).sum()))
