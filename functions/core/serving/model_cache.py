"""The model cache: the open versions of a model, refreshed from its live pointer while requests are answered."""

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
from interface import layout
from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from functions.core.registry.live_pointer import Live
    from functions.core.runtime.log import Log
    from functions.core.serving.servable import Servable

_PINNED = 2
"""How many versions stay open because a caller named them."""
LONGEST_PAUSE_SECONDS = 300.0
"""The longest pause between two tries to load a version that does not load, while another one serves."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """The versions that answer at this moment, and the traffic split between them."""

    champion: Servable
    """What answers in that role: the version that the pointer names, or one that stands in for it."""
    named: str | None
    """The version that the pointer names as champion; None where it names none any more."""
    challenger: Servable | None = None
    contender: str | None = None
    """The version that the pointer names as challenger, though it may have failed to load."""
    weight: int = 0
    """Per cent of the callers who get the challenger."""
    shadow: int = 0
    """Per cent of the requests that the challenger is asked about without answering them."""

    @property
    def recodes(self) -> bool:
        """Whether the challenger takes a number of a category for another one than the champion does."""
        theirs = {} if self.challenger is None else self.challenger.codes
        return any(theirs.get(name, ours)[: len(ours)] != ours for name, ours in self.champion.codes.items())

    @property
    def stands_in(self) -> bool:
        """Whether an earlier champion answers because the one that the pointer names does not load."""
        return self.champion.version != self.named


@dataclass(frozen=True, kw_only=True)
class _Broken:
    """A version that did not load. It is tried again after a pause, not at every refresh."""

    again_at: float
    pause: float
    """Seconds, doubled by each failure."""


class ModelCache:
    """One model's versions, open and proven, as the live pointer stood at most `seconds` ago.

    From half of that age on, the pointer is read and versions are opened in the background, while
    requests are answered from the cache. Where the background refresh does not end in time, one
    request at a time waits for it, and all others are still answered from the cache. The wait is
    needed: a copy of a function runs only while it answers, so in a copy that is asked rarely
    nothing else would bring the refresh to its end.

    A version leaves the cache only for one that works.
    """

    def __init__(
        self,
        registry: Registry,
        live: Live,
        log: Log,
        *,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        background: Callable[[Callable[[], None]], object] = Background,
    ) -> None:
        """`seconds` is the age at which the pointer must be read again; `background` starts work in a thread."""
        self.model = registry.model
        self._registry = registry
        self._live = live
        self._log = log
        self._seconds = seconds
        self._clock = clock
        self._background = background
        self._refreshing = threading.Lock()
        """Held by the one thread that refreshes."""
        self._waiting = threading.Lock()
        """Held by the one request that waits for a refresh."""
        self._changing = threading.Lock()
        """Held while the set of open versions changes."""
        self._open: dict[str, Servable] = {}
        self._pinned: list[str] = []
        self._broken: dict[str, _Broken] = {}
        self._serving: Serving | None = None
        self._read_at: float | None = None
        self._is_new = False
        """Whether the pointer, as it was last read, never named a version."""

    def current(self) -> Serving:
        """Return champion and challenger. Raise `Problem` 503 while there is no version that works."""
        serving = self._serving
        if serving is None:
            with self._refreshing:
                if self._serving is None:
                    self._refresh()
        elif self._is_due(self._seconds):
            self._refresh_or_pass()
        elif self._is_due(self._seconds / 2) and self._refreshing.acquire(blocking=False):
            self._background(self._refresh_and_release)
            return serving
        if self._serving is None:
            raise Problem(503, self._absence(), headers={"retry-after": "5"})
        return self._serving

    def ready(self) -> Serving:
        """Return the same, where the champion is the one that the pointer names. Raise `Problem` 503 elsewhere."""
        serving = self.current()
        if serving.stands_in:
            of = f"version {serving.named} does not load" if serving.named else "no version is live any more"
            text = f"{self.model}: {of}, and {serving.champion.version} answers in its place"
            raise Problem(503, text, headers={"retry-after": "5"})
        return serving

    def renew(self) -> None:
        """Have the pointer read again before the next answer, however young the cache is."""
        self._read_at = None

    def pinned(self, version: str) -> Servable:
        """Return a registered version by name. Raise `Problem` 404 where there is none, 503 where it does not work."""
        if not DIGEST.fullmatch(version):
            raise Problem(404, f"{self.model} has no such version")
        if (known := self._open.get(version)) is not None:
            return known
        try:
            # A caller can name any version: its parts are fetched only where there is a card.
            if self._registry.card(version) is None:
                raise Missing(version)
            opened = open_version(self._registry.load(version))
        except Missing:
            raise Problem(404, f"{self.model} has no such version") from None
        except (Corrupt, BadModel) as problem:
            self._log_failure(version, problem)
            raise Problem(503, f"version {version} of {self.model} cannot be served") from None
        with self._changing:
            self._pinned = [*self._pinned[1 - _PINNED :], version]
            self._open = {**self._open, version: opened}
        self._close_unused()
        return opened

    def knows(self, version: str) -> bool:
        """Return whether a version of this name is registered."""
        return DIGEST.fullmatch(version) is not None and self._registry.card(version) is not None

    def _absence(self) -> str:
        """Say that no version answers, and where the first one comes from: not why a file was refused."""
        if not self._is_new:
            return f"{self.model} has no version that is ready"
        return (
            f"{self.model} has no version yet: a file at {self.model}/{layout.INCOMING} in the stack's data store, "
            f"the output data_url, makes the first one, unless it is refused: `sml runs {self.model}` says why"
        )

    def _is_due(self, seconds: float) -> bool:
        return self._read_at is None or self._clock() - self._read_at >= seconds

    def _refresh_or_pass(self) -> None:
        """Wait for a refresh, unless another request does already."""
        if self._waiting.acquire(blocking=False):
            try:
                with self._refreshing:
                    if self._is_due(self._seconds):
                        self._refresh()
            finally:
                self._waiting.release()

    def _refresh_and_release(self) -> None:
        try:
            self._refresh()
        finally:
            self._refreshing.release()

    def _refresh(self) -> None:
        """Read the pointer and open what it names. Never raise: whatever fails is logged, and what is served stays."""
        began = self._clock()
        try:
            pointer = self._live.read()
        except Exception as problem:
            # The store is away, or the pointer is unreadable: what is served stays.
            self._log.error("pointer unreadable", problem=problem, model=self.model, metric="PointerUnreadable")
            self._read_at = None if self._serving is None else began
            return
        self._is_new = pointer.is_new
        before = self._serving.champion.version if self._serving else None
        stood_in = self._serving is not None and self._serving.stands_in
        named = {pointer.champion, pointer.challenger, pointer.previous}
        self._broken = {version: broken for version, broken in self._broken.items() if version in named}
        choices = dict.fromkeys(name for name in (pointer.champion, before, pointer.previous) if name)
        champion = next((opened for name in choices if (opened := self._opened(name))), None)
        challenger = self._opened(pointer.challenger) if pointer.challenger else None
        if champion is not None:
            self._serving = Serving(
                champion=champion,
                named=pointer.champion,
                challenger=challenger,
                contender=pointer.challenger,
                weight=pointer.weight,
                shadow=pointer.shadow,
            )
            if champion.version != before:
                self._log.info("serving", model=self.model, version=champion.version, revision=pointer.revision)
            if self._serving.stands_in and not stood_in:
                self._log.error(
                    "champion not served",
                    model=self.model,
                    champion=pointer.champion,
                    version=champion.version,
                    metric="ChampionNotServed",
                )
        # Without a version that works, the next request looks again at once.
        self._read_at = None if champion is None else began
        self._close_unused()

    def _opened(self, version: str) -> Servable | None:
        """Return a version, opened if need be; None where it does not load, or failed so lately that it must wait."""
        if (known := self._open.get(version)) is not None:
            return known
        broken = self._broken.get(version)
        if broken is not None and self._serving is not None and self._clock() < broken.again_at:
            return None
        try:
            opened = open_version(self._registry.load(version))
        except Exception as problem:
            # Damaged, gone, or out of reach: either way it must not replace what works.
            self._log_failure(version, problem)
            pause = self._seconds if broken is None else min(broken.pause * 2, LONGEST_PAUSE_SECONDS)
            self._broken[version] = _Broken(again_at=self._clock() + pause, pause=pause)
            return None
        self._broken.pop(version, None)
        with self._changing:
            self._open = {**self._open, version: opened}
        return opened

    def _close_unused(self) -> None:
        """Keep what is served and what callers named lately."""
        serving = (self._serving.champion, self._serving.challenger) if self._serving else ()
        served = {servable.version: servable for servable in serving if servable}
        with self._changing:
            pinned = {name: opened for name, opened in self._open.items() if name in self._pinned}
            self._open = {**pinned, **served}

    def _log_failure(self, version: str, problem: Exception) -> None:
        self._log.error(
            "version does not load", problem=problem, model=self.model, version=version, metric="LoadFailed"
        )
