"""Branches side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from localcloud.gcp.workflows.errors import Raised


def run_all(work: Mapping[str, Callable[[], object]], at_most: int) -> dict[str, Raised]:
    """Do everything, `at_most` at a time, in the order given; what failed, by name.

    An error of a workflow stops its own branch alone. Anything else that is raised is raised
    here, once every branch that had begun has ended; the rest is not begun.
    """
    waiting = iter(list(work.items()))
    lock = threading.Lock()
    failed: dict[str, Raised] = {}
    broken: list[BaseException] = []

    def go() -> None:
        while True:
            with lock:
                name, job = next(waiting, (None, None))
            if name is None or job is None or broken:
                return
            try:
                job()
            except Raised as problem:
                failed[name] = problem
            except BaseException as problem:
                broken.append(problem)

    threads = [threading.Thread(target=go, name="branch", daemon=True) for _ in range(min(at_most, len(work)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return {name: failed[name] for name in work if name in failed}
