from __future__ import annotations

import pytest

from localcloud.support.ports import LOOPBACK, listener


def test_a_taken_port_leads_to_the_next_free_one() -> None:
    with listener(0, tries=1) as first:
        taken = first.getsockname()[1]
        with listener(taken) as second:
            assert second.getsockname()[0] == LOOPBACK
            assert second.getsockname()[1] > taken


def test_when_none_is_free_the_range_is_named() -> None:
    with listener(0, tries=1) as first:
        taken = first.getsockname()[1]
        with pytest.raises(OSError, match=f"no free port on {LOOPBACK} from {taken} to {taken}"):
            listener(taken, tries=1)
