from __future__ import annotations

import pytest

from models.readable import readable


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.46512, "0.4651"),
        (23_400.4, "23,400"),
        (5_000_000, "5,000,000"),
        (-95_400.0, "-95,400"),
        (8.66e-07, "8.66e-07"),
        (999.96, "1000"),
        (0, "0"),
    ],
)
def test_a_number_has_the_digits_that_matter_and_all_of_its_whole_part(value: float, said: str) -> None:
    assert readable(value) == said


def test_a_number_may_have_fewer_digits() -> None:
    assert (readable(0.1234, 2), readable(1234.5, 2)) == ("0.12", "1,234")
