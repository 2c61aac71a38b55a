"""What a function used: its own measured time, times a meter that was computed when the stack was deployed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from interface.meter import Meter

    Metrics = Callable[[Mapping[str, str]], dict[str, Any]]
    """Returns what makes metrics of a line of the log, by these dimensions, for a cloud that reads them there."""


_CLEARLY = 1e-6
"""Seconds: what is less may be the rounding of a difference, and no time."""


class Usage(NamedTuple):
    """What calls used. All of it adds up, whatever the sizes of the functions that were called."""

    calls: float = 0
    seconds: float = 0.0
    """As they are billed."""
    gb_seconds: float = 0.0
    usd: float = 0.0
    kwh: float = 0.0
    grams_operational: float = 0.0
    grams_embodied: float = 0.0

    @classmethod
    def total(cls, parts: Iterable[Usage]) -> Self:
        """Return the sum of parts; nothing for none."""
        columns = tuple(zip(*parts, strict=True))
        return cls(*map(sum, columns)) if columns else cls()

    def document(self) -> dict[str, Any]:
        """Return it as records show it, to six digits."""
        calls, seconds, gb_seconds, usd, kwh, operational, embodied = map(_digits, self)
        grams = {"operational": operational, "embodied": embodied}
        return {
            "calls": int(calls),
            "seconds": seconds,
            "gb_seconds": gb_seconds,
            "usd": usd,
            "kwh": kwh,
            "grams": grams,
        }

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Read what `document` returned. Raise `KeyError` or `TypeError` for anything else."""
        grams = document["grams"]
        flat = {name: document[name] for name in cls._fields[:5]}
        return cls(**flat, grams_operational=grams["operational"], grams_embodied=grams["embodied"])


def _digits(number: float) -> float:
    return float(f"{number:.6g}")


class Metering:
    """Measures the calls of one copy of a function.

    Calls that overlap, where several callers share a copy, share its time: each gets its part of every
    moment, so that their sum is the time in which the copy was at work, which is what is billed.
    """

    def __init__(
        self,
        meter: Meter,
        *,
        metrics: Metrics | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`clock` gives seconds since any moment."""
        self.meter = meter
        self._billed_seconds = meter.billed_seconds
        self._metrics = metrics
        self._step_seconds = meter.billed_ms / 1000
        self._clock = clock
        self._lock = threading.Lock()
        self._running = 0
        self._began = 0.0
        """When the copy began to be at work."""
        self._moment = 0.0
        """When a call last began or ended."""
        self._share = 0.0
        """How many seconds a call would have had that was there all the time."""
        self._paid_until = 0.0
        self._start_seconds = 0.0

    @property
    def has_metrics(self) -> bool:
        """Whether the cloud makes metrics of lines of the log that hold them."""
        return self._metrics is not None

    def started(self, seconds: float) -> None:
        """Count the start of this copy, which took so long, into its first call."""
        self._start_seconds = seconds

    def begin(self) -> float:
        """Note that a call begins, and return what `end` wants to know of it."""
        with self._lock:
            now = self._clock()
            if running := self._running:
                self._share += (now - self._moment) / running
            else:
                self._began = now
            self._moment, self._running = now, running + 1
            return self._share

    def end(self, begun: float) -> float:
        """Note that the call ends that `begin` returned this for; return the seconds that are billed for it."""
        with self._lock:
            running, now = self._running, self._clock()
            self._share = share = self._share + (now - self._moment) / running
            self._moment, self._running = now, running - 1
            seconds = share - begun
            if running == 1:
                began = self._began
                worked = now - began
                # Most calls take less than the step to which a duration is rounded up.
                short = _CLEARLY < worked < self._step_seconds
                billed = self._step_seconds if short else self._billed_seconds(worked * 1000)
                self._paid_until = began + billed
                seconds += billed - worked
            if self._start_seconds:
                seconds, self._start_seconds = seconds + self._start_seconds, 0.0
            return seconds

    def more(self) -> float:
        """Return the seconds that are billed besides, where a call has gone on after its `end`."""
        with self._lock:
            late = self._clock() - self._paid_until
            if self._running or late <= 0:
                return 0.0
            billed = self._billed_seconds(late * 1000)
            self._paid_until += billed
            return billed

    def usage(self, seconds: float, calls: float = 1) -> Usage:
        """Return what calls used that were billed for so many seconds."""
        meter = self.meter
        return Usage(
            calls,
            seconds,
            seconds * meter.gb,
            seconds * meter.usd + calls * meter.usd_per_call,
            seconds * meter.kwh,
            seconds * meter.grams_operational,
            seconds * meter.grams_embodied,
        )

    def fields(self, seconds: float) -> dict[str, Any]:
        """Return what the line of a call in the log says of its usage."""
        return self.told(self.usage(seconds))

    def told(self, used: Usage) -> dict[str, Any]:
        """Return what a line says of a usage, and no metric."""
        return {"billed_ms": round(used.seconds * 1000, 3), **_summary(used)}

    def measured(self, used: Usage, **dimensions: str) -> dict[str, Any]:
        """Return what a line says of the usage of something, as metrics where the cloud reads them there."""
        metrics = {} if self._metrics is None else self._metrics(dimensions)
        return {**dimensions, **self.told(used), **metrics}


def _summary(used: Usage) -> dict[str, float]:
    return {
        "gb_seconds": _short(used.gb_seconds),
        "usd": _short(used.usd),
        "kwh": _short(used.kwh),
        "grams": _short(used.grams_operational + used.grams_embodied),
    }


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def since_start() -> float:
    """Return the seconds since this process was started; 0 where the system does not tell."""
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - pathlib takes longer to import
            # The name of the program, in brackets, may hold anything: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
            ticks = float(file.read().rpartition(b")")[2].split()[19])
        import os  # noqa: PLC0415 - it is there by now

        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
