"""Runs the branches of a parallel step in threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from localcloud.gcp.workflows.errors import Raised


def run_all(branches: Mapping[str, Callable[[], object]], limit: int) -> dict[str, Raised]:
    """Run every branch, in order and at most `limit` at once, and return the errors by the branch's name.

    An error of the workflow stops its own branch alone. Any other exception is raised here,
    after the branches that had started have ended; no further one is started.
    """
    waiting = iter(list(branches.items()))
    lock = threading.Lock()
    failed: dict[str, Raised] = {}
    exceptions: list[BaseException] = []

    def work() -> None:
        while True:
            with lock:
                name, branch = next(waiting, (None, None))
            if name is None or branch is None or exceptions:
                return
            try:
                branch()
            except Raised as problem:
                failed[name] = problem
            except BaseException as problem:
                exceptions.append(problem)

    threads = [threading.Thread(target=work, name="branch", daemon=True) for _ in range(min(limit, len(branches)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if exceptions:
        raise exceptions[0]
    return {name: failed[name] for name in branches if name in failed}
