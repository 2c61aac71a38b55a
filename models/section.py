"""The part that every `model.yaml` has, for models of any kind, and how it is read."""

from __future__ import annotations

import difflib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

FOLDER = Path(__file__).resolve().parent
CONTRACT = "model.yaml"
SHARED = "shared.txt"
"""In an archive, beside `model.yaml`: the files outside the model's folder that its training imports, one a line, from
the archive's root. Another content of one of them is another run."""


class ContractError(ValueError):
    """A `model.yaml` cannot be used. The text names the file, the key and what is accepted."""


class Section(BaseModel):
    """A part of `model.yaml`: strict, frozen, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RolloutThresholds(Section):
    """What a challenger must fulfil with real callers before it is promoted."""

    minimum_requests: int = Field(default=0, ge=0)
    """Requests that each step must see. When there are fewer after the stack's patience, `without_traffic` decides."""
    without_traffic: Literal["promote", "roll_back"] = "promote"
    maximum_error_rate: float = Field(default=0.01, ge=0, le=1)
    minimum_agreement: float = Field(default=0.9, ge=0, le=1)
    """The least share of the challenger's rows for which the champion predicts the same."""
    maximum_latency_ratio: float = Field(default=2.0, ge=1)
    """The greatest ratio of the challenger's median latency to the champion's."""
    latency_floor_ms: float = Field(default=5.0, ge=0)
    """A challenger with a median latency below this is never too slow."""


class Described(Section):
    """The keys that every `model.yaml` has."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
    description: str = ""
    rollout: RolloutThresholds = RolloutThresholds()

    @property
    def reads(self) -> tuple[str, ...]:
        """The files of its folder that its code reads."""
        return ()

    @property
    def digest(self) -> str:
        """SHA-256 of the contract, 64 hexadecimal digits: another contract is another run."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    @classmethod
    def load(cls, name: str, folder: Path = FOLDER) -> Self:
        """Load the contract of `folder/name/`. Raises `ContractError`."""
        content, where = read(name, folder)
        contract = cls.parse(content, where)
        if contract.name != name:
            raise ContractError(f"{where}: name: is {contract.name}, but the folder is {name}; they must be equal")
        return contract

    @classmethod
    def parse(cls, content: object, where: str) -> Self:
        """Check what YAML read from the file `where`, and return the contract. Raises `ContractError`."""
        try:
            text = json.dumps(content, default=str)
        except (TypeError, ValueError, RecursionError) as problem:
            raise ContractError(f"{where}: cannot be written as JSON: {problem}") from None
        try:
            return cls.model_validate_json(text)
        except ValidationError as problems:
            lines = [f"{where}: {_sentence(problem, cls)}" for problem in problems.errors()]
            raise ContractError("\n".join(lines)) from None


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the models in `folder`, in order."""
    return sorted(path.parent.name for path in folder.glob(f"*/{CONTRACT}"))


def read(name: str, folder: Path = FOLDER) -> tuple[Any, str]:
    """Return what YAML reads from `folder/name/model.yaml`, and the file's name for messages.

    Raises `ContractError`.
    """
    file = folder / name / CONTRACT
    where = f"{folder.name}/{name}/{CONTRACT}"
    if not file.is_file():
        raise ContractError(f"{where} does not exist; models here: {', '.join(names(folder)) or 'none'}")
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8")), where
    except yaml.MarkedYAMLError as problem:
        at = problem.problem_mark or problem.context_mark
        line = f"line {at.line + 1}: " if at else ""
        raise ContractError(f"{where}: {line}is not YAML: {problem.problem or problem.context}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise ContractError(f"{where} is not YAML: {' '.join(str(problem).split())}") from None


def _sentence(problem: ErrorDetails, kind: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] not in ("extra_forbidden", "unexpected_keyword_argument"):
        return (f"{path}: " if path else "") + problem["msg"].removeprefix("Value error, ")
    name = str(problem["loc"][-1])
    close = difflib.get_close_matches(name, sorted(set(_keys(kind))), n=1)
    return f"{path}: there is no such key" + (f"; did you mean {close[0]}?" if close else "")


def _keys(kind: object) -> Iterator[str]:
    """Yield every key of a section and of the sections inside it."""
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__dataclass_fields__", None)
    if fields is None:
        for inner in get_args(kind):
            yield from _keys(inner)
        return
    for name, field in fields.items():
        yield name
        yield from _keys(getattr(field, "annotation", None))
