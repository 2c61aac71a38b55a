"""The versions that a function serves: it follows the pointer, and lets go of a version only for one that works."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.objects import Missing
from functions.core.onnx import BadModel
from functions.core.opening import open_version
from functions.core.problem import Problem
from functions.core.registry import DIGEST, Corrupt, Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.live import Live
    from functions.core.log import Log
    from functions.core.servable import Servable

_PINNED = 2
"""Versions kept open because a caller named them."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What answers at this moment."""

    champion: Servable
    challenger: Servable | None = None
    contender: str | None = None
    """The version that has callers as a challenger, though it may have failed to load."""
    weight: int = 0


class Follower:
    """One model's versions, open and proven; the pointer is read again when it is older than `seconds`."""

    def __init__(
        self, registry: Registry, live: Live, log: Log, *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.model = registry.model
        self._registry = registry
        self._live = live
        self._log = log
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, Servable] = {}
        self._pinned: list[str] = []
        self._serving: Serving | None = None
        self._read_at: float | None = None

    def current(self) -> Serving:
        """Champion and challenger. Raises `Problem` 503 while there is no version that works."""
        if self._is_due() and self._lock.acquire(blocking=self._serving is None):
            try:
                if self._is_due():
                    self._follow()
            finally:
                self._lock.release()
        if self._serving is None:
            raise Problem(503, f"{self.model} has no version that is ready", headers={"retry-after": "5"})
        return self._serving

    def renew(self) -> None:
        """Read the pointer again before the next answer, however young what was read last may seem."""
        self._read_at = None

    def pinned(self, version: str) -> Servable:
        """Any registered version, by name. Raises `Problem` 404 when there is none, 503 when it does not work."""
        if not DIGEST.fullmatch(version):
            raise Problem(404, f"{self.model} has no such version")
        if version in self._open:
            return self._open[version]
        try:
            opened = open_version(self._registry.load(version))
        except Missing:
            raise Problem(404, f"{self.model} has no such version") from None
        except (Corrupt, BadModel) as problem:
            self._complain(version, problem)
            raise Problem(503, f"version {version} of {self.model} cannot be served") from None
        with self._lock:
            self._pinned = [*self._pinned[1 - _PINNED :], version]
            self._open = {**self._open, version: opened}
            self._forget()
        return opened

    def _is_due(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= self._seconds

    def _follow(self) -> None:
        try:
            pointer = self._live.read()
        except Exception as problem:
            # The store is away, or the pointer is unreadable: what is being served goes on.
            self._log.error("pointer unreadable", problem=problem, model=self.model, metric="PointerUnreadable")
            self._read_at = None if self._serving is None else self._clock()
            return
        before = self._serving.champion.version if self._serving else None
        wanted = dict.fromkeys(name for name in (pointer.champion, before, pointer.previous) if name)
        champion = next((opened for name in wanted if (opened := self._try(name))), None)
        challenger = self._try(pointer.challenger) if pointer.challenger else None
        if champion is not None:
            self._serving = Serving(
                champion=champion, challenger=challenger, contender=pointer.challenger, weight=pointer.weight
            )
            if champion.version != before:
                self._log.info("serving", model=self.model, version=champion.version, revision=pointer.revision)
        # Without a version that works, the next request looks again at once.
        self._read_at = None if champion is None else self._clock()
        self._forget()

    def _try(self, version: str) -> Servable | None:
        if version not in self._open:
            try:
                self._open = {**self._open, version: open_version(self._registry.load(version))}
            except Exception as problem:
                # Damaged, gone, or out of reach: either way it must not replace what works.
                self._complain(version, problem)
                return None
        return self._open[version]

    def _forget(self) -> None:
        served = (self._serving.champion, self._serving.challenger) if self._serving else ()
        keep = {opened.version for opened in served if opened} | set(self._pinned)
        self._open = {name: opened for name, opened in self._open.items() if name in keep}

    def _complain(self, version: str, problem: Exception) -> None:
        self._log.error(
            "version does not load", problem=problem, model=self.model, version=version, metric="LoadFailed"
        )
