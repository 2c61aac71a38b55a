"""Work that goes on in threads as long as a `with` block does."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class WhileInside(ABC):
    """Does some work in `threads` threads until the `with` block ends. What the work raises is raised at the end."""

    def __init__(self, threads: int = 1) -> None:
        self.over = threading.Event()
        """Set when the block ends: the work then ends, too."""
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=type(self).__name__)
        self._count = threads
        self._running: list[Future[None]] = []

    @abstractmethod
    def work(self, number: int) -> None:
        """Work until `over` is set. `number` tells the threads apart, from 0."""

    def __enter__(self) -> Self:
        self._running = [self._executor.submit(self.work, number) for number in range(self._count)]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.over.set()
        self._executor.shutdown()
        if error is None:
            for running in self._running:
                running.result()
