"""What the processes that the Pulumi CLI starts have in common: how large messages are, and when they end."""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

UNLIMITED: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
"""Messages without a bound: archives are in them."""
LOOK_SECONDS: Final = 1.0
PARENT: Final = os.getppid()
"""Whoever started this process, looked at before it can have ended."""


def wait_for_the_end() -> None:
    """Wait until the CLI ends this process, by an interrupt, or has ended itself without a word."""
    over = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda _signal, _frame: over.set())
    while not over.wait(LOOK_SECONDS) and os.getppid() == PARENT:
        pass
