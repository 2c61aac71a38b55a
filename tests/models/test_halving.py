"""To how much work a search comes that narrows."""

from __future__ import annotations

import pytest

from models import halving


@pytest.mark.parametrize(
    ("experiments", "whole"), [(1, 1), (3, 3), (4, 4 / 9 + 3 / 3 + 3), (10, 10 / 9 + 4 / 3 + 3), (81, 27)]
)
def test_a_search_comes_to_what_its_rounds_train_on(experiments: int, whole: float) -> None:
    """Three and fewer see all rows at once."""
    assert halving.whole_experiments(experiments) == pytest.approx(whole)
