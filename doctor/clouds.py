"""The clouds whose accounts can be asked: each folder of doctor/ whose package assigns a `DOCTOR`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from doctor.check import Doctor

FOLDER = Path(__file__).resolve().parent


def find(name: str) -> Doctor[Any] | None:
    """Return the checks of a cloud; None for one that has none."""
    if not (FOLDER / name / "__init__.py").is_file():
        return None
    return importlib.import_module(f"doctor.{name}").DOCTOR
