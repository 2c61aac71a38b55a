"""The tensor names of every trained model's ONNX file; a model's own `export` must use them too."""

from __future__ import annotations

from typing import Final

INPUT: Final = "features"
"""float32 [rows, features], in the contract's order."""
LABEL: Final = "label"
"""Of a classification: int64 [rows], positions in the target's classes."""
PROBABILITIES: Final = "probabilities"
"""Of a classification: float32 [rows, classes]."""
VALUE: Final = "value"
"""Of a regression: float32 [rows, 1]."""
LOW: Final = "low"
"""Of a number with an interval, its lower end: as `VALUE`, which it never exceeds."""
HIGH: Final = "high"
"""Its upper end: as `VALUE`, which never exceeds it."""
