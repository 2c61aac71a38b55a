"""What `training.py` gives that cannot be used."""

from __future__ import annotations


class UnusableEstimator(ValueError):
    """`training.py`, the estimator that its `fit` returns, or its ONNX file cannot be used."""
