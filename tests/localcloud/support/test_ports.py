from __future__ import annotations

import errno
import socket

import pytest

from localcloud.support.ports import LOOPBACK, held_port, listener


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


def test_a_held_port_is_nobody_elses_and_refuses_connections() -> None:
    with held_port() as holder:
        address = holder.getsockname()
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                other.bind(address)
        with socket.socket() as caller:
            assert caller.connect_ex(address) == errno.ECONNREFUSED
        holder.listen()
        with socket.socket() as caller:
            assert caller.connect_ex(address) == 0
