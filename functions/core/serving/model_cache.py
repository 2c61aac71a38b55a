"""The versions that a function serves: it follows the pointer, and lets go of a version only for one that works."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from functions.core.http.problem import Problem
from functions.core.onnx.session import BadModel
from functions.core.registry.versions import DIGEST, Corrupt, Registry
from functions.core.runtime.background import Background
from functions.core.serving.opening import open_version
from functions.core.storage.objects import Missing
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.registry.live_pointer import Live
    from functions.core.runtime.log import Log
    from functions.core.serving.servable import Servable

_PINNED = 2
"""Versions kept open because a caller named them."""
LONGEST_PAUSE_SECONDS = 300.0
"""Between two tries to load a version that does not, while another one serves."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What answers at this moment."""

    champion: Servable
    challenger: Servable | None = None
    contender: str | None = None
    """The version that is the challenger, though it may have failed to load."""
    weight: int = 0
    shadow: int = 0


@dataclass(frozen=True, kw_only=True)
class _Broken:
    """A version that did not load: to be tried again, but not at every look at the pointer."""

    again_at: float
    pause: float


class ModelCache:
    """One model's versions, open and proven, as the pointer stood `seconds` ago or later.

    From half of that time on the pointer is read, and a version opened, beside the requests,
    which are answered as before meanwhile. Only where that is not over in time does a request
    wait for it, one at a time, and those beside it are answered as before: a copy of a function
    runs while it answers and stands still in between, so in a copy that is asked rarely nothing
    else would bring it to an end.
    """

    def __init__(
        self,
        registry: Registry,
        live: Live,
        log: Log,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        beside: Callable[[Callable[[], None]], object] = Background,
    ) -> None:
        self.model = registry.model
        self._registry = registry
        self._live = live
        self._log = log
        self._seconds = seconds
        self._clock = clock
        self._beside = beside
        self._lock = threading.Lock()
        """Held by whoever follows."""
        self._waiting = threading.Lock()
        """Held by the one request that waits for it."""
        self._table = threading.Lock()
        """Held while the set of open versions changes."""
        self._open: dict[str, Servable] = {}
        self._pinned: list[str] = []
        self._broken: dict[str, _Broken] = {}
        self._serving: Serving | None = None
        self._read_at: float | None = None

    def current(self) -> Serving:
        """Champion and challenger. Raises `Problem` 503 while there is no version that works."""
        serving = self._serving
        if serving is None:
            with self._lock:
                if self._serving is None:
                    self._follow()
        elif self._is_due(self._seconds):
            self._catch_up()
        elif self._is_due(self._seconds / 2) and self._lock.acquire(blocking=False):
            self._beside(self._follow_and_release)
            return serving
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
        if (known := self._open.get(version)) is not None:
            return known
        try:
            # Anybody can name anything: only for what is there, its parts are fetched.
            if self._registry.card(version) is None:
                raise Missing(version)
            opened = open_version(self._registry.load(version))
        except Missing:
            raise Problem(404, f"{self.model} has no such version") from None
        except (Corrupt, BadModel) as problem:
            self._complain(version, problem)
            raise Problem(503, f"version {version} of {self.model} cannot be served") from None
        with self._table:
            self._pinned = [*self._pinned[1 - _PINNED :], version]
            self._open = {**self._open, version: opened}
        self._forget()
        return opened

    def _is_due(self, seconds: float) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= seconds

    def _catch_up(self) -> None:
        if self._waiting.acquire(blocking=False):
            try:
                with self._lock:
                    if self._is_due(self._seconds):
                        self._follow()
            finally:
                self._waiting.release()

    def _follow_and_release(self) -> None:
        try:
            self._follow()
        finally:
            self._lock.release()

    def _follow(self) -> None:
        began = self._clock()
        try:
            pointer = self._live.read()
        except Exception as problem:
            # The store is away, or the pointer is unreadable: what is being served goes on.
            self._log.error("pointer unreadable", problem=problem, model=self.model, metric="PointerUnreadable")
            self._read_at = None if self._serving is None else began
            return
        before = self._serving.champion.version if self._serving else None
        named = {pointer.champion, pointer.challenger, pointer.previous}
        self._broken = {version: broken for version, broken in self._broken.items() if version in named}
        wanted = dict.fromkeys(name for name in (pointer.champion, before, pointer.previous) if name)
        champion = next((opened for name in wanted if (opened := self._try(name))), None)
        challenger = self._try(pointer.challenger) if pointer.challenger else None
        if champion is not None:
            self._serving = Serving(
                champion=champion,
                challenger=challenger,
                contender=pointer.challenger,
                weight=pointer.weight,
                shadow=pointer.shadow,
            )
            if champion.version != before:
                self._log.info("serving", model=self.model, version=champion.version, revision=pointer.revision)
        # Without a version that works, the next request looks again at once.
        self._read_at = None if champion is None else began
        self._forget()

    def _try(self, version: str) -> Servable | None:
        if (known := self._open.get(version)) is not None:
            return known
        broken = self._broken.get(version)
        if broken is not None and self._serving is not None and self._clock() < broken.again_at:
            return None
        try:
            opened = open_version(self._registry.load(version))
        except Exception as problem:
            # Damaged, gone, or out of reach: either way it must not replace what works.
            self._complain(version, problem)
            pause = self._seconds if broken is None else min(broken.pause * 2, LONGEST_PAUSE_SECONDS)
            self._broken[version] = _Broken(again_at=self._clock() + pause, pause=pause)
            return None
        self._broken.pop(version, None)
        with self._table:
            self._open = {**self._open, version: opened}
        return opened

    def _forget(self) -> None:
        both = (self._serving.champion, self._serving.challenger) if self._serving else ()
        served = {opened.version: opened for opened in both if opened}
        with self._table:
            pinned = {name: opened for name, opened in self._open.items() if name in self._pinned}
            self._open = {**pinned, **served}

    def _complain(self, version: str, problem: Exception) -> None:
        self._log.error(
            "version does not load", problem=problem, model=self.model, version=version, metric="LoadFailed"
        )
