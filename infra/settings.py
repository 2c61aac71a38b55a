"""The settings of a stack: one strict object, read once. Nothing else reads `pulumi.Config`.

`cloud` and `models` alone make a valid stack; everything else has a default that a new account
can keep. Facts that belong to a provider (`aws:region`, `gcp:project`) stay there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import pulumi
from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError, create_model, model_validator

from infra.accepted import Kind, without_empty_parts
from infra.alerts import Alerts
from infra.api_policy import Auth, Cors, IamAuth, Throttling
from infra.budget import Budget
from infra.capture import Capture, unkeyed
from infra.cloud_folders import names as cloud_names
from infra.complaint import complaints
from infra.estimate.traffic import Traffic
from infra.function_spec import FunctionSpec, well_named
from infra.function_table import FUNCTIONS, TRAIN, named
from infra.retraining import Retraining, in_vain
from infra.rollout import Rollout
from infra.scaling import EcoStack, Scaling
from infra.section import Name, Section, Words, no_flag, once, retype
from infra.settings_file import SettingsFile
from infra.singled_out import unknown_models
from infra.size import OwnSize, Size
from infra.traces import Traces
from infra.training import Training, meaningless

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NAMESPACE, NAME = "serverless-ml", "settings"
KEY = f"{NAMESPACE}:{NAME}"
"""The same whatever the project is called: `pulumi new --name` renames the project and no key of a stack's file."""
_EXAMPLES = {"cloud": "aws", "models": "[breast_cancer]"}


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
        sizes = {name: size for name, size in value.items() if size is not None}
        return {
            name: {**defaults.get(name, {}), **size} if isinstance(size, dict) else size for name, size in sizes.items()
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
            if well_named(spec.name)
        },
    )
"""A field for each row of the table."""


class Webhook(Section):
    """Who is told how each job ends."""

    url: Annotated[
        str,
        Field(pattern=r"^(https://[!-~]+|http://127\.0\.0\.1[:/][!-~]*)$"),
        Words("https://..., without spaces, or http://127.0.0.1:... for a local stack"),
    ]
    secret: Annotated[str, Field(pattern=r"^[!-~]{24,128}$"), Words("24 to 128 characters without spaces")]
    """By which the receiver checks who tells it: `whsec_` and Base64, as Standard Webhooks has it, or any text."""


class Jobs(Section):
    attempts: int = Field(default=5, ge=2, le=100)
    """Deliveries of a job, or of any other function's message, before it becomes a dead letter."""
    keep_days: int = Field(default=30, ge=1, le=3650)
    """How long inputs and results are kept."""
    webhook: Webhook | None = None
    parallelism: int = Field(default=4, ge=1, le=40)
    """Copies of the jobs function that work on one job at a time."""


class ApiSettings(Section):
    auth: Auth = IamAuth()
    throttling: Throttling = Throttling()
    cors: Cors = Cors()


def _known(cloud: str) -> str:
    if cloud not in cloud_names():
        raise ValueError
    return cloud


class Settings(Section):
    cloud: Annotated[str, AfterValidator(_known), Words(", ".join(cloud_names()))]
    models: Annotated[tuple[Name, ...], Field(min_length=1), once()]
    runtime: Runtime = Runtime()
    functions: Functions = Field(default_factory=Functions)
    scaling: Scaling = EcoStack()
    """How copies of the predict function come and go; a model may have its own profile."""
    jobs: Jobs = Jobs()
    training: Training = Training()
    rollout: Rollout = Rollout()
    retraining: Retraining | None = None
    """What has the models trained again by themselves. None: nothing does."""
    api: ApiSettings = ApiSettings()
    capture: Capture = Capture()
    traces: Traces = Traces()
    alerts: Alerts = Alerts()
    budget: Budget | None = None
    """What the stack may cost in a month. None: the cloud tells nobody, and nothing can be stopped."""
    estimate: Traffic = Traffic()
    pointer_seconds: int = Field(default=5, ge=1, le=300)
    """Seconds until every copy of the predict function follows a promotion or a rollback."""
    log_days: Annotated[Literal[1, 3, 5, 7, 14, 30, 60, 90, 180, 365], BeforeValidator(no_flag)] = 30
    protect: bool = True
    """Keep the data when the stack is destroyed."""
    _secret: bool = PrivateAttr(default=False)
    _file: SettingsFile | None = PrivateAttr(default=None)

    @property
    def secret(self) -> bool:
        """Whether the stack's file encrypts any of them: Pulumi tells that of all together."""
        return self._secret

    def where(self, path: str, stack: str) -> str:
        """Return the file, and the line if it is known, of a setting by its keys: `rollout.steps`."""
        return self._file.where_path(path) if self._file is not None else f"Pulumi.{stack}.yaml"

    def size(self, function: str) -> Size:
        """Return the size of a function, by its name in the table."""
        return dict(self.functions)[function]

    def size_of(self, spec: FunctionSpec) -> Size:
        """Return the size of a function of the stack, by its row."""
        if not spec.model:
            return self.size(spec.name)
        own = self.training.models.get(spec.model, OwnSize()).model_dump(exclude_none=True)
        return self.size(TRAIN).model_copy(update=own)

    def copies(self, spec: FunctionSpec) -> int:
        """Return the most copies of a function: its concurrency, or else the figure of its row."""
        return self.size_of(spec).concurrency or spec.copies

    @property
    def stoppable(self) -> bool:
        """Whether the stack has the function that stops it."""
        return self.budget is not None and self.budget.stop_at is not None

    @property
    def job_workers(self) -> int:
        """The copies that one job is announced to: one that finds none would be tried in vain, and counted."""
        return min(self.jobs.parallelism, self.copies(named("jobs")))

    @classmethod
    def load(cls) -> Self:
        """Read the settings of the stack that the program runs for.

        Raise `pulumi.RunError` that names the file, the key, what was found and what is accepted.
        """
        stack = pulumi.get_stack()
        where = f"Pulumi.{stack}.yaml"
        config = pulumi.Config(NAMESPACE)
        if misplaced := list(cls._misplaced()):
            hint = "" if config.get(NAME) else f" ({KEY} is empty: is what belongs to it indented too little?)"
            raise pulumi.RunError(
                f"{where}: {', '.join(misplaced)}: nothing reads this; all settings are in {KEY}, whatever the project"
                f" is called: pulumi config set --path {KEY}.<name> <value>{hint}"
            )
        if not config.get(NAME):
            raise pulumi.RunError(
                f"{where}: {KEY} is missing. Write at least:\n"
                f"config:\n  {KEY}:\n    cloud: aws\n    models: [breast_cancer]"
            )
        try:
            value = config.get_object(NAME)
        except pulumi.ConfigTypeError:
            value = config.get(NAME)
        secret = pulumi.runtime.is_config_secret(KEY)
        return cls.parse(value, where=where, secret=secret, file=SettingsFile.find(stack, KEY, value))

    @classmethod
    def _misplaced(cls) -> Iterator[str]:
        """Yield the keys of the stack that are named like a setting and stand outside of the settings' object."""
        for namespace in sorted({NAMESPACE, pulumi.get_project()}):
            for name in (NAME, *cls.model_fields):
                key = f"{namespace}:{name}"
                if key != KEY and pulumi.Config(namespace).get(name) is not None:
                    yield key

    @classmethod
    def parse(cls, value: object, where: str, *, secret: bool = False, file: SettingsFile | None = None) -> Self:
        """Validate settings that come from `where`, a file's name. Raise `pulumi.RunError` as `load` does.

        With `secret` any of them may be encrypted in the file: texts are converted, and no message shows a value.
        `file` knows the lines.
        """
        document = json.loads(json.dumps(_finite(value)))
        while True:
            problems: list[ErrorDetails] = []
            settings = None
            try:
                settings = cls.model_validate_json(json.dumps(without_empty_parts(document, [Kind(type=cls)])))
            except ValidationError as refused:
                if retype(document, refused.errors(), secret=secret):
                    continue
                problems += refused.errors()
            problems += unknown_models(document)
            problems += [] if settings is None else list(settings._meaningless())
            if settings is None or problems:
                raise pulumi.RunError(cls._refusal(problems, document, file or SettingsFile(name=where), secret=secret))
            settings._secret, settings._file = secret, file
            return settings

    def _meaningless(self) -> Iterator[ErrorDetails]:
        """Yield a problem for each thing that is said and cannot be meant beside the others."""
        yield from meaningless(self.training)
        yield from unkeyed(self.capture)
        yield from in_vain(self.retraining, self.capture)

    @classmethod
    def _refusal(cls, problems: list[ErrorDetails], document: object, file: SettingsFile, *, secret: bool) -> str:
        told = complaints(problems, root=cls, document=document, examples=_EXAMPLES, secret=secret)
        lines = [(file.line_of(keys) or 0, f"{file.where(keys)}: {KEY}{text}") for keys, text in told]
        return "\n".join(text for _, text in sorted(lines, key=lambda line: line[0]))


def autonaming() -> object:
    """Return how the stack has Pulumi name what it makes, or None where it does not say."""
    return pulumi.Config("pulumi").get_object("autonaming")


def of_project(key: str) -> str:
    """Return the value of a key of the project's own configuration, its length in x where it is secret."""
    value = pulumi.Config().get(key) or ""
    return "x" * len(value) if pulumi.runtime.is_config_secret(f"{pulumi.get_project()}:{key}") else value


def _finite(value: Any) -> Any:
    """Return settings with texts in place of numbers that are none: JSON cannot say them."""
    match value:
        case dict():
            return {key: _finite(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value


_EXAMPLES = {"cloud": "aws", "models": "[breast_cancer]"}
