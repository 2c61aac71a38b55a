"""What a stack is told: one strict object, read once. Nobody else reads `pulumi.Config`.

`cloud` and `models` alone make a valid stack; everything else has a default that is
fit for production. Facts that belong to a provider (`aws:region`, `gcp:project`) stay there.
"""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

import pulumi
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from infra import cron

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

KEY = "serverless-ml:settings"


def _cron(text: str) -> str:
    cron.parse(text)
    return text


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
Cron = Annotated[str, AfterValidator(_cron)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Runtime(Section):
    """The interpreter and processor that functions run on; `host` is this machine's, for local stacks."""

    python: Literal["3.11", "3.12", "3.13", "host"] = "3.13"
    architecture: Literal["x86_64", "arm64", "host"] = "x86_64"


class Worker(Section):
    """The size of one function."""

    memory_mb: int = Field(ge=128, le=10_240)
    timeout_seconds: int = Field(ge=3, le=900)
    concurrency: int = Field(ge=1, le=1000)


class Functions(Section):
    """The size of each function; a stack may change one figure and keep the others."""

    prepare: Worker = Worker(memory_mb=2048, timeout_seconds=300, concurrency=2)
    train: Worker = Worker(memory_mb=3072, timeout_seconds=840, concurrency=20)
    select: Worker = Worker(memory_mb=2048, timeout_seconds=300, concurrency=2)
    rollout: Worker = Worker(memory_mb=512, timeout_seconds=60, concurrency=2)
    predict: Worker = Worker(memory_mb=1024, timeout_seconds=15, concurrency=50)
    jobs: Worker = Worker(memory_mb=1024, timeout_seconds=120, concurrency=5)

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        defaults = {name: field.default.model_dump() for name, field in cls.model_fields.items()}
        return {
            name: {**defaults.get(name, {}), **worker} if isinstance(worker, dict) else worker
            for name, worker in given.items()
        }


class Training(Section):
    parallelism: int = Field(default=10, ge=1, le=40)
    """Experiments at a time."""
    timeout_hours: int = Field(default=24, ge=1, le=168)
    """From arrival to the end of the release, baking included."""
    schedule: Cron | None = None
    """Train every model on its newest dataset, UTC. Without it only a new dataset starts training."""


class Rollout(Section):
    steps: tuple[Annotated[int, Field(ge=1, le=99)], ...] = (10, 50)
    """Per cent of the callers who get the challenger, step by step; 100 follows the last."""
    bake_seconds: int = Field(default=600, ge=1, le=86_400)
    """How long each step is watched before it is judged."""
    patience: int = Field(default=3, ge=1, le=100)
    """How many bakes a step may take to see enough requests."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.steps or list(self.steps) != sorted(set(self.steps)):
            raise ValueError("steps must rise, one or more of them, as in [10, 50]")
        return self


class IamAuth(Section):
    """Callers sign their requests with the cloud's own credentials."""

    kind: Literal["iam"] = "iam"


class JwtAuth(Section):
    kind: Literal["jwt"]
    issuer: str = Field(pattern=r"^https://")
    audience: tuple[str, ...] = Field(min_length=1)


class NoAuth(Section):
    """Open to everyone who can reach it; the reason is shown in the preview."""

    kind: Literal["none"]
    reason: str = Field(min_length=10)


Auth = Annotated[IamAuth | JwtAuth | NoAuth, Field(discriminator="kind")]


class Throttling(Section):
    rate: int = Field(default=100, ge=1, le=10_000)
    """Requests a second."""
    burst: int = Field(default=200, ge=1, le=5_000)


class Cors(Section):
    origins: tuple[Annotated[str, Field(pattern=r"^https?://[^*/]+$")], ...] = ()
    """Pages allowed to call the API; none by default, and never `*`."""


class ApiSettings(Section):
    auth: Auth = IamAuth()
    throttling: Throttling = Throttling()
    cors: Cors = Cors()


class Capture(Section):
    """What is kept of predictions. Counts and durations are always kept: the judge needs them."""

    inputs: float = Field(default=0.0, ge=0, le=1)
    """The share of requests whose features and answers are kept too."""
    days: int = Field(default=30, ge=1, le=3650)


class Settings(Section):
    cloud: str
    models: tuple[Name, ...] = Field(min_length=1)
    runtime: Runtime = Runtime()
    functions: Functions = Functions()
    training: Training = Training()
    rollout: Rollout = Rollout()
    api: ApiSettings = ApiSettings()
    capture: Capture = Capture()
    pointer_seconds: int = Field(default=5, ge=1, le=300)
    """How soon every copy of the predict function follows a promotion or a rollback."""
    log_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365] = 30
    protect: bool = True
    """Keep the data when the stack is destroyed."""

    @classmethod
    def load(cls, config: pulumi.Config, stack: str) -> Self:
        """The stack's settings.

        Raises `pulumi.RunError` that names the file, the key, what was found and what is accepted.
        """
        found = config.get_object("settings")
        if found is None:
            raise pulumi.RunError(
                f"Pulumi.{stack}.yaml: {KEY} is missing. Write at least:\n"
                f"config:\n  {KEY}:\n    cloud: aws\n    models: [breast_cancer]"
            )
        return cls.parse(found, where=f"Pulumi.{stack}.yaml")

    @classmethod
    def parse(cls, found: object, where: str) -> Self:
        try:
            return cls.model_validate_json(_json(found))
        except ValidationError as problems:
            raise pulumi.RunError("\n".join(_sentence(problem, where) for problem in problems.errors())) from None


def _json(found: object) -> str:
    return json.dumps(found)


def _sentence(problem: ErrorDetails, where: str) -> str:
    path = [str(part) for part in problem["loc"] if part not in ("iam", "jwt", "none")]
    place = f"{where}: {KEY} -> {'.'.join(path) or '(the whole object)'}"
    if problem["type"] == "extra_forbidden":
        accepted = _fields_at(path[:-1])
        meant = difflib.get_close_matches(path[-1], accepted, n=1)
        hint = f"; did you mean {meant[0]}?" if meant else ""
        return f"{place}: there is no such setting{hint}\n  accepted here: {', '.join(accepted)}"
    if problem["type"] == "missing":
        line = f"{'  ' * len(path)}{path[-1]}: {_EXAMPLES.get(path[-1], '...')}"
        return f"{place}: is required\n  write, for example:\n  {line}"
    return f"{place}: {problem['msg']}\n  found: {problem['input']!r}"


_EXAMPLES = {"cloud": "aws", "models": "[breast_cancer]"}


def _fields_at(path: list[str]) -> list[str]:
    """The names accepted below a path; what differs by `kind` is joined."""
    models: list[type[BaseModel]] = [Settings]
    for part in path:
        models = [
            inner
            for model in models
            if part in model.model_fields
            for inner in sections_in(model.model_fields[part].annotation)
        ]
    return sorted({name for model in models for name in model.model_fields})


def sections_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for inner in get_args(annotation) for section in sections_in(inner)]
