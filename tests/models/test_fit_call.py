"""Whether the `fit` of a training.py takes what it is called with, by its text."""

from __future__ import annotations

import pytest

from models.fit_call import NO_WEIGHTS, WITHOUT, why_not

TAKES = [
    "def fit(X, y, params, weight): ...",
    "def fit(X, y, params, weight=None): ...",
    "def fit(X, y, params, weight=None, *, verbose=False): ...",
    "def fit(X, y, params, *more): ...",
    "def fit(*everything): ...",
]
PLAIN = ["def fit(X, y, params): ...", "def fit(X, y, params, *, weight=None): ...", "x = 1\n\n\ndef fit(X, y, /): ..."]
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


@pytest.mark.parametrize("text", TAKES)
def test_a_fit_that_takes_weights_can_be_called_with_them(text: str) -> None:
    assert why_not(text, weighted=True) is None


@pytest.mark.parametrize("text", PLAIN)
def test_a_fit_that_takes_none_is_named_by_its_line_where_there_are_weights(text: str) -> None:
    assert why_not(text, weighted=True) == (text.count("\n") + 1, NO_WEIGHTS)
    assert why_not(text, weighted=False) is None


def test_a_fit_that_wants_weights_is_named_where_there_are_none() -> None:
    assert [why_not(text, weighted=False) for text in TAKES] == [(1, WITHOUT), None, None, None, None]


@pytest.mark.parametrize("text", NOBODY_TELLS)
@pytest.mark.parametrize("weighted", [True, False])
def test_what_the_text_does_not_tell_is_left_to_the_run(text: str, *, weighted: bool) -> None:
    assert why_not(text, weighted=weighted) is None
