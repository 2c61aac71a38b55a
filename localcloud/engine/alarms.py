"""The alarms of a stack on this machine: what was measured, and which of the declared alarms are firing.

It evaluates what the program declared, in the cloud's own words: each cloud reads its filters and alarms
(`localcloud/<cloud>/alarms.py`) as a `Monitoring`, and nothing here knows the program's table of alarms.

```python
monitoring = cloud.monitoring(stack.resources)
samples = [*monitoring.measured("predict-function-1a2b3c4", lines), *cloud.counted(stack.resources)]
states(monitoring.rules, samples, time.time())
```
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One value of a metric."""

    metric: str
    at: float
    """Seconds since 1970."""
    value: float = 1.0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A metric of log lines: which lines count, and what they tell."""

    metric: str
    functions: frozenset[str]
    """The physical names of those whose lines are read."""
    having: Mapping[str, str]
    """Fields and their values; a dot between a field and one in it."""
    value: str = ""
    """The field that is measured; empty where lines are counted."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The field of each label."""
    always: Mapping[str, str] = field(default_factory=dict)
    """Labels that each value has."""
    whole: bool = False
    """Whether a line counts only if it has the field of each label."""

    def sample(self, line: Mapping[str, Any]) -> Sample | None:
        """Return what a line tells; None for one that does not count."""
        at = line.get("time")
        value = found(line, self.value) if self.value else 1.0
        told = {label: found(line, name) for label, name in self.labels.items()}
        fits = all(found(line, name) == wanted for name, wanted in self.having.items())
        if not fits or not _number(at) or not _number(value) or (self.whole and None in told.values()):
            return None
        labels = {label: "" if said is None else str(said) for label, said in told.items()}
        return Sample(metric=self.metric, at=float(at), value=float(value), labels={**self.always, **labels})


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Some values of one metric."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """A pattern for each label that matters."""
    exactly: bool = False
    """Whether a value with more labels is another metric's."""

    def values(self, samples: Iterable[Sample], since: float, until: float) -> list[float]:
        """Return the values after `since` and until `until`, in seconds since 1970."""
        return [
            one.value for one in samples if one.metric == self.metric and since < one.at <= until and self._has(one)
        ]

    def _has(self, sample: Sample) -> bool:
        if self.exactly and sample.labels.keys() != self.labels.keys():
            return False
        return all(re.fullmatch(pattern, sample.labels.get(label, "")) for label, pattern in self.labels.items())


Holds = Callable[[Sequence[Sample], float], bool]
"""Takes what was measured and the time, and returns whether an alarm is firing."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An alarm as it was declared."""

    name: str
    """What the cloud calls it."""
    text: str
    """What a person is told."""
    holds: Holds
    reads: frozenset[str]
    """The metrics that it reads."""


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What a stack declares of metrics and alarms."""

    counted: Sequence[Counted] = ()
    rules: Sequence[Rule] = ()

    @property
    def functions(self) -> frozenset[str]:
        """The physical names of the functions whose lines are read."""
        return frozenset().union(*(each.functions for each in self.counted))

    def measured(self, function: str, lines: Iterable[str]) -> Iterator[Sample]:
        """Yield what the lines of a function tell. A line that is no JSON object tells nothing."""
        wanted = [each for each in self.counted if function in each.functions]
        for text in lines:
            if (line := _object(text)) is not None:
                yield from filter(None, (each.sample(line) for each in wanted))


@dataclass(frozen=True, kw_only=True)
class AlarmState:
    """An alarm at one moment."""

    name: str
    text: str
    firing: bool

    @property
    def document(self) -> dict[str, Any]:
        return {"id": self.name, "text": self.text, "firing": self.firing}


def states(rules: Iterable[Rule], samples: Sequence[Sample], now: float) -> list[AlarmState]:
    """Return the state of each alarm, in their order."""
    return [AlarmState(name=rule.name, text=rule.text, firing=rule.holds(samples, now)) for rule in rules]


def quantile(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that so many of them do not exceed; None of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def found(line: Mapping[str, Any], path: str) -> Any:
    """Return a field of a line by its path, a dot between a field and one in it; None where there is none."""
    value: Any = line
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None
