"""Copies that begin with their models open, where the stack asks for it.

A snapshot holds what was there when the function's code had been imported
(https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html), and a provisioned copy waits in
that state. A copy that starts because it is asked for opens what it is asked for, and no more.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from functions.adapters.aws.environment import composed, told_to
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment


def warm(entry: Callable[[Environment], Service]) -> None:
    """To be called while the handler's module is imported. What goes wrong goes wrong again, and is told, when
    somebody asks."""
    if os.environ.get(variables.WARM_UP) != "yes" or os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "on-demand":
        return
    with suppress(Exception):
        composed(entry).warm()
    with suppress(ImportError):
        # Part of AWS's own runtimes, and of nothing else:
        # https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
        import_module("snapshot_restore_py").register_after_restore(restored, entry)


def restored(entry: Callable[[Environment], Service]) -> None:
    """Nothing that a copy shares with all others of its snapshot is relied upon: neither the state of
    random numbers, nor connections and credentials, nor which version was live."""
    import random  # noqa: PLC0415 - only a snapshot's copy needs it

    random.seed()
    told_to(entry).renew()
    composed(entry).renew()
