"""Measured sizes, and copies of a function that a test says everything of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from interface.meter import Meter
from sml.mistake import Mistake
from sml.tune.measured import Measured, Size
from sml.tune.trial import Asked, Call, Deployed


def meter(memory_mb: int, *, billed_ms: int = 1) -> Meter:
    """Return a meter at which a second of a GB costs a dollar and emits two grams."""
    gb = memory_mb / 1024
    return Meter(
        usd=gb,
        usd_per_call=0.001,
        gb=gb,
        kwh=gb,
        grams_operational=1.5 * gb,
        grams_embodied=0.5 * gb,
        billed_ms=billed_ms,
        region="eu-west-1",
        tariff="2026-11-24",
    )


def size(memory_mb: int, *, priced: bool = True) -> Size:
    return Size(memory_mb=memory_mb, processors=memory_mb / 1769, meter=meter(memory_mb) if priced else None)


def measured(memory_mb: int, *ms: float, **facts: object) -> Measured:
    """Return a size whose warm calls took so long."""
    return Measured(size=size(memory_mb), warm=[Call(status=200, ms=one) for one in ms], **facts)  # ty: ignore[invalid-argument-type]


@dataclass
class Copies:
    """Copies that answer at once, in ten milliseconds, and keep what they are asked."""

    there: list[str] = field(default_factory=list)
    refusals: Mapping[int, Mistake] = field(default_factory=dict)
    """By size: what the platform says where it refuses one."""
    answers: Mapping[int, Call] = field(default_factory=dict)
    """By size: what becomes of a call."""
    batch: Call | None = None
    interrupted: bool = False
    opened: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    proves: str = "a test"
    sizes: Sequence[int] = (512, 1024)

    def name(self) -> str:
        return "predict-tune-x"

    def deployed(self) -> Deployed:
        return Deployed(memory_mb=1024, architecture="x86_64")

    def leftovers(self) -> list[str]:
        return list(self.there)

    def remove(self, name: str) -> None:
        self.removed.append(name)

    def open(self, name: str, memory_mb: int, processors: float) -> None:
        assert name == self.name()
        assert processors > 0
        if memory_mb in self.refusals:
            raise self.refusals[memory_mb]
        self.opened.append(memory_mb)

    def call(self, name: str, asked: Asked) -> Call:
        assert name == self.name()
        if self.interrupted:
            raise KeyboardInterrupt
        self.asked.append(asked)
        if asked.rows > 1 and self.batch is not None:
            return self.batch
        return self.answers.get(self.opened[-1], Call(status=200, ms=10.0))
