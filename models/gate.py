"""The gate of a contract: what a candidate must prove before it may be registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from models.complaint import mistake
from models.feature import OTHER
from models.measured import Measured, wrong_metric, wrong_setting
from models.section import Later, Section
from models.task import INTERVAL_METRICS, LOWER_IS_BETTER, OF_NUMBERS, Metric, Task, measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import PydanticCustomError

    from models.feature import Feature

_SHOWN = 40
"""Names that a message lists."""


class Slice(Later):
    """A subset of the rows on which the metric must also hold: a feature between two bounds, or of one category."""

    LATER: ClassVar = frozenset({"at_least", "at_most"})

    feature: str
    minimum: float | None = None
    below: float | None = None
    category: str | None = None
    at_least: float | None = None
    """The metric's least value, where more is better."""
    at_most: float | None = None
    """Its greatest, where less is better; log_loss takes `at_least` for it too."""


class Also(Measured):
    """Another metric that must hold on the whole holdout."""

    metric: Metric
    at_least: float | None = None
    """Its least value, where more is better."""
    at_most: float | None = None
    """Its greatest, where less is better."""


class Gap(Later):
    """How far apart a metric may be between the groups that a category, or a boolean, makes of the rows."""

    LATER: ClassVar = frozenset({"metric", "at"})

    feature: str
    at_most: float = Field(ge=0)
    """The greatest difference between two groups, in the metric's own unit."""
    metric: Metric | None = None
    """By default the gate's."""
    at: float | None = Field(default=None, gt=0, lt=1)
    minimum_rows: int = Field(default=20, ge=1)
    """A group of fewer rows of the holdout is not compared."""


class Promise(Section):
    """Where the answer goes when one feature rises and all others stay."""

    feature: str
    direction: Literal["up", "down"]
    """The predicted number, or the probability of the positive class, never moves the other way."""


class Gate(Measured):
    """What a candidate must fulfil, on rows that it never saw, before it may be registered."""

    LATER: ClassVar = Measured.LATER | {"minimum", "maximum", "interval", "also", "gaps", "promises"}

    minimum: float | None = None
    """The metric's least value, where more is better."""
    maximum: float | None = None
    """Its greatest, where less is better; log_loss takes `minimum` for it too."""
    interval: bool = False
    """Whether the worse end of the metric's interval must reach the bound, and not the value alone; of `also`, too."""
    margin: float = 0.0
    """How much better than the champion the candidate must be; when negative, how much worse it may be."""
    slices: tuple[Slice, ...] = ()
    also: tuple[Also, ...] = ()
    gaps: tuple[Gap, ...] = ()
    promises: tuple[Promise, ...] = ()
    maximum_bytes: int = Field(default=50_000_000, ge=1)
    maximum_latency_ms: float = Field(default=50.0, gt=0)
    """The greatest median latency of one row, in onnxruntime on the machine of the select step."""

    def measure_of(self, gap: Gap) -> str:
        """Return what records call the metric of which a gap is."""
        return self.measure if gap.metric is None else measure(gap.metric, gap.at)

    @property
    def measures(self) -> tuple[str, ...]:
        """What records call the metrics that the gate names."""
        return (self.measure, *(one.measure for one in self.also), *map(self.measure_of, self.gaps))


def bound_of(part: Gate | Slice | Also) -> float:
    """Return the bound of a metric on all rows, or on those of a slice."""
    bounds = (part.minimum, part.maximum) if isinstance(part, Gate) else (part.at_least, part.at_most)
    return next(bound for bound in bounds if bound is not None)


def check_gate(
    gate: Gate, task: Task, features: Mapping[str, Feature], classes: int, *, has_interval: bool = False
) -> None:
    """Refuse a gate that does not fit the rest of a contract. Raise what a validator raises."""
    named = "metric" in gate.model_fields_set
    _refuse(wrong_metric(task, gate.metric, "gate", named=named))
    _check_bound(gate.metric, gate, ("minimum", "maximum"), "gate")
    for at, part in enumerate(gate.slices):
        _check_slice(part, features, at)
        _check_bound(gate.metric, part, ("at_least", "at_most"), "gate", "slices", at)
    for at, one in enumerate(gate.also):
        _check_also(one, task, at, has_interval=has_interval)
        _check_bound(one.metric, one, ("at_least", "at_most"), "gate", "also", at)
    for at, gap in enumerate(gate.gaps):
        _check_gap(gap, task, features, at)
    for at, promise in enumerate(gate.promises):
        _check_promise(promise, features, classes, at)


def _refuse(wrong: PydanticCustomError | None) -> None:
    if wrong is not None:
        raise wrong


def _check_also(one: Also, task: Task, position: int, *, has_interval: bool) -> None:
    where = ("gate", "also", position)
    if one.metric in INTERVAL_METRICS and task in OF_NUMBERS and not has_interval:
        raise mistake(f"is {one.metric}, which goes with interval, as in interval: {{coverage: 0.9}}", *where, "metric")
    _refuse(wrong_metric(task, one.metric, *where, has_interval=has_interval))


def _check_bound(metric: Metric, part: Gate | Slice | Also, names: tuple[str, str], *where: str | int) -> None:
    """Refuse a gate, or a part of it, that does not say how good a metric must be, or says it twice."""
    given = [name for name in names if getattr(part, name) is not None]
    wanted = names[metric in LOWER_IS_BETTER]
    if not given:
        raise mistake("is missing; accepted: a number", *where, wanted)
    if len(given) == 2:
        raise mistake(f"goes without {given[1]}: one bound is held against", *where, given[0])
    if given != [wanted] and metric != "log_loss":
        less = "less" if metric in LOWER_IS_BETTER else "more"
        raise mistake(f"of {metric} {less} is better; write {wanted}", *where, given[0])


def _named(name: str, features: Mapping[str, Feature], where: str, position: int) -> Feature:
    """Return the feature of a part of the gate. Raise for one that there is not."""
    if name not in features:
        label = f"gate.{where}.{name}"
        terms = [term for term in features if term.startswith(f"{name}.") or term.endswith(f".days_since_{name}")]
        found, accepted = ("is no number by itself", terms) if terms else ("there is no such feature", list(features))
        more = ", ..." if len(accepted) > _SHOWN else ""
        told = f"{found}; accepted: {', '.join(accepted[:_SHOWN])}{more}"
        raise mistake(told, "gate", where, position, label=label)
    return features[name]


def _check_slice(part: Slice, features: Mapping[str, Feature], position: int) -> None:
    def wrong(text: str) -> PydanticCustomError:
        return mistake(text, "gate", "slices", position, label=f"gate.slices.{part.feature}")

    feature = _named(part.feature, features, "slices", position)
    by_bounds = part.minimum is not None or part.below is not None
    if feature.kind == "category":
        known = part.category in feature.names or (feature.must_learn and part.category is not None)
        if by_bounds or not known:
            other = f" or {OTHER}" if feature.unseen == "other" else ""
            names = ", ".join(feature.categories[:_SHOWN])
            raise wrong(
                f"category: {f'one of {names}' if names else 'a text'}{other} is accepted, without minimum or below"
            )
    elif part.category is not None or not by_bounds:
        raise wrong("minimum, below or both are accepted, without category")


def _check_gap(gap: Gap, task: Task, features: Mapping[str, Feature], position: int) -> None:
    where = ("gate", "gaps", position)
    feature = _named(gap.feature, features, "gaps", position)
    if feature.kind not in ("category", "boolean"):
        found = "an integer" if feature.kind == "integer" else "a number"
        told = f"is {found}; accepted: a category or a boolean, whose values are the groups"
        raise mistake(told, *where, "feature", label=f"gate.gaps.{gap.feature}")
    if gap.metric is not None:
        _refuse(wrong_metric(task, gap.metric, *where))
    _refuse(wrong_setting(gap.metric, gap.at, *where))


def _check_promise(promise: Promise, features: Mapping[str, Feature], classes: int, position: int) -> None:
    where, label = ("gate", "promises", position), f"gate.promises.{promise.feature}"
    feature = _named(promise.feature, features, "promises", position)
    if feature.kind == "category":
        told = "is a category, whose values have no order; accepted: a number, an integer or a boolean"
        raise mistake(told, *where, "feature", label=label)
    if classes not in (0, 2):
        told = f"goes with a number to predict or with two classes; of {classes} classes no probability alone goes up"
        raise mistake(told, *where, label=label)
