"""The settings of a stack: one strict object, read once. Nothing else reads `pulumi.Config`.

`cloud` and `models` alone make a valid stack; everything else has a default that a new account
can keep. Facts that belong to a provider (`aws:region`, `gcp:project`) stay there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import pulumi
from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError, create_model, model_validator

from infra.api_policy import Auth, Cors, IamAuth, Throttling
from infra.function_table import FUNCTIONS, named
from infra.scaling import EcoStack, Scaling
from infra.section import Cron, Name, Section, no_flag, retype, sentence
from infra.size import Size
from interface.rollout import RolloutPlan

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NAMESPACE, NAME = "serverless-ml", "settings"
KEY = f"{NAMESPACE}:{NAME}"
"""The same whatever the project is called: `pulumi new --name` renames the project and no key of a stack's file."""


class Runtime(Section):
    """The interpreter and processor that functions run on; `host` is this machine's, for local stacks."""

    python: Literal["3.11", "3.12", "3.13", "host"] = "3.13"
    architecture: Literal["x86_64", "arm64", "host"] = "x86_64"
    compiled: bool = False
    """Whether archives hold `.pyc` files, by one exact version of CPython; always where the cloud builds, and for
    `host`."""


class FunctionSizes(Section):
    """The size of each function; a stack may change one figure and keep the others."""

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        defaults = {spec.name: spec.size for spec in FUNCTIONS}
        return {
            name: {**defaults.get(name, {}), **size} if isinstance(size, dict) else size for name, size in value.items()
        }


if TYPE_CHECKING:
    Functions = FunctionSizes
else:
    Functions = create_model(
        "Functions",
        __base__=FunctionSizes,
        # Made when settings are read: a size that is out of range is then refused as a mistake of its row.
        **{
            spec.name: (Size, Field(default_factory=lambda spec=spec: Size(**spec.size)))
            for spec in FUNCTIONS
            if spec.well_named
        },
    )
"""A field for each row of the table."""


class Jobs(Section):
    attempts: int = Field(default=5, ge=2, le=100)
    """Deliveries of a job, or of any other function's message, before it becomes a dead letter."""


class Training(Section):
    parallelism: int = Field(default=4, ge=1, le=40)
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
    shadow: int | None = Field(default=None, ge=1, le=100)
    """Per cent of the requests that the challenger is asked about in shadow, watched like a step, before the first.

    Its answers are compared and never shown; the caller waits for both."""

    @property
    def plan(self) -> RolloutPlan:
        """The plan that the rollout function gets."""
        return RolloutPlan(**self.model_dump())

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not self.steps or list(self.steps) != sorted(set(self.steps)):
            raise ValueError("steps must rise, one or more of them, as in [10, 50]")
        return self


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
    functions: Functions = Field(default_factory=Functions)
    scaling: Scaling = EcoStack()
    """How copies of the predict function come and go; a model may have its own profile."""
    jobs: Jobs = Jobs()
    training: Training = Training()
    rollout: Rollout = Rollout()
    api: ApiSettings = ApiSettings()
    capture: Capture = Capture()
    pointer_seconds: int = Field(default=5, ge=1, le=300)
    """Seconds until every copy of the predict function follows a promotion or a rollback."""
    log_days: Annotated[Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365], BeforeValidator(no_flag)] = 30
    protect: bool = True
    """Keep the data when the stack is destroyed."""
    _secret: bool = PrivateAttr(default=False)

    @property
    def secret(self) -> bool:
        """Whether the stack's file encrypts any of them: Pulumi tells that of all together."""
        return self._secret

    @model_validator(mode="after")
    def _models_are_named_once(self) -> Self:
        if twice := sorted({name for name in self.models if self.models.count(name) > 1}):
            raise ValueError(f"models: {', '.join(twice)}: named twice; name each model once")
        return self

    @model_validator(mode="after")
    def _scaled_models_exist(self) -> Self:
        if unknown := sorted(set(self.scaling.models) - set(self.models)):
            raise ValueError(f"scaling.models: {', '.join(unknown)}: not in models, which are {', '.join(self.models)}")
        return self

    def size(self, function: str) -> Size:
        """Return the size of a function, by its name in the table."""
        return dict(self.functions)[function]

    def copies(self, function: str) -> int:
        """Return the most copies of a function: its concurrency, or else the figure of its row in the table."""
        return self.size(function).concurrency or named(function).copies

    @classmethod
    def load(cls) -> Self:
        """Read the settings of the stack that the program runs for.

        Raise `pulumi.RunError` that names the file, the key, what was found and what is accepted.
        """
        where = f"Pulumi.{pulumi.get_stack()}.yaml"
        if misplaced := list(cls._misplaced()):
            raise pulumi.RunError(
                f"{where}: {', '.join(misplaced)}: nothing reads this; all settings are in {KEY}, whatever the project"
                f" is called: pulumi config set --path {KEY}.<name> <value>"
            )
        try:
            value = pulumi.Config(NAMESPACE).get_object(NAME)
        except pulumi.ConfigTypeError:
            raise pulumi.RunError(f"{where}: {KEY} is no object; accepted: a mapping such as {{cloud: aws}}") from None
        if value is None:
            raise pulumi.RunError(
                f"{where}: {KEY} is missing. Write at least:\n"
                f"config:\n  {KEY}:\n    cloud: aws\n    models: [breast_cancer]"
            )
        return cls.parse(value, where=where, secret=pulumi.runtime.is_config_secret(KEY))

    @classmethod
    def _misplaced(cls) -> Iterator[str]:
        """Yield the keys of the stack that are named like a setting and stand outside of the settings' object."""
        for namespace in sorted({NAMESPACE, pulumi.get_project()}):
            for name in (NAME, *cls.model_fields):
                key = f"{namespace}:{name}"
                if key != KEY and pulumi.Config(namespace).get(name) is not None:
                    yield key

    @classmethod
    def parse(cls, value: object, where: str, *, secret: bool = False) -> Self:
        """Validate settings that come from `where`, a file's name. Raise `pulumi.RunError` as `load` does.

        With `secret` any of them may be encrypted in the file: texts are converted, and no message shows a value.
        """
        document = json.loads(json.dumps(value))
        while True:
            try:
                settings = cls.model_validate_json(json.dumps(document))
            except ValidationError as refused:
                problems = refused.errors()
                if not retype(document, problems, secret=secret):
                    raise pulumi.RunError(cls._complaint(problems, where, secret=secret)) from None
            else:
                settings._secret = secret
                return settings

    @classmethod
    def _complaint(cls, problems: Sequence[ErrorDetails], where: str, *, secret: bool) -> str:
        source = f"{where}: {KEY}"
        return "\n".join(
            sentence(problem, root=cls, source=source, examples=_EXAMPLES, secret=secret) for problem in problems
        )


_EXAMPLES = {"cloud": "aws", "models": "[breast_cancer]"}
