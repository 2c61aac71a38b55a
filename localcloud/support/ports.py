"""Ports on the loopback interface."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def listener(preferred: int, tries: int = 50) -> socket.socket:
    """A listening socket on `preferred`, or on the next port that is free. 0 leaves the choice to the system.

    Raises `OSError` when none of `tries` ports is free.
    """
    last: OSError | None = None
    for port in range(preferred, preferred + tries):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((LOOPBACK, port))
            server.listen(512)
        except OSError as taken:
            server.close()
            last = taken
        else:
            return server
    raise OSError(f"no free port on {LOOPBACK} from {preferred} to {preferred + tries - 1}") from last


def free_port() -> int:
    """A port that nobody used a moment ago; whoever takes it must be ready to lose the race."""
    with listener(0, tries=1) as server:
        return server.getsockname()[1]
