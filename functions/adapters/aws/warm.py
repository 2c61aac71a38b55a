"""Open models before the first request, where the stack asks for it.

A snapshot has the state in which the function's code had been imported
(https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html), and a provisioned copy waits in
that state. A copy that starts for a request opens the model of that request, and no other.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from functions.adapters.aws.environment import composed, environment_of
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment


def warm(entry: Callable[[Environment], Service]) -> None:
    """Open the models of a service while the handler's module is imported, unless the copy starts for a request.

    A failure is ignored here: a request meets it again, and reports it.
    """
    if os.environ.get(variables.WARM_UP) != "yes" or os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "on-demand":
        return
    with suppress(Exception):
        composed(entry).warm()
    with suppress(ImportError):
        # Part of AWS's own runtimes, and of nothing else:
        # https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
        import_module("snapshot_restore_py").register_after_restore(after_restore, entry)


def after_restore(entry: Callable[[Environment], Service]) -> None:
    """Renew what all copies of a snapshot would share.

    These are the state of random numbers, connections and credentials, and which version is live.
    """
    import random  # noqa: PLC0415 - only a snapshot's copy needs it

    random.seed()
    environment_of(entry).renew()
    composed(entry).renew()
