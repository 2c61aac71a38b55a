"""Open models before the first request, where the stack asks for it.

The server imports the function's code before it forks the process that answers, and neither
threads nor connections survive a fork: so the new process opens the models, before it takes a
request. Requests that have come meanwhile wait for it.
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
    """Have the models of a service opened by the process that will answer, once it is forked.

    A failure is ignored here: a request meets it again, and reports it.
    """
    if os.environ.get(variables.WARM_UP) == "yes":
        os.register_at_fork(after_in_child=partial(_warm, entry))


def _warm(entry: Callable[[Environment], Service]) -> None:
    with suppress(Exception):
        composed(entry).warm()
