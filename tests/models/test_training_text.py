from __future__ import annotations

from pathlib import Path

import pytest

from models.contract import Contract
from models.training_text import lacking
from tests.functions.bench import MODEL
from tests.functions.prices import FIT_QUANTILE, PRICES, TRAINING, WITH_INTERVAL

CONTRACT = Contract.parse(WITH_INTERVAL, "model.yaml")


def said(folder: Path, text: str, contract: Contract = CONTRACT) -> str | None:
    (folder / MODEL).mkdir(exist_ok=True)
    (folder / MODEL / "training.py").write_text(text, encoding="utf-8")
    return lacking(contract, folder)


def test_a_training_that_fits_no_ends_is_named_with_what_to_write(tmp_path: Path) -> None:
    told = said(tmp_path, TRAINING)
    assert told is not None
    assert told.startswith(
        f"{tmp_path.name}/{MODEL}/training.py has no fit_quantile, which interval in model.yaml needs"
    )
    assert "write def fit_quantile(X, y, params, quantile) beside fit" in told
    assert said(tmp_path, TRAINING, Contract.parse(PRICES, "model.yaml")) is None


@pytest.mark.parametrize(
    "text",
    [
        TRAINING + FIT_QUANTILE,
        "fit_quantile = max",
        "from .other import *",
        "from .other import ends as fit_quantile",
        "if True:\n    def fit_quantile(): ...",
        "try:\n    import fit_quantile\nexcept ImportError:\n    pass",
        "this is no Python",
    ],
)
def test_ends_may_come_from_anywhere_and_what_is_no_python_is_told_elsewhere(text: str, tmp_path: Path) -> None:
    assert said(tmp_path, text) is None


@pytest.mark.parametrize("text", ["def f():\n    fit_quantile = 1", "class A:\n    def fit_quantile(self): ...", ""])
def test_a_name_inside_of_something_else_is_none_of_the_module(text: str, tmp_path: Path) -> None:
    assert said(tmp_path, text) is not None


def test_a_file_that_is_not_there_is_told_elsewhere(tmp_path: Path) -> None:
    assert lacking(CONTRACT, tmp_path) is None
