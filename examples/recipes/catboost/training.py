"""Trees of CatBoost, which takes missing values as they are, and writes ONNX files itself."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from catboost import CatBoostClassifier

if TYPE_CHECKING:
    import numpy as np

    from models.contract import Params


def fit(X: np.ndarray, y: np.ndarray, params: Params) -> CatBoostClassifier:
    """A classifier fitted on `X` [rows, features] float32 and `y` [rows], positions in the classes."""
    # The code's folder is read-only where functions run, and one thread always fits the same model.
    options = {"random_seed": 0, "thread_count": 1, "allow_writing_files": False, "verbose": False}
    return CatBoostClassifier(**options, **params).fit(X, y)


def export(estimator: CatBoostClassifier) -> bytes:
    """The ONNX file of an estimator: CatBoost gives its tensors the names that are asked for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        estimator.save_model(str(file), format="onnx")
        return file.read_bytes()
