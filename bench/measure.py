"""Measurements taken in turn, so that a machine whose speed drifts slows all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of one variant."""

    seconds: float
    """On the wall."""
    cpu_seconds: float = 0.0
    """User and system time of the process and of those it waited for."""
    peak_mib: float = 0.0
    """Largest resident set."""


Measure = Callable[[], Sample]
Value = Callable[[Sample], float]


def wall(sample: Sample) -> float:
    return sample.seconds


def cpu(sample: Sample) -> float:
    return sample.cpu_seconds


def peak(sample: Sample) -> float:
    return sample.peak_mib


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Median and extremes of `n` values."""

    median: float
    low: float
    high: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median=statistics.median(values), low=min(values), high=max(values), n=len(values))

    def times(self, factor: float) -> Spread:
        return Spread(median=self.median * factor, low=self.low * factor, high=self.high * factor, n=self.n)


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """The samples of several variants, each round in the same place of every list."""

    samples: Mapping[str, Sequence[Sample]]

    def values(self, name: str, value: Value = wall) -> Spread:
        return Spread.of([value(sample) for sample in self.samples[name]])

    def ratios(self, name: str, against: str, value: Value = wall) -> Spread:
        """`name` over `against`, round by round. Raises `KeyError` for a variant that was not measured."""
        pairs = zip(self.samples[name], self.samples[against], strict=True)
        return Spread.of([value(one) / value(other) for one, other in pairs])

    def differences(self, name: str, against: str, value: Value = wall) -> Spread:
        pairs = zip(self.samples[name], self.samples[against], strict=True)
        return Spread.of([value(one) - value(other) for one, other in pairs])


def in_turn(variants: Mapping[str, Measure], *, rounds: int, say: Callable[[str], None] = lambda _: None) -> Rounds:
    """Run every variant once a round, and once before that counts for nothing.

    The order is turned by one place from round to round: nobody is always asked first.
    """
    names = list(variants)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for name in names:
        say(f"warming up {name}")
        variants[name]()
    for number in range(rounds):
        turned = names[number % len(names) :] + names[: number % len(names)]
        for name in turned:
            say(f"round {number + 1} of {rounds}, {name}")
            samples[name].append(variants[name]())
    return Rounds(samples=samples)
