"""The task of telling two classes apart, which most tests of training are about."""

from __future__ import annotations

from functions.core.training.classification import Classification
from models.contract import Target

TWO = Classification(Target(name="y", classes=("no", "yes")))
