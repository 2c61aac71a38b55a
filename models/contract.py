"""The contract of a trained model: `model.yaml`, all of which is checked before anything is deployed.

Each model has a folder. Next to `model.yaml` is `training.py` with
`fit(X, y, params) -> estimator`: `X` is float32 of shape [rows, features] in the declared
order, `params` one point of the search space. For a classification `y` holds int64 positions in
`target.classes`, and the estimator has `predict_proba`; for a regression `y` is float64 and the
estimator has `predict`.
"""

from __future__ import annotations

import itertools
import math
import random
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from models import halving
from models.complaint import Words, mistake
from models.feature import Feature, UnacceptableValue
from models.quality import Quality
from models.section import Described, Later
from models.split import Split
from models.task import LOWER_IS_BETTER, METRICS, Metric, Task

if TYPE_CHECKING:
    from pydantic_core import PydanticCustomError

Scalar = bool | int | float | str | None
Params = dict[str, Scalar]


def _refuse_number_in_text(value: Scalar) -> Scalar:
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        raise mistake(f"{value} is text to YAML; write a number with a point, as in {number:.1e}, or a word")
    return value


Values = Annotated[
    list[
        Annotated[Scalar, AfterValidator(_refuse_number_in_text), Words("a finite number, a word, true, false or null")]
    ],
    Field(min_length=1),
]


class Target(Later):
    """The column to predict: its classes, or the range of its numbers."""

    LATER: ClassVar = frozenset({"classes", "minimum", "maximum", "unit"})

    name: str
    classes: tuple[str, ...] = Field(default=(), min_length=2)
    """In the order of the probabilities; the positive class of a binary task is the last."""
    minimum: float | None = None
    maximum: float | None = None
    """A row whose number is beyond is set aside."""
    unit: str = ""
    """What the number counts, for those who read it: USD, minutes."""

    @property
    def as_feature(self) -> Feature:
        """The target as a feature: a category, which encodes a class as its position, or a number."""
        if not self.classes:
            return Feature(name=self.name, minimum=self.minimum, maximum=self.maximum)
        return Feature(name=self.name, kind="category", categories=self.classes)


class Search(Split):
    """Which experiments are run: every combination of each family's values, or a random draw of them.

    With `halving` all begin on few rows, and the best go on with more of them: `models.halving`.
    """

    LATER: ClassVar = Split.LATER | {"maximum_failed_share"}

    method: Literal["grid", "random", "halving"] = "grid"
    families: tuple[dict[str, Values], ...] = Field(min_length=1)
    trials: int | None = Field(default=None, ge=1, le=1000)
    """How many experiments a random search draws; a grid runs all, and halving begins with all, or with so many."""
    metric: Metric = "roc_auc"
    maximum_failed_share: float = Field(default=1.0, ge=0, le=1)
    """The greatest share of experiments that may fail; beyond it the run fails. At least one has to succeed."""

    @model_validator(mode="after")
    def _only_draws_have_trials(self) -> Self:
        if self.method == "random" and self.trials is None:
            raise mistake("is missing; accepted with method: random: a whole number from 1 to 1000", "trials")
        if self.method == "grid" and self.trials is not None:
            raise mistake("goes with method: random or halving; a grid runs every combination", "trials")
        return self

    def experiments(self) -> list[Params]:
        """Return the points to try, in a fixed order: the same contract gives the same list."""
        points: list[Params] = []
        for family in self.families:
            for values in itertools.product(*family.values()):
                point = dict(zip(family, values, strict=True))
                if point not in points:
                    points.append(point)
        if self.trials is None or self.trials >= len(points):
            return points
        return random.Random(self.seed).sample(points, self.trials)  # noqa: S311 - a draw, not a secret

    @property
    def whole_experiments(self) -> float:
        """To how many experiments on all rows the search comes."""
        count = len(self.experiments())
        return halving.whole_experiments(count) if self.method == "halving" else count


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


class Gate(Later):
    """What a candidate must fulfil, on rows that it never saw, before it may be registered."""

    LATER: ClassVar = frozenset({"minimum", "maximum"})

    metric: Metric = "roc_auc"
    minimum: float | None = None
    """The metric's least value, where more is better."""
    maximum: float | None = None
    """Its greatest, where less is better; log_loss takes `minimum` for it too."""
    margin: float = 0.0
    """How much better than the champion the candidate must be; when negative, how much worse it may be."""
    slices: tuple[Slice, ...] = ()
    maximum_bytes: int = Field(default=50_000_000, ge=1)
    maximum_latency_ms: float = Field(default=50.0, gt=0)
    """The greatest median latency of one row, in onnxruntime on the machine of the select step."""


class Contract(Described):
    """The contract of a model that is trained here."""

    task: Task
    features: tuple[Feature, ...] = Field(min_length=1)
    target: Target
    id: tuple[str, ...] = ()
    """Columns that tell a row from others. No feature: a job's answers come with their values."""
    ignore: tuple[str, ...] = ()
    """Columns that may be there and are of no use."""
    quality: Quality = Quality()
    search: Search
    gate: Gate
    files: tuple[str, ...] = Field(default=(), exclude=True)
    """Files of the model's folder that its code reads: they go where the code goes. Their content decides what a run
    is, as the code does, and not their names."""

    @property
    def reads(self) -> tuple[str, ...]:
        return self.files

    @property
    def is_trained(self) -> bool:
        return True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [feature.name for feature in self.features]
        for at, feature in enumerate(self.features):
            if feature.name in names[:at]:
                raise mistake(f"{feature.name} stands twice", "features", at, "name", label="features")
        if self.target.name in names:
            raise mistake(f"{self.target.name} is a feature too", "target", "name", label="target")
        self._check_other_columns([*names, self.target.name])
        _check_split(self.search, self.target.name)
        for at, feature in enumerate(self.features):
            _check(feature, at)
        _check_target(self.task, self.target)
        self._check_metrics()
        for at, gate_slice in enumerate(self.gate.slices):
            _check_slice(gate_slice, {feature.name: feature for feature in self.features}, at)
        return self

    def bound_of(self, part: Gate | Slice) -> float:
        """Return the bound of the gate's metric on all rows, or on those of a slice."""
        bounds = (part.minimum, part.maximum) if isinstance(part, Gate) else (part.at_least, part.at_most)
        return next(bound for bound in bounds if bound is not None)

    def _check_metrics(self) -> None:
        accepted = METRICS[self.task]
        for key, section in (("search", self.search), ("gate", self.gate)):
            if section.metric not in accepted:
                said = f"is {section.metric}" if "metric" in section.model_fields_set else "is missing"
                raise mistake(f"{said}; accepted for a {self.task}: {', '.join(accepted)}", key, "metric")
        _check_bound(self.gate.metric, self.gate, ("minimum", "maximum"), "gate")
        for at, part in enumerate(self.gate.slices):
            _check_bound(self.gate.metric, part, ("at_least", "at_most"), "gate", "slices", at)

    def _check_other_columns(self, used: list[str]) -> None:
        for key in ("id", "ignore"):
            for at, name in enumerate(getattr(self, key)):
                if name in used:
                    raise mistake(f"{name} is named already; accepted: columns that are nothing else", key, at)
                used.append(name)


def _check_split(split: Split, target: str) -> None:
    for key, column in (("group", split.group), ("time", split.time)):
        if column == target:
            raise mistake(f"{target} is the target; accepted: another column", "search", key)
    if split.group is not None and split.time is not None:
        raise mistake("goes without time: rows are split by one of the two", "search", "group")
    if split.gap is not None and split.time is None:
        raise mistake("goes with time, the column whose times it is between", "search", "gap")


def _check_target(task: Task, target: Target) -> None:
    if task == "regression":
        if target.classes:
            raise mistake("goes with task: classification; a regression predicts numbers", "target", "classes")
        bounds = [bound for bound in (target.minimum, target.maximum) if bound is not None]
        if bounds != sorted(set(bounds)):
            raise mistake("is not below maximum", "target", "minimum")
        return
    for key in ("minimum", "maximum", "unit"):
        if key in target.model_fields_set:
            raise mistake("goes with task: regression; a classification predicts classes", "target", key)
    if not target.classes:
        raise mistake("is missing; accepted: a list, two or more, each a text", "target", "classes")
    if len(set(target.classes)) != len(target.classes):
        raise mistake("a class stands twice", "target", "classes")


def _check_bound(metric: Metric, part: Gate | Slice, names: tuple[str, str], *where: str | int) -> None:
    """Refuse a gate, or a slice of it, that does not say how good the metric must be, or says it twice."""
    given = [name for name in names if getattr(part, name) is not None]
    wanted = names[metric in LOWER_IS_BETTER]
    if not given:
        raise mistake("is missing; accepted: a number", *where, wanted)
    if len(given) == 2:
        raise mistake(f"goes without {given[1]}: one bound is held against", *where, given[0])
    if given != [wanted] and metric != "log_loss":
        less = "less" if metric in LOWER_IS_BETTER else "more"
        raise mistake(f"of {metric} {less} is better; write {wanted}", *where, given[0])


def _check(feature: Feature, position: int) -> None:
    def wrong(text: str, *key: str) -> PydanticCustomError:
        return mistake(text, "features", position, *key, label=".".join(("features", feature.name, *key)))

    if not feature.name.strip() or feature.name != feature.name.strip() or not feature.name.isprintable():
        raise wrong("a name is printable, not empty, and has no space around it")
    if (feature.kind == "category") != bool(feature.categories):
        raise wrong("categories go with kind: category, and only with it")
    if len(set(feature.categories)) != len(feature.categories):
        raise wrong("a category stands twice", "categories")
    bounds = [bound for bound in (feature.minimum, feature.maximum) if bound is not None]
    if feature.kind in ("category", "boolean") and bounds:
        raise wrong("minimum and maximum go with numbers")
    if bounds != sorted(bounds) or not all(math.isfinite(bound) for bound in bounds):
        raise wrong("minimum and maximum are finite, and minimum is not above maximum")
    if feature.missing not in ("reject", "keep"):
        try:
            feature.known(feature.missing)
        except UnacceptableValue as problem:
            raise wrong(str(problem), "missing") from None


def _check_slice(gate_slice: Slice, features: dict[str, Feature], position: int) -> None:
    def wrong(text: str) -> PydanticCustomError:
        return mistake(text, "gate", "slices", position, label=f"gate.slices.{gate_slice.feature}")

    feature = features.get(gate_slice.feature)
    if feature is None:
        raise wrong(f"there is no such feature; accepted: {', '.join(features)}")
    by_bounds = gate_slice.minimum is not None or gate_slice.below is not None
    if feature.kind == "category":
        if by_bounds or gate_slice.category not in feature.categories:
            raise wrong(f"category: {feature.accepts} is accepted, without minimum or below")
    elif gate_slice.category is not None or not by_bounds:
        raise wrong("minimum, below or both are accepted, without category")
