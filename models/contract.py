"""The contract of a trained model: `model.yaml`, all of which is checked before anything is deployed.

Each model has a folder. Next to `model.yaml` is `training.py` with `fit(X, y, params) -> estimator`:
`X` is float32 [rows, features] in the declared order, `params` one point of the search space, `y`
int64 positions in `target.classes`, and the estimator has `predict_proba`; of a task with numbers
`y` is float64, and the estimator has `predict`. Where rows have `weights`, a last argument is
float64 [rows]. `fit_quantile(X, y, params, quantile)` beside it fits the ends of an `interval`.
"""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, field_serializer, model_validator

from models import halving
from models.budget import Budget
from models.complaint import Words, mistake
from models.decision import Decision, check_decision
from models.feature import Feature, any_compound
from models.gate import Gate, check_gate
from models.interval import Interval, check_interval
from models.labels import Labels, check_labels
from models.light import replace
from models.measured import Measured, wrong_metric
from models.quality import Quality
from models.section import Described, Later, check_features
from models.series import Series, check_presence, check_series, check_split
from models.split import Split, check_keys
from models.task import NOUNS, OF_NUMBERS, Task
from models.weights import Weights, check_weights

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar = bool | int | float | str | None
Params = dict[str, Scalar]


def _refuse_number_in_text(value: Scalar) -> Scalar:
    if isinstance(value, str):
        try:
            number = f"{float(value):.1e}"
        except ValueError:
            return value
        better = f"a number with a point, as in {number}, or a word" if number[-1].isdigit() else "another word"
        raise mistake(f"{value} is text to YAML; write {better}")
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


class Search(Measured, Split):
    """Which experiments are run: every combination of each family's values, or a random draw of them.

    With `halving` all begin on few rows, and the best go on with more of them: `models.halving`.
    """

    LATER: ClassVar = Measured.LATER | Split.LATER | {"maximum_failed_share", "maximum_seconds_each", "budget"}

    method: Literal["grid", "random", "halving"] = "grid"
    families: tuple[dict[str, Values], ...] = Field(min_length=1)
    trials: int | None = Field(default=None, ge=1, le=1000)
    """How many experiments a random search draws; a grid runs all, and halving begins with all, or with so many."""
    maximum_failed_share: float = Field(default=1.0, ge=0, le=1)
    """The greatest share of experiments that may fail; beyond it the run fails. At least one has to succeed."""
    maximum_seconds_each: float | None = Field(default=None, gt=0, le=900)
    """How long an experiment may take; by default what its function's timeout leaves. One that takes longer failed."""
    budget: Budget | None = None
    """What all of them may use together; the others are skipped."""

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


class Contract(Described, Later):
    """The contract of a model that is trained here."""

    LATER: ClassVar = frozenset({"decision", "interval", "labels", "series", "weights"})

    task: Task
    features: tuple[Feature, ...]
    """What the model takes: the columns that are declared and, of a series, the lags that follow from it."""
    target: Target
    series: Series | None = None
    """Of a forecast: what of the target's own past becomes features."""
    id: tuple[str, ...] = ()
    """Columns that tell a row from others. No feature: a job's answers come with their values."""
    ignore: tuple[str, ...] = ()
    """Columns that may be there and are of no use."""
    quality: Quality = Quality()
    search: Search
    decision: Decision | None = None
    """How a model of two classes decides; by default as its estimator does."""
    interval: Interval | None = None
    """Between which ends the truth is to lie; by default a number stands alone."""
    weights: Weights | None = None
    """What rows weigh; by default each the same."""
    gate: Gate
    labels: Labels = Labels()
    """How truths that come later are used; no part of what a run is."""
    files: tuple[str, ...] = Field(default=(), exclude=True)
    """Files of the model's folder that its code reads: they go where the code goes. Their content decides what a run
    is, as the code does, and not their names."""

    @property
    def reads(self) -> tuple[str, ...]:
        return self.files

    @property
    def is_trained(self) -> bool:
        return True

    @property
    def is_of_numbers(self) -> bool:
        """Whether it answers with numbers, and not with classes."""
        return self.task in OF_NUMBERS

    @property
    def lags(self) -> tuple[Feature, ...]:
        """The features that are computed of a series: the last of all."""
        return () if self.series is None else self.series.features(self.target.as_feature)

    @property
    def columns(self) -> tuple[Feature, ...]:
        """The features that a dataset has as columns: all but the lags."""
        return self.features[: len(self.features) - len(self.lags)]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns by which rows are split, or follow each other."""
        return tuple(dict.fromkeys((*self.search.keys, *(() if self.series is None else self.series.keys))))

    @property
    def terms(self) -> tuple[Feature, ...]:
        """What has a position in `X`: a feature, or each of the numbers that a date or a text becomes."""
        if not any_compound(self.features):
            return self.features
        from models.terms import terms_of  # noqa: PLC0415 - most models have no such feature

        return terms_of(self.features)

    @property
    def learns(self) -> tuple[str, ...]:
        """The features that are yet to learn their categories from a dataset."""
        return tuple(feature.name for feature in self.features if feature.must_learn)

    def with_learnt(self, categories: Mapping[str, tuple[str, ...]]) -> Self:
        """Return the contract with the categories that a dataset has, by their features."""
        known = (replace(one, categories=categories.get(one.name, one.categories)) for one in self.features)
        return self.model_copy(update={"features": tuple(known)})

    @field_serializer("features")
    def _declared(self, features: tuple[Feature, ...]) -> list[dict[str, Any]]:
        return [feature.document() for feature in features[: len(features) - len(self.lags)]]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.series is not None or self.task == "forecasting":
            check_presence(self.series, self.task)
        elif not self.features:
            raise mistake("is an empty list; accepted: a list, one or more, each a mapping with name", "features")
        check_features(self.features)
        names = [feature.name for feature in self.features]
        if self.target.name in names:
            raise mistake(f"{self.target.name} is a feature too", "target", "name", label="target")
        self._check_other_columns([*names, self.target.name])
        _check_target(self.task, self.target)
        whole = self if self.series is None else self._with_lags(self.series)
        whole._check_judged()
        return whole

    def _with_lags(self, series: Series) -> Self:
        """Return the contract whose features have the lags among them, and whose rows are split by the series' time."""
        check_series(series, self.target.name, [*(one.name for one in self.features), *self.id, *self.ignore])
        check_split(series, self.search)
        search = self.search.model_copy(update={"time": series.time})
        return self.model_copy(update={"features": (*self.features, *self.lags), "search": search})

    def _check_judged(self) -> None:
        check_keys(self.search, self.target.name)
        named = "metric" in self.search.model_fields_set
        if (wrong := wrong_metric(self.task, self.search.metric, "search", named=named)) is not None:
            raise wrong
        classes = len(self.target.classes)
        if self.interval is not None:
            check_interval(self.task)
        terms = {term.name: term for term in self.terms}
        check_gate(self.gate, self.task, terms, classes, has_interval=self.interval is not None)
        if "labels" in self.model_fields_set:
            check_labels(self.labels, self.gate.metric)
        check_decision(self.decision, classes)
        if self.weights is not None:
            check_weights(self.weights, self._named(), self.target.classes)

    @property
    def weight_column(self) -> str | None:
        """The column that says what each row weighs, if there is one."""
        return None if self.weights is None else self.weights.column

    @property
    def row_columns(self) -> tuple[str, ...]:
        """The columns that say of a row what it is split by, and what it weighs: a dataset has each of them."""
        return self.keys if self.weight_column is None else (*self.keys, self.weight_column)

    @property
    def measures(self) -> tuple[str, ...]:
        """What records call the metrics that the contract names."""
        return (self.search.measure, *self.gate.measures)

    def _named(self) -> dict[str, str]:
        """Return what each column is that is named, but for that of weights."""
        split = {name: f"search.{key}" for key in ("group", "time") if (name := getattr(self.search, key)) is not None}
        series = {} if self.series is None else {name: "a column of series" for name in self.series.keys}
        others = {name: f"one of {key}" for key in ("id", "ignore") for name in getattr(self, key)}
        features = {feature.name: "a feature" for feature in self.features}
        return {**split, **series, **others, **features, self.target.name: "the target"}

    def _check_other_columns(self, used: list[str]) -> None:
        for key in ("id", "ignore"):
            for at, name in enumerate(getattr(self, key)):
                if name in used:
                    raise mistake(f"{name} is named already; accepted: columns that are nothing else", key, at)
                used.append(name)


def _check_target(task: Task, target: Target) -> None:
    if task in OF_NUMBERS:
        if target.classes:
            told = f"goes with task: classification; {NOUNS[task]} predicts numbers"
            raise mistake(told, "target", "classes")
        bounds = [bound for bound in (target.minimum, target.maximum) if bound is not None]
        if bounds != sorted(set(bounds)):
            raise mistake("is not below maximum", "target", "minimum")
        return
    for key in ("minimum", "maximum", "unit"):
        if key in target.model_fields_set:
            raise mistake("goes with task: regression or forecasting; a classification predicts classes", "target", key)
    if not target.classes:
        raise mistake("is missing; accepted: a list, two or more, each a text", "target", "classes")
    if len(set(target.classes)) != len(target.classes):
        raise mistake("a class stands twice", "target", "classes")
