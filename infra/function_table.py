"""Every function of the stack, a row each; function_checks.py refuses a row with a mistake.

Settings, archives, permissions, environment, limits, triggers and the blueprint follow from
these rows: a new function is a row here and the module that its `entry` names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NotRequired, TypedDict

from infra.keys import Access
from interface import layout, variables

TABLE = "infra/function_table.py"
TRAIN = "train"
"""The row that trains; trainers.py makes others like it, each for one model alone."""
LONGEST_NAME = 32
"""Cloud Run's bound: a service's name has at most 49 characters, of which 17 are `-function` and what Pulumi adds.
https://cloud.google.com/run/docs/deploying#service-name"""
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
StoreName = Literal["data", "models", "jobs", "captures"]
AnnouncingName = Literal["data", "jobs"]


@dataclass(frozen=True, kw_only=True)
class Http:
    """Routes of the API call the function. Models that scale alike share one such function: serving.py.

    The entry composes a `functions.core.api.service.Service`.
    """

    adapter: ClassVar = "http.handler"
    composes: ClassVar = "Service"


@dataclass(frozen=True, kw_only=True)
class WorkflowStep:
    """Steps of the training workflow call the function by its name. The entry composes a `Step`."""

    adapter: ClassVar = "step.handler"
    composes: ClassVar = "Step"


@dataclass(frozen=True, kw_only=True)
class NewObjects:
    """The function gets a message for every new object below some prefixes of each model, from a queue of its own.

    The entry composes a `Consumer` of keys.
    """

    adapter: ClassVar = "queue.new_objects"
    composes: ClassVar = "Consumer[str]"
    store: AnnouncingName
    prefixes: tuple[str, ...]
    arrival: str
    """The name of the arrival: a promise to every stack that has one."""


@dataclass(frozen=True, kw_only=True)
class Messages:
    """The function gets the messages of a queue of its own, each a JSON object.

    The entry composes a `Consumer` of objects.
    """

    adapter: ClassVar = "queue.messages"
    composes: ClassVar = "Consumer[dict[str, Any]]"


@dataclass(frozen=True, kw_only=True)
class OnSchedule:
    """The function is called on time with `input`, at least once each time. The entry composes a `Step`."""

    adapter: ClassVar = "step.handler"
    composes: ClassVar = "Step"
    cron: str
    """Five fields, UTC."""
    input: Mapping[str, str] = field(default_factory=dict, hash=False)


class Size(TypedDict):
    """The size of a function as its row states it, within the bounds of `infra.size.Size`."""

    memory_mb: int
    timeout_seconds: int
    concurrency: NotRequired[int | None]


Trigger = Http | WorkflowStep | NewObjects | Messages | OnSchedule


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a function may do with a store: `access` below these prefixes of each model that it serves."""

    store: StoreName
    access: Access
    prefixes: tuple[str, ...]


def reads(store: StoreName, *prefixes: str) -> Needs:
    """Return the need to read objects below these prefixes of each model."""
    return Needs(store=store, access=Access.READ, prefixes=prefixes)


def writes(store: StoreName, *prefixes: str) -> Needs:
    """Return the need to create and replace objects below these prefixes of each model."""
    return Needs(store=store, access=Access.WRITE, prefixes=prefixes)


@dataclass(frozen=True, kw_only=True)
class FunctionSpec:
    """One function, before a cloud makes it."""

    name: str
    """Its name in the stack, in `settings.functions` and in functions/requirements."""
    entry: str
    """`module:function` that composes it from its `Environment`."""
    trigger: Trigger
    size: Size
    """Its size unless the settings change it."""
    copies: int
    """The most copies of it where the settings give no concurrency: those of all rows fit into a new account."""
    needs: tuple[Needs, ...] = ()
    environment: tuple[str, ...] = ()
    """Names from `interface.variables` that it gets besides those of every function: environment.py."""
    requirements: str = ""
    """The lock in functions/requirements that it runs with; empty: the one of its own name."""
    signs: bool = False
    """Whether it signs URLs: for a while, whoever holds one may do one thing that the function may do itself."""
    model: str = ""
    """The one model that it is for; empty: it is for all that have no such function of their own."""
    one_kernel: bool = False
    """Whether OpenBLAS and numpy must compute alike on every processor of an architecture: the function trains."""

    @property
    def lock(self) -> str:
        """The name of its lock, without the suffix."""
        return self.requirements or self.name

    @property
    def consumes(self) -> bool:
        """Whether it gets its work from a queue of its own."""
        return isinstance(self.trigger, (NewObjects, Messages))


FUNCTIONS: tuple[FunctionSpec, ...] = (
    FunctionSpec(
        name="prepare",
        entry="functions.entries.prepare:prepare",
        trigger=WorkflowStep(),
        size=Size(memory_mb=2048, timeout_seconds=300),
        copies=2,
        needs=(
            reads("data", layout.INCOMING, layout.DATASETS, layout.FORECAST),
            writes("data", layout.DATASETS),
            reads("models", layout.RUNS, layout.VERSIONS, layout.EXECUTIONS),
            writes("models", layout.RUNS, layout.EXECUTIONS),
        ),
        environment=(variables.DATA_URL, variables.MODELS_URL, variables.WINDOW),
    ),
    FunctionSpec(
        name="train",
        entry="functions.entries.train:train",
        trigger=WorkflowStep(),
        size=Size(memory_mb=3008, timeout_seconds=840),
        copies=4,
        needs=(reads("data", layout.DATASETS), reads("models", layout.RUNS), writes("models", layout.RUNS)),
        environment=(variables.DATA_URL, variables.MODELS_URL),
        one_kernel=True,
    ),
    FunctionSpec(
        name="select",
        entry="functions.entries.select:select",
        trigger=WorkflowStep(),
        size=Size(memory_mb=2048, timeout_seconds=300),
        copies=2,
        needs=(
            reads("data", layout.DATASETS),
            reads("models", layout.RUNS, layout.VERSIONS, layout.LIVE),
            writes("models", layout.RUNS, layout.VERSIONS),
        ),
        environment=(variables.DATA_URL, variables.MODELS_URL),
    ),
    FunctionSpec(
        name="rollout",
        entry="functions.entries.rollout:rollout",
        trigger=WorkflowStep(),
        size=Size(memory_mb=512, timeout_seconds=60),
        copies=2,
        needs=(
            reads("models", layout.RUNS, layout.VERSIONS, *layout.NOTES, layout.LIVE),
            writes("models", layout.RUNS, layout.EXECUTIONS, layout.LIVE),
            reads("captures", ""),
        ),
        environment=(variables.MODELS_URL, variables.CAPTURES_URL, variables.ROLLOUT),
    ),
    FunctionSpec(
        name="supervise",
        entry="functions.entries.supervise:supervise",
        trigger=OnSchedule(cron="*/5 * * * *"),
        size=Size(memory_mb=512, timeout_seconds=120),
        copies=1,
        needs=(
            reads("models", layout.RUNS, layout.VERSIONS, layout.EXECUTIONS, layout.LIVE, layout.SUPERVISED),
            writes("models", layout.RUNS, layout.EXECUTIONS, layout.LIVE, layout.SUPERVISED),
        ),
        environment=(variables.MODELS_URL, variables.MODELS, variables.ROLLOUT, variables.QUIET_SECONDS),
    ),
    FunctionSpec(
        name="tally",
        entry="functions.core.registry.tally:tally",
        trigger=OnSchedule(cron="20 0 * * *"),
        size=Size(memory_mb=512, timeout_seconds=300),
        copies=1,
        needs=(
            reads("models", layout.RUNS, layout.USAGE),
            writes("models", layout.USAGE),
            reads("captures", ""),
            reads("jobs", layout.JOB_WORK),
        ),
        environment=(variables.MODELS_URL, variables.MODELS, variables.CAPTURES_URL, variables.JOBS_URL),
        requirements="supervise",
    ),
    FunctionSpec(
        name="predict",
        entry="functions.entries.predict:predict",
        trigger=Http(),
        size=Size(memory_mb=1024, timeout_seconds=15),
        copies=8,
        needs=(
            reads("models", layout.VERSIONS, layout.LIVE),
            writes("captures", ""),
            reads("jobs", *layout.JOB_STATES, layout.JOB_FAILURES),
            writes("jobs", layout.JOB_INPUTS, layout.JOB_TICKETS),
        ),
        environment=(
            variables.MODELS_URL,
            variables.CAPTURES_URL,
            variables.JOBS_URL,
            variables.MODELS,
            variables.POINTER_SECONDS,
            variables.CAPTURE_INPUTS,
            variables.TIMEOUT_SECONDS,
        ),
        signs=True,
    ),
    FunctionSpec(
        name="jobs",
        entry="functions.entries.jobs:jobs",
        trigger=NewObjects(store="jobs", prefixes=(layout.JOB_INPUTS, layout.JOB_CONTINUATIONS), arrival="submissions"),
        size=Size(memory_mb=1024, timeout_seconds=120),
        copies=2,
        needs=(
            reads("models", layout.VERSIONS, layout.LIVE),
            reads("jobs", layout.JOB_INPUTS, layout.JOB_RESULTS, layout.JOB_WORK, layout.JOB_TICKETS),
            writes("jobs", layout.JOB_RESULTS, layout.JOB_WORK, layout.JOB_FAILURES, layout.JOB_CONTINUATIONS),
        ),
        environment=(
            variables.MODELS_URL,
            variables.JOBS_URL,
            variables.MODELS,
            variables.POINTER_SECONDS,
            variables.ATTEMPTS,
            variables.PARALLELISM,
            variables.TIMEOUT_SECONDS,
            variables.JOBS_WEBHOOK,
            variables.JOBS_WEBHOOK_SECRET,
        ),
    ),
)


def well_named(name: object) -> bool:
    """Return whether every cloud takes a name, with all that is added to it."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None


def triggered_by(*kinds: type[Trigger]) -> tuple[FunctionSpec, ...]:
    """Return the rows whose trigger is of one of these kinds, in the table's order."""
    return tuple(spec for spec in FUNCTIONS if isinstance(spec.trigger, kinds))


def named(name: str) -> FunctionSpec:
    """Return the row of that name. Raise `KeyError` that lists the names there are."""
    for spec in FUNCTIONS:
        if spec.name == name:
            return spec
    raise KeyError(f"no function is called {name}; there are: {', '.join(spec.name for spec in FUNCTIONS)}")
