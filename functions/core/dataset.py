"""Rows prepared for experiments: numbers, and who learns from which."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from functions.core.split import HOLDOUT


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Rows in the contract's order, and who learns from which."""

    x: np.ndarray
    """float32 [rows, features]; NaN where a feature keeps missing values."""
    y: np.ndarray
    """int64 [rows], positions in the target's classes."""
    fold: np.ndarray
    """int8 [rows]: the fold in which a row tests, or `HOLDOUT`."""

    @property
    def holdout(self) -> np.ndarray:
        """bool [rows]: seen by no experiment."""
        return self.fold == HOLDOUT

    def to_bytes(self) -> bytes:
        """A .npz with X, y, fold and holdout. Equal datasets give equal bytes."""
        file = io.BytesIO()
        np.savez(file, X=self.x, y=self.y, fold=self.fold, holdout=self.holdout)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Dataset:
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            return cls(x=found["X"], y=found["y"], fold=found["fold"])
