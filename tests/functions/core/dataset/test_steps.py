from __future__ import annotations

import pytest

from functions.core.dataset.steps import span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (86_400, "1 day"),
        (7 * 86_400, "1 week"),
        (10 * 86_400, "10 days"),
        (36 * 3_600, "36 hours"),
        (900, "15 minutes"),
        (90, "90 seconds"),
        (0.5, "0.5 seconds"),
    ],
)
def test_a_length_of_time_is_told_in_the_largest_unit_that_it_is_a_multiple_of(seconds: float, words: str) -> None:
    assert span(seconds, dated=True) == words
    assert span(seconds, dated=False) == f"{seconds:g}"
