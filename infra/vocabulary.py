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
from infra.archive import Archive, Packing, Platform
from infra.components import Api, Function, Monitor, Queue, Store, Workflow
from infra.keep import Lasting, Traced
from infra.keys import Access, Keys
from infra.physical_name import PhysicalName
from infra.scaling import Eco, Profile
from infra.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.alarms import Alarm
    from infra.api_policy import Auth, Cors, Throttling
    from infra.estimate.charges import Charges
from infra.quotas import Declared, Want

Args_contra = TypeVar("Args_contra", contravariant=True)
Component_co = TypeVar("Component_co", covariant=True)


# What the blueprint asks for -----------------------------------------------------------------


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
class StoreArgs(Lasting):
    announces: bool = False
    """Whether new objects can be waited for: see `ArrivalArgs`."""
    expire_days: Mapping[str, int] = field(default_factory=dict)
    """Days after which objects under a prefix are deleted; "" is the whole store."""


@dataclass(frozen=True, kw_only=True)
class QueueArgs(Lasting):
    consumer_timeout_seconds: int
    """The consumer's own timeout: a message stays hidden long enough for it to be retried."""
    attempts: int
    """Deliveries before a message becomes a dead letter."""
    patient: bool = False
    """Whether messages wait as long as the cloud lets them: their consumer may be stopped for weeks."""
    budgeted: bool = False
    """Whether a budget's notifications are its messages."""
    keys: Keys | None = None
    """Those of the arrival that makes new objects its messages; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Stops:
    """What of a stack a function may stop, and have go on, by name: all that works or has something work."""

    functions: Mapping[str, Function]
    queues: Mapping[str, Queue]
    """By the names of the functions that consume them."""
    schedules: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class FunctionArgs(Traced):
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
    """The most messages of the queue that one call gets."""
    stops: Stops | None = None
    """What it may stop. The variable `STOPS` tells it what that is called."""
    scaling: Profile = field(default_factory=Eco)
    """How its copies come and go, up to `concurrency`."""


ANY = "ANY"
"""The method of a route that whatever method leads to."""


@dataclass(frozen=True, kw_only=True)
class Route:
    method: str
    path: str
    """With `{name}` for a variable segment, and at its end `{proxy+}` for any number of them. Of several routes that
    a request fits, the one with fewer variables answers it."""
    function: Function
    operation: str
    """The operationId in the OpenAPI document."""


@dataclass(frozen=True, kw_only=True)
class ApiArgs(Lasting):
    routes: tuple[Route, ...]
    auth: Auth
    throttling: Throttling
    cors: Cors
    timeout_seconds: int
    log_days: int


@dataclass(frozen=True, kw_only=True)
class WorkflowArgs(Traced):
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
class ArrivalArgs(Lasting):
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
class ScheduleArgs(Lasting):
    cron: str
    """Five fields, UTC: minute hour day-of-month month day-of-week (0 or 7 is Sunday)."""
    target: Workflow | Function
    """The workflow is started, or the function called, with the input, at least once each time."""
    input: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class MonitorArgs:
    """Alarms, and whom they are told to: without an address nobody, but the alarms are there to be asked."""

    alarms: tuple[Alarm, ...]
    functions: Mapping[str, Mapping[str, Function]]
    """By their rows in the table, and their names: the row `predict` has several where models have settings of their
    own."""
    api: Api
    workflow: Workflow
    keeping: Mapping[str, object]
    """The components that may keep messages, by a name each: queues, arrivals and schedules."""
    email: Sequence[str] = ()
    webhook: str | None = None
    dashboard: bool = True
    """Whether the alarms are drawn."""


@dataclass(frozen=True, kw_only=True)
class BudgetArgs:
    """What a stack may cost in a month, and who hears of it, by the shares of it from which on they do."""

    usd_a_month: int
    warn_at: Sequence[float]
    email: Sequence[str] = ()
    webhook: str | None = None
    billing_account: str | None = None
    stop_at: float | None = None
    demands: Queue | None = None
    """The queue that hears of `stop_at`, made with `budgeted`; None where nothing stops the stack."""


@dataclass(frozen=True, kw_only=True)
class UploadArgs:
    """A local file that becomes an object once its store is complete: it is announced as any other object."""

    store: Store
    key: str
    file: Path


class Make(Protocol[Args_contra, Component_co]):
    """Make a component from its logical name, its arguments and Pulumi's options."""

    def __call__(self, name: str, args: Args_contra, opts: pulumi.ResourceOptions | None = None, /) -> Component_co: ...


def no_prerequisites(_opts: pulumi.ResourceOptions) -> tuple[pulumi.Resource, ...]:
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
    monitor: Make[MonitorArgs, Monitor]
    budget: Make[BudgetArgs, object]
    packing: Packing = field(default_factory=lambda: Packing(built=False))
    """How its archives are packed; a deployable cloud states it."""
    from_settings: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """The inputs that settings decide, by the type of the resource: they are secret if the settings are."""
    prerequisites: Callable[[pulumi.ResourceOptions], Sequence[pulumi.Resource]] = no_prerequisites
    """Make what must be there before any other resource, such as services that have to be enabled."""
    require_region: Callable[[Mapping[str, Profile]], None] = any_region
    """Refuse no region or project, or a region that lacks what the predict functions' profiles, by name, need.

    Raise `pulumi.RunError` with the file, the key and what is accepted.
    """
    names: Sequence[PhysicalName] = ()
    """Which names it accepts, for each type of resource that Pulumi names."""
    budget_needs: Sequence[str] = ()
    """The settings of a budget that this cloud cannot do without, and others have no use for."""
    stand_ins: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)
    """What a preview without an account can do without: keys of the configuration, and the variables in their place."""
    quotas: Callable[[Iterable[Declared]], Sequence[Want]] | None = None
    """Read from a graph what the stack wants of an account; a deployable cloud states it."""
    charges: Charges | None = field(default=None, hash=False)
    """What it bills each type of resource for; without it nothing of a stack is priced."""
