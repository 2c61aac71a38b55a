"""Measure variants in turn, so that a machine whose speed drifts slows all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One run of one variant."""

    seconds: float
    """Wall-clock time."""
    cpu_seconds: float = 0.0
    """User and system time of the process and of its children."""
    peak_mib: float = 0.0
    """Largest resident set, in MiB."""


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
    """The samples of several variants: one list each, with one sample a round."""

    samples: Mapping[str, Sequence[Sample]]

    def values(self, name: str, value: Value = wall) -> Spread:
        return Spread.of([value(sample) for sample in self.samples[name]])

    def ratios(self, name: str, against: str, value: Value = wall) -> Spread:
        """Return the ratio of `name` to `against`, round by round.

        Raises `KeyError` for a variant that was not measured.
        """
        pairs = zip(self.samples[name], self.samples[against], strict=True)
        return Spread.of([value(ours) / value(theirs) for ours, theirs in pairs])

    def differences(self, name: str, against: str, value: Value = wall) -> Spread:
        """Return `name` minus `against`, round by round. Raises as `ratios` does."""
        pairs = zip(self.samples[name], self.samples[against], strict=True)
        return Spread.of([value(ours) - value(theirs) for ours, theirs in pairs])


def in_turn(variants: Mapping[str, Measure], *, rounds: int, say: Callable[[str], None] = lambda _: None) -> Rounds:
    """Run every variant once to warm up, which is not measured, and then once a round.

    The order rotates by one from round to round, so that no variant is always the first.
    """
    names = list(variants)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    for name in names:
        say(f"warming up {name}")
        variants[name]()
    for number in range(rounds):
        rotated = names[number % len(names) :] + names[: number % len(names)]
        for name in rotated:
            say(f"round {number + 1} of {rounds}, {name}")
            samples[name].append(variants[name]())
    return Rounds(samples=samples)
