"""Whether a training.py defines what it is asked for, and takes what it is called with, by its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.contract import Contract
from models.training_text import (
    FIT_QUANTILE,
    PLAIN,
    QUANTILE,
    WEIGHTED,
    WEIGHTED_QUANTILE,
    lacks_fit,
    no_weights,
    takes_too_few,
    wants_more,
    why_not,
)
from models.weights import Weights
from tests.functions.bench import MODEL
from tests.functions.prices import FIT_QUANTILE as ENDS
from tests.functions.prices import PRICES, TRAINING, WITH_INTERVAL

PRICE, CONTRACT = (Contract.parse(base, "model.yaml") for base in (PRICES, WITH_INTERVAL))
TAKES = [
    "def fit(X, y, params, weight): ...",
    "def fit(X, y, params, weight=None): ...",
    "def fit(X, y, params, weight=None, *, verbose=False): ...",
    "def fit(X, y, params, *more): ...",
    "def fit(*everything): ...",
]
TAKE_NONE = [
    "def fit(X, y, params): ...",
    "def fit(X, y, params, *, weight=None): ...",
    "x = 1\n\ndef fit(X, y, params, /): ...",
]
NOBODY_TELLS = [
    "from .helper import fit",
    "fit = max",
    "@some.decorator\ndef fit(X): ...",
    "if True:\n    def fit(X): ...",
    "class A:\n    def fit(self): ...",
    "def fit(X): ...\ndef fit(X, y, params, weight): ...",
    "def fit(:",
    "\0",
    "",
]


def said(folder: Path, text: str, contract: Contract = CONTRACT, *, weighted: bool = False) -> str | None:
    """Return what is said of a training after where it is; None where nothing is."""
    (folder / MODEL).mkdir(exist_ok=True)
    (folder / MODEL / "training.py").write_text(text, encoding="utf-8")
    weights = Weights(column="share") if weighted else None
    told = why_not(contract.model_copy(update={"weights": weights}), folder)
    return None if told is None else told.removeprefix(f"{folder.name}/{MODEL}/training.py")


@pytest.mark.parametrize("text", TAKES)
def test_a_fit_that_takes_weights_can_be_called_with_them(text: str, tmp_path: Path) -> None:
    assert said(tmp_path, text, PRICE, weighted=True) is None


@pytest.mark.parametrize("text", TAKE_NONE)
def test_a_fit_that_takes_none_is_named_by_its_line_where_there_are_weights(text: str, tmp_path: Path) -> None:
    assert said(tmp_path, text, PRICE, weighted=True) == f":{text.count(chr(10)) + 1}: {no_weights('fit', WEIGHTED)}"
    assert said(tmp_path, text, PRICE) is None


def test_a_fit_that_takes_too_few_arguments_is_named_by_its_line(tmp_path: Path) -> None:
    assert said(tmp_path, "def fit(X, y): ...", PRICE) == f":1: {takes_too_few('fit', PLAIN)}"
    assert said(tmp_path, "def fit(X, *more): ...", PRICE) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, " does not exist; accepted: a module that defines fit(X, y, params)"),
        ("x = 1\ndef fit(X, y, params)\n", ":2: is no Python: expected ':'; accepted: a module that defines"),
        ("\0", "is no Python: source code string cannot contain null bytes; accepted: a module"),
        ("def fti(X, y, params): ...", " defines no fit; accepted: a module that defines fit(X, y, params)"),
    ],
)
def test_a_training_without_fit_is_named_with_what_is_accepted(text: str | None, told: str, tmp_path: Path) -> None:
    file = tmp_path / MODEL / "training.py"
    file.parent.mkdir()
    if text is not None:
        file.write_text(text, encoding="utf-8")
    found = lacks_fit(MODEL, tmp_path)
    assert found is not None
    assert found.startswith(f"{tmp_path.name}/{MODEL}/training.py")
    assert told in found


@pytest.mark.parametrize(
    "text", ["def fit(X, y, params): ...", "fit = max", "from .h import x as fit", "from .h import *"]
)
def test_a_fit_may_come_from_anywhere(text: str, tmp_path: Path) -> None:
    (tmp_path / MODEL).mkdir()
    (tmp_path / MODEL / "training.py").write_text(text, encoding="utf-8")
    assert lacks_fit(MODEL, tmp_path) is None


def test_a_fit_that_wants_weights_is_named_where_there_are_none(tmp_path: Path) -> None:
    wants = f":1: {wants_more('fit', PLAIN)}"
    assert [said(tmp_path, text, PRICE) for text in TAKES] == [wants, None, None, None, None]


@pytest.mark.parametrize("text", NOBODY_TELLS)
@pytest.mark.parametrize("weighted", [True, False])
def test_what_the_text_does_not_tell_is_left_to_the_run(text: str, tmp_path: Path, *, weighted: bool) -> None:
    assert said(tmp_path, text, PRICE, weighted=weighted) is None


def test_a_training_that_fits_no_ends_is_named_with_what_to_write(tmp_path: Path) -> None:
    told = said(tmp_path, TRAINING)
    assert told is not None
    assert told.startswith(" has no fit_quantile, which interval in model.yaml needs")
    assert "write def fit_quantile(X, y, params, quantile) beside fit" in told
    assert said(tmp_path, TRAINING, PRICE) is None


@pytest.mark.parametrize(
    "text",
    [
        TRAINING + ENDS,
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


def test_ends_are_called_with_weights_where_fit_is(tmp_path: Path) -> None:
    takes = "def fit(X, y, params, weight=None): ...\n"
    plain, weighing = (f"{takes}def {FIT_QUANTILE}({', '.join(names)}): ..." for names in (QUANTILE, WEIGHTED_QUANTILE))
    assert said(tmp_path, plain, weighted=True) == f":2: {no_weights(FIT_QUANTILE, WEIGHTED_QUANTILE)}"
    assert said(tmp_path, weighing) == f":2: {wants_more(FIT_QUANTILE, QUANTILE)}"
    assert said(tmp_path, plain) is None
    assert said(tmp_path, weighing, weighted=True) is None


def test_a_file_that_is_not_there_is_told_elsewhere(tmp_path: Path) -> None:
    assert why_not(CONTRACT, tmp_path) is None
