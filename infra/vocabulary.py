"""What every cloud must be able to say.

The blueprint speaks these words and no others; a cloud is one `Cloud` value that gives each
word its meaning. A word stands here only if every cloud can keep it: what one cloud alone can
do stays a private default of that cloud's folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import pulumi

from infra import workflow, workflow_values
from infra.keys import Access, Keys
from infra.scaling import Eco, Profile
from infra.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.api_policy import Auth, Cors, Throttling
    from infra.quotas import Declared, Want


Args_contra = TypeVar("Args_contra", contravariant=True)
Component_co = TypeVar("Component_co", covariant=True)


# What the clouds' components offer -----------------------------------------------------------


class Store(Protocol):
    """A private, encrypted, versioned bucket."""

    ref: pulumi.Output[str]
    """Its name in this cloud's access rules: an ARN, a resource name."""
    name: pulumi.Output[str]
    url: pulumi.Output[str]
    """s3://..., gs://..., az://...: the functions open it as it is."""


class Queue(Protocol):
    """A queue whose messages survive a failing consumer, with another one for those that never pass."""

    ref: pulumi.Output[str]
    url: pulumi.Output[str]
    dead_letters: pulumi.Output[str]
    """Where messages end that failed every attempt."""


class Function(Protocol):
    """A deployed function with an identity of its own."""

    ref: pulumi.Output[str]
    """What a caller names to invoke the published version."""
    name: pulumi.Output[str]


class Workflow(Protocol):
    """A durable workflow; `Arrival` and `Schedule` start it."""

    ref: pulumi.Output[str]


class Api(Protocol):
    """The HTTP API."""

    endpoint: pulumi.Output[str]
    """The base URL, without a trailing slash."""
    callers: pulumi.Output[str]
    """Where callers use the cloud's own identities, what each needs a permission on; else empty."""


# What the blueprint asks for -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Packing:
    """What a function's archive holds besides our sources."""

    built: bool
    """Whether the cloud's build installs the requirements: their complete lock is then in the archive, as
    requirements.txt. Otherwise the packages are in it themselves, installed for the target."""
    files: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Other files that the cloud looks for, by path."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A function's code, ready to upload. Same digest, same bytes."""

    path: Path
    digest: str
    """SHA-256 of the file, hexadecimal."""
    size: int
    """Bytes of the file."""
    unpacked: int
    """Bytes on disk once unpacked, without what a build installs."""
    compiled: bool = True
    """Whether `.pyc` files are inside or made by the build; without them every cold start compiles anew."""
    stand_in: bool = False
    """Whether it is empty, because the cloud is of tier preview: see `infra.tier`."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The interpreter and the processor that functions run on."""

    python: str
    """Major and minor version: "3.13"."""
    architecture: str
    """x86_64 or arm64."""
    wheels: str | None
    """The platform tag whose wheels are installed; None takes this machine's own."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """One permission: `access` to the objects of `store` that have one of `keys`."""

    name: str
    """What it is called among the function's grants: `read-models`. No two of a function are for one name and model."""
    store: Store
    access: Access
    keys: Keys
    every_model: bool = False
    """Whether the stack has no other models than those of `keys`: a cloud whose permissions cannot name so many may
    then let any first segment pass."""


@dataclass(frozen=True, kw_only=True)
class StoreArgs:
    protect: bool
    """Refuse to be destroyed, and keep the objects."""
    announces: bool = False
    """Whether new objects can be waited for: see `ArrivalArgs`."""
    expire_days: Mapping[str, int] = field(default_factory=dict)
    """Days after which objects under a prefix are deleted; "" is the whole store."""


@dataclass(frozen=True, kw_only=True)
class QueueArgs:
    consumer_timeout_seconds: int
    """The consumer's own timeout: a message stays hidden long enough for it to be retried."""
    attempts: int
    """Deliveries before a message becomes a dead letter."""
    keys: Keys | None = None
    """Those of the arrival that makes new objects its messages; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    archive: Archive
    """Its `main.py` defines `handle`, which the cloud calls."""
    code: Store
    """Where the archive is uploaded, under a name that holds its digest."""
    platform: Platform
    memory_mb: int
    timeout_seconds: int
    concurrency: int
    """The most requests that are answered at once, which bounds what a flood can cost: for certain with `reserved`, and
    without it as far as the cloud bounds them for nothing."""
    environment: Mapping[str, pulumi.Input[str]]
    grants: tuple[Grant, ...]
    log_days: int
    signs: bool = False
    """Whether it signs URLs: for a while, whoever holds one may do one thing that the function may do itself."""
    reserved: bool = False
    """Whether so many copies are set aside for the function alone, where a cloud bounds them in no other way. What is
    set aside counts against the account's quota."""
    consumes: Queue | None = None
    batch: int = 1
    """The most messages that one call gets, where the function consumes a queue."""
    scaling: Profile = field(default_factory=Eco)
    """How its copies come and go, up to `concurrency`."""


@dataclass(frozen=True, kw_only=True)
class Route:
    method: str
    path: str
    """With `{name}` for a variable segment."""
    function: Function
    operation: str
    """The operationId in the OpenAPI document."""


@dataclass(frozen=True, kw_only=True)
class ApiArgs:
    routes: tuple[Route, ...]
    auth: Auth
    throttling: Throttling
    cors: Cors
    timeout_seconds: int
    log_days: int


@dataclass(frozen=True, kw_only=True)
class WorkflowArgs:
    definition: workflow.Workflow
    functions: Mapping[str, Function]
    """Every function that a step of the definition calls, by the name it uses; any other set is a `ValueError`."""
    log_days: int

    def __post_init__(self) -> None:
        """Raise `pulumi.RunError` for a step that reads what no step has set."""
        if problems := workflow_values.problems(self.definition):
            raise pulumi.RunError("\n".join(f"the workflow: {problem}" for problem in problems))
        if self.definition.functions != set(self.functions):
            raise ValueError(
                f"the workflow's steps call {', '.join(sorted(self.definition.functions))};"
                f" it was given {', '.join(sorted(self.functions)) or 'none'}"
            )


@dataclass(frozen=True, kw_only=True)
class ArrivalArgs:
    """New objects that have one of `keys` start the workflow, or become messages of the queue.

    A workflow is started with `{"source": "<key>"}`; a message holds the cloud's own
    event, from which the adapter takes the key. Either happens at least once. A cloud whose filter
    cannot name so many models lets any first segment pass: the workflow's first step, and the
    function behind the queue, refuse the key of a model that they do not have.
    """

    store: Store
    """Made with `announces`."""
    keys: Keys
    target: Workflow | Queue
    """A queue is made with the same `keys`."""


@dataclass(frozen=True, kw_only=True)
class ScheduleArgs:
    cron: str
    """Five fields, UTC: minute hour day-of-month month day-of-week (0 or 7 is Sunday)."""
    target: Workflow | Function
    """The workflow is started, or the function called, with the input, at least once each time."""
    input: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class UploadArgs:
    """A local file that becomes an object once its store is complete: it is announced as any other object."""

    store: Store
    key: str
    file: Path


class Make(Protocol[Args_contra, Component_co]):
    """Make a component from its logical name, its arguments and Pulumi's options."""

    def __call__(self, name: str, args: Args_contra, opts: pulumi.ResourceOptions | None = None, /) -> Component_co: ...


def no_prerequisites() -> tuple[pulumi.Resource, ...]:
    """Return no resources: on most clouds nothing must be there first."""
    return ()


def any_region(_profiles: Mapping[str, Profile], /) -> None:
    """Accept every region: on most clouds each has every service."""


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One cloud: a component for each word of this page."""

    name: str
    tier: Tier
    """What it promises, and so what the rules ask of it."""
    store: Make[StoreArgs, Store]
    queue: Make[QueueArgs, Queue]
    function: Make[FunctionArgs, Function]
    api: Make[ApiArgs, Api]
    workflow: Make[WorkflowArgs, Workflow]
    arrival: Make[ArrivalArgs, pulumi.Resource]
    schedule: Make[ScheduleArgs, object]
    upload: Make[UploadArgs, object]
    packing: Packing = Packing(built=False)
    """How its archives are packed; a deployable cloud states it."""
    from_settings: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """The inputs that settings decide, by the type of the resource: they are secret if the settings are."""
    prerequisites: Callable[[], Sequence[pulumi.Resource]] = no_prerequisites
    """Make what must be there before any other resource, such as services that have to be enabled."""
    require_region: Callable[[Mapping[str, Profile]], None] = any_region
    """Refuse a region that lacks a service of the stack, given the profiles of the predict functions by name.

    Raise `pulumi.RunError` with the file, the key and the regions that are accepted.
    """
    quotas: Callable[[Iterable[Declared]], Sequence[Want]] | None = None
    """Read from a graph what the stack wants of an account; a deployable cloud states it."""
