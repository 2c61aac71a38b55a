"""Every change of a setting does what it says, and no more."""

from __future__ import annotations

import pytest

from tests.changes.matrix import Change, changes, problems
from tests.changes.page import PAGE, written


@pytest.mark.parametrize("change", tuple(changes()), ids=str)
def test_a_change_does_no_more_than_it_says(change: Change) -> None:
    assert problems(change) == []


def test_the_page_says_what_each_change_does() -> None:
    """`python -m tests.changes` writes the table."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text)
