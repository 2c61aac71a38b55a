"""Instances that begin with their models open, where the stack asks for it.

The server imports the function's code before it forks the process that answers, and neither
threads nor connections come along with a fork: so it is the new process that opens the models,
before it takes a request. Those that have come meanwhile wait for it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from functions.adapters.gcp.environment import composed
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment


def warm(entry: Callable[[Environment], Service]) -> None:
    """To be called while the handler's module is imported. What goes wrong goes wrong again, and is told, when
    somebody asks."""
    if os.environ.get(variables.WARM_UP) == "yes":
        os.register_at_fork(after_in_child=partial(_warm, entry))


def _warm(entry: Callable[[Environment], Service]) -> None:
    with suppress(Exception):
        composed(entry).warm()
