"""The part that every `model.yaml` has, for models of any kind, and how it is read."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from models.complaint import Words, complaints, mistake, surprises
from models.document import Document

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from models.feature import Feature

FOLDER = Path(__file__).resolve().parent
CONTRACT = "model.yaml"
SHARED = "shared.txt"
"""In an archive, beside `model.yaml`: the files outside the model's folder that its training imports, one a line, from
the archive's root. Another content of one of them is another run."""

LOCK = "lock.txt"
"""In an archive, beside the models' folders: SHA-256 of the lock that training is installed from. Other packages are
another run. A model with packages of its own has one in its folder, which holds in its place."""


class ContractError(ValueError):
    """A `model.yaml` cannot be used. The text names the file, the key and what is accepted."""


class Section(BaseModel):
    """A part of `model.yaml`: strict, frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Later(Section):
    """A section that got keys after it had been released: one that lacks them has the digest that it always had."""

    LATER: ClassVar[frozenset[str]] = frozenset()
    """These keys."""

    @model_serializer(mode="wrap")
    def _without_later(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        given = handler(self)
        lacking = {key for key in self.LATER if getattr(self, key) == type(self).model_fields[key].default}
        return {key: value for key, value in given.items() if key not in lacking}


class Risk(Later):
    """How often a release may end wrongly, and what is counted."""

    LATER: ClassVar = frozenset({"unacceptable_loss"})

    withdraw_good: float = Field(default=0.05, ge=0.0001, le=0.5)
    """The share of good challengers, which keep to what is allowed, that are withdrawn all the same, at most."""
    promote_bad: float = Field(default=0.05, ge=0.0001, le=0.5)
    """The share of bad challengers, of which something is unacceptable, that evidence promotes, at most."""
    unacceptable_odds: float = Field(default=3.0, ge=1.1, le=100)
    """What is unacceptable has so many times the odds of what is allowed: of 1 % errors 2.94 %, of 10 % 25 %."""
    unacceptable_loss: float = Field(default=0.05, ge=0.001, le=0.5)
    """By truths: so much farther from them than the champion is unacceptable, none is allowed.

    Of classes it is a share of the rows, of numbers of the champion's usual error."""
    unit: Literal["request", "caller_minute"] = "request"
    """What is one outcome: each request, or the mean of a caller's minute, where requests of a caller fail together."""


class RolloutThresholds(Later):
    """What a challenger must fulfil with real callers before it is promoted."""

    LATER: ClassVar = frozenset({"risk", "without_evidence"})

    minimum_requests: int = Field(default=0, ge=0)
    """Requests that each step must see. When there are fewer after the stack's patience, `without_traffic` decides."""
    without_traffic: Literal["promote", "roll_back"] = "promote"
    """What becomes of a challenger that too few requests came for."""
    without_evidence: Literal["promote", "roll_back"] = "promote"
    """What becomes of one that, at the end, is shown to be neither better than unacceptable nor worse than allowed."""
    risk: Risk = Risk()
    maximum_error_rate: float = Field(default=0.01, ge=0, le=1)
    minimum_agreement: float = Field(default=0.9, ge=0, le=1)
    """The least share of the rows for which the champion predicts the same."""
    maximum_latency_ratio: float = Field(default=2.0, ge=1)
    """A request is slow that takes the challenger more than so many times as long as the champion. Half of them may."""
    latency_floor_ms: float = Field(default=5.0, ge=0)
    """A request that takes the challenger no longer than this is never slow."""


class Described(Section):
    """The keys that every `model.yaml` has."""

    name: Annotated[
        str,
        Field(pattern=r"^[a-z][a-z0-9_]{0,47}$"),
        Words("the folder's name: a small letter, and at most 47 small letters, digits and _"),
    ]
    description: str = ""
    rollout: RolloutThresholds = RolloutThresholds()

    @property
    def reads(self) -> tuple[str, ...]:
        """The files of its folder that its code reads."""
        return ()

    @property
    def is_trained(self) -> bool:
        """Whether its versions come of the packages that training is installed with."""
        return False

    @property
    def digest(self) -> str:
        """SHA-256 of the contract, 64 hexadecimal digits: another contract is another run.

        What becomes of a version after its promotion is no part of it.
        """
        whole = self.model_dump(mode="json", exclude={"labels"})
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()

    @classmethod
    def load(cls, name: str, folder: Path = FOLDER) -> Self:
        """Load the contract of `folder/name/`. Raises `ContractError`."""
        return cls.of(read(name, folder), name)

    @classmethod
    def of(cls, document: Document, name: str) -> Self:
        """Return the contract that the folder `name` holds. Raises `ContractError`."""
        contract = cls.check(document)
        if contract.name != name:
            place = document.place(("name",))
            raise ContractError(f"{place}: name: is {contract.name}, but the folder is {name}; they must be equal")
        return contract

    @classmethod
    def parse(cls, content: object, where: str) -> Self:
        """Return the contract of content that has no lines. Raises `ContractError`, which calls it `where`."""
        return cls.check(Document(where=where, value=content))

    @classmethod
    def check(cls, document: Document) -> Self:
        """Check what a file holds, and return the contract. Raises `ContractError`."""
        if not isinstance(document.value, dict):
            raise ContractError(f"{document.where}: is no mapping; accepted: keys and values, such as name: churn")
        try:
            contract = cls.model_validate_json(json.dumps(document.value))
        except ValidationError as problems:
            raise ContractError("\n".join(complaints(problems.errors(), document, cls))) from None
        if any(plain.surprising for plain in document.plain.values()):
            raise ContractError("\n".join(surprises(document)))
        return contract


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the models in `folder`, in order."""
    return sorted(path.parent.name for path in folder.glob(f"*/{CONTRACT}"))


def read(name: str, folder: Path = FOLDER) -> Document:
    """Return what `folder/name/model.yaml` holds. Raises `ContractError`."""
    file = folder / name / CONTRACT
    where = f"{folder.name}/{name}/{CONTRACT}"
    if not file.is_file():
        raise ContractError(f"{where} does not exist; models here: {', '.join(names(folder)) or 'none'}")
    try:
        return Document.read(file.read_bytes(), where)
    except yaml.YAMLError as problem:
        raise ContractError(f"{where}: {problem}") from None


def check_features(features: Sequence[Feature]) -> None:
    """Raise `PydanticCustomError` for the first feature that is declared wrongly."""
    names = [feature.name for feature in features]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise mistake(f"{name} stands twice", "features", at, "name", label="features")
    for at, feature in enumerate(features):
        for key, told in itertools.chain(feature.faults(), _later_faults(feature, features)):
            keys = (key,) if key else ()
            raise mistake(told, "features", at, *keys, label=".".join(("features", feature.name, *keys)))


def _later_faults(feature: Feature, features: Sequence[Feature]) -> Iterable[tuple[str, str]]:
    if not feature.has_later:
        return ()
    from models.declaration import later_faults  # noqa: PLC0415 - most models have no such feature

    return later_faults(feature, features)
