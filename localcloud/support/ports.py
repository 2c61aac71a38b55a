"""Ports on the loopback interface."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"


def listener(preferred: int, tries: int = 50) -> socket.socket:
    """Return a listening socket on `preferred`, or on the next free port. 0 lets the system choose.

    Raises `OSError` when none of `tries` ports is free.
    """
    cause: OSError | None = None
    for port in range(preferred, preferred + tries):
        server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind((LOOPBACK, port))
            server.listen(512)
        except OSError as taken:
            server.close()
            cause = taken
        else:
            return server
    raise OSError(f"no free port on {LOOPBACK} from {preferred} to {preferred + tries - 1}") from cause


def held_port() -> socket.socket:
    """Return a socket that is bound to a free port and does not listen: nobody else can take the port meanwhile.

    A child process that gets the socket listens on it; until then a connection is refused.
    """
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    holder.bind((LOOPBACK, 0))
    return holder


def free_port() -> int:
    """Return a port that was free a moment ago. Another process may take it first, so be ready to try again."""
    with listener(0, tries=1) as server:
        return server.getsockname()[1]
