"""Every change of a setting does what it says, and no more."""

from __future__ import annotations

import pytest

from tests.changes.difference import changed_outputs, for_nothing, lost_bindings, lost_data
from tests.changes.matrix import Change, changes

CHANGES = tuple(changes())


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_does_no_more_than_it_says(change: Change) -> None:
    """Nothing is made anew that means the same, and nothing that lasts is lost, nor a right, nor an output."""
    difference, says = change.difference, change.says
    assert list(for_nothing(difference)) == []
    assert list(lost_bindings(difference)) == []
    assert [lost for lost in lost_data(difference) if not lost.startswith(says.gone or "\0")] == []
    assert [path for path in changed_outputs(difference) if not path.startswith(says.outputs or "\0")] == []
