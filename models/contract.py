"""What a model must say: `model.yaml`, checked whole before anything is deployed.

One folder a model. Beside `model.yaml` stands `training.py` with
`fit(X, y, params) -> estimator`: `X` float32 of shape [rows, features] in the declared
order, `y` int64 positions in `target.classes`, `params` one point of the search space.
The estimator answers `predict_proba`.
"""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from models.feature import Feature, UnacceptableValue

FOLDER = Path(__file__).resolve().parent

Params = dict[str, bool | int | float | str | None]
Metric = Literal["roc_auc", "accuracy", "f1", "log_loss"]
LOWER_IS_BETTER: frozenset[str] = frozenset({"log_loss"})


class ContractError(ValueError):
    """A `model.yaml` that cannot be used. The text names the file, the key and what is accepted."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Target(Section):
    name: str
    classes: tuple[str, ...] = Field(min_length=2)
    """In the order of the probabilities; the positive class of a binary task is the last."""


class Quality(Section):
    """When a dataset is good enough to learn from."""

    minimum_rows: int = Field(default=50, ge=10)
    maximum_rejected_share: float = Field(default=0.02, ge=0, lt=1)
    """Rows that may be set aside before the whole dataset is refused."""


class Search(Section):
    """Which experiments are run: every combination of each family's values, or a random draw of them."""

    method: Literal["grid", "random"] = "grid"
    families: tuple[dict[str, list[bool | int | float | str | None]], ...] = Field(min_length=1)
    trials: int | None = Field(default=None, ge=1, le=1000)
    """How many a random search draws; a grid runs all."""
    metric: Metric = "roc_auc"
    folds: int = Field(default=5, ge=2, le=20)
    holdout: float = Field(default=0.2, gt=0, lt=0.9)
    """The share of rows that no experiment sees: the gate is judged on them."""
    seed: int = 0

    @model_validator(mode="after")
    def _trials_belong_to_random(self) -> Self:
        if (self.method == "random") != (self.trials is not None):
            raise ValueError("trials goes with method: random, and only with it")
        return self

    def experiments(self) -> list[Params]:
        """The points to try, in a fixed order: the same contract gives the same list."""
        points = [
            dict(zip(family, values, strict=True))
            for family in self.families
            for values in itertools.product(*family.values())
        ]
        if self.trials is None or self.trials >= len(points):
            return points
        return random.Random(self.seed).sample(points, self.trials)  # noqa: S311 - a draw, not a secret


class Slice(Section):
    """A part of the rows on which the metric must hold by itself: a feature between two bounds, or a category."""

    feature: str
    minimum: float | None = None
    below: float | None = None
    category: str | None = None
    at_least: float
    """The metric's least value (its greatest, for log_loss)."""


class Gate(Section):
    """What a candidate must prove on rows it never saw before it may be registered."""

    metric: Metric = "roc_auc"
    minimum: float
    """The metric's least value (its greatest, for log_loss)."""
    margin: float = 0.0
    """How much better than the champion it must be; a negative margin lets it be that much worse."""
    slices: tuple[Slice, ...] = ()
    maximum_bytes: int = Field(default=50_000_000, ge=1)
    maximum_latency_ms: float = Field(default=50.0, gt=0)
    """Median of one row, through onnxruntime, on the machine that judges."""


class Release(Section):
    """What a challenger must keep to among real callers before it may be promoted."""

    minimum_requests: int = Field(default=0, ge=0)
    """Requests that each step must see. Too few after the stack's patience: `without_traffic` decides."""
    without_traffic: Literal["promote", "roll_back"] = "promote"
    maximum_error_rate: float = Field(default=0.01, ge=0, le=1)
    minimum_agreement: float = Field(default=0.9, ge=0, le=1)
    """The share of the challenger's requests on which the champion, asked too, gives the same label."""
    maximum_latency_ratio: float = Field(default=2.0, ge=1)
    """Median of the challenger over median of the champion."""
    latency_floor_ms: float = Field(default=5.0, ge=0)
    """A challenger faster than this is never too slow."""


class Contract(Section):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    task: Literal["classification"]
    description: str = ""
    features: tuple[Feature, ...] = Field(min_length=1)
    target: Target
    quality: Quality = Quality()
    search: Search
    gate: Gate
    rollout: Release = Release()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ValueError(f"features: {', '.join(sorted({n for n in names if names.count(n) > 1}))} stands twice")
        if self.target.name in names:
            raise ValueError(f"target: {self.target.name} is a feature too")
        for feature in self.features:
            _check(feature)
        for part in self.gate.slices:
            if part.feature not in names:
                raise ValueError(f"gate.slices: there is no feature {part.feature}")
        return self

    @classmethod
    def load(cls, name: str, folder: Path = FOLDER) -> Self:
        """The contract of `folder/name/`. Raises `ContractError`."""
        import yaml

        file = folder / name / "model.yaml"
        where = f"{folder.name}/{name}/model.yaml"
        if not file.is_file():
            known = sorted(path.parent.name for path in folder.glob("*/model.yaml"))
            raise ContractError(f"{where} does not exist; models here: {', '.join(known) or 'none'}")
        try:
            found = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as problem:
            raise ContractError(f"{where} is not YAML: {problem}") from None
        contract = cls.parse(found, where)
        if contract.name != name:
            raise ContractError(f"{where}: name: is {contract.name}, but the folder is {name}; they must be equal")
        return contract

    @classmethod
    def parse(cls, found: object, where: str) -> Self:
        try:
            return cls.model_validate_json(json.dumps(found, default=str))
        except ValidationError as problems:
            lines = [
                f"{where}: {'.'.join(str(part) for part in problem['loc']) or 'the whole file'}: {problem['msg']}"
                for problem in problems.errors()
            ]
            raise ContractError("\n".join(lines)) from None


def _check(feature: Feature) -> None:
    if (feature.kind == "category") != bool(feature.categories):
        raise ValueError(f"features.{feature.name}: categories go with kind: category, and only with it")
    if feature.kind in ("category", "boolean") and (feature.minimum is not None or feature.maximum is not None):
        raise ValueError(f"features.{feature.name}: minimum and maximum go with numbers")
    if feature.missing not in ("reject", "keep"):
        try:
            feature.encode(feature.missing)
        except UnacceptableValue as problem:
            raise ValueError(f"features.{feature.name}.missing: {problem}") from None


def features_from(found: object) -> tuple[Feature, ...]:
    """Features as they stand in a version's card."""
    return TypeAdapter(tuple[Feature, ...]).validate_python(found)
