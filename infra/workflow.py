"""The training workflow as cloud-neutral steps; each cloud renders it in its own language.

Between steps travel names, digests and keys, never data: a step's result is a small JSON
object, kept under the step's `result` name and read by later steps through `Ref`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from interface import trainer

SPARE_SECONDS = 15
"""How much longer a call may take than the function that it calls."""
CALLS = 3
"""How often each dialect calls a function that fails."""
BUSY_SECONDS = 900
"""More than each dialect retries a call that finds every copy busy."""


@dataclass(frozen=True)
class Ref:
    """A value known at run time: a dotted path into the results, or one of the roots below."""

    path: str


INPUT = Ref("input")
"""The whole input of the execution."""
EXECUTION = Ref("execution")
"""The name of the execution, unique in its workflow."""
TRACE = Ref("trace")
"""The trace to which the execution's input says that it belongs, as W3C's headers by name; an empty text without."""
ERROR = Ref("error")
"""What went wrong, as text; only the step that a failure leads to can read it."""
ITEM = Ref("item")
"""The current element, inside `Each`."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """Call a function and keep its answer. Transient failures are retried; others lead to `Workflow.on_failure`."""

    name: str
    function: str
    payload: Mapping[str, Ref | str]
    result: str
    next: str


@dataclass(frozen=True, kw_only=True)
class Each:
    """Call a function once for each element of a list, at most `parallelism` at a time. Answers are discarded."""

    name: str
    items: Ref
    function: str
    payload: Mapping[str, Ref | str]
    parallelism: int
    next: str


@dataclass(frozen=True, kw_only=True)
class Choose:
    """Go where the value of `on` leads; a value that no case names is a failure."""

    name: str
    on: Ref
    cases: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Wait for as many seconds as a result says."""

    name: str
    seconds: Ref
    next: str


@dataclass(frozen=True, kw_only=True)
class End:
    """The last step. `failed` marks the execution as failed."""

    name: str
    failed: bool = False


Step = Call | Each | Choose | Pause | End


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """Steps by name. Any failure in any step leads to `on_failure`, which is itself a `Call`."""

    start: str
    steps: tuple[Step, ...]
    on_failure: str
    timeout_seconds: int
    call_timeout_seconds: Mapping[str, int]
    """For each function: how long a call may take, a little more than the function's own timeout."""

    @property
    def functions(self) -> frozenset[str]:
        """The functions that its steps call."""
        return frozenset(function for _, function in self.calls)

    @property
    def calls(self) -> tuple[tuple[str, str], ...]:
        """The name of each step that calls a function, and the function's."""
        return tuple((step.name, step.function) for step in self.steps if isinstance(step, (Call, Each)))

    @property
    def early(self) -> frozenset[str]:
        """The steps that may come before any pause and any failure: they begin a run.

        In a new stack their permissions may not be known everywhere yet, which takes a cloud some
        minutes. So a call of theirs that is refused is made again as long as one that finds its function
        busy; in a later step a refusal is a failure.
        """
        names: set[str] = set()
        waiting = [self.start]
        while waiting:
            step = self.step(waiting.pop())
            if step.name in names or isinstance(step, Pause):
                continue
            names.add(step.name)
            waiting += step.cases.values() if isinstance(step, Choose) else () if isinstance(step, End) else [step.next]
        return frozenset(names)

    def step(self, name: str) -> Step:
        """Return the step of that name."""
        return next(step for step in self.steps if step.name == name)


def followers(step: Step) -> list[str]:
    """Return the names of the steps that a step leads to unless it fails."""
    match step:
        case Choose():
            return list(step.cases.values())
        case End():
            return []
        case _:
            return [step.next]


def training(
    *,
    parallelism: int,
    timeout_seconds: int,
    function_timeouts: Mapping[str, int],
    apart: Mapping[str, str] = MappingProxyType({}),
) -> Workflow:
    """Return the workflow from a new dataset to a released model, or to a recorded reason why not.

    `apart` names, for each model that a function of its own trains, that function.

    ```
    prepare -> (experiments -> select)* -> release -> (bake -> judge)* -> released | rolled back
       |                        |             |            |
       rejected, unchanged,     refused       refused, superseded,    any failure -> abandon -> failed
       roll back -> rolled back,              awaiting approval
       wait for the slot -> prepare
    ```
    A search that narrows has experiments in rounds: select answers which go on. A run that a deployment overtook is
    prepared again, a few times at most. The input is `{"source": "<key of a dataset>"}`, `{"model": "<name>"}` for its
    newest dataset, `{"model": "<name>", "action": "wait"}` for the same in the window of the schedule,
    `{"model": "<name>", "version": "<version>"}` to release what is registered, the same with `"run"` to go on with a
    run whose version waited for approval, or `{"model": "<name>", "action": "rollback", "reason": "<why>"}` to have the
    champion before this one back; each may say besides to whose `"trace"` it belongs. Where functions train single
    models, the answer chooses that of the experiments.
    """
    return Workflow(
        start="prepare",
        steps=(*_search(parallelism, apart), *_release()),
        on_failure="abandon",
        timeout_seconds=timeout_seconds,
        call_timeout_seconds={name: seconds + SPARE_SECONDS for name, seconds in function_timeouts.items()},
    )


def quiet_seconds(function_timeouts: Mapping[str, int]) -> int:
    """Return the longest time for which an execution may write nothing while it prepares, trains and selects.

    That is the longest step, called three times, after it found every copy busy for as long as it is retried.
    """
    return CALLS * (max(function_timeouts.values()) + SPARE_SECONDS) + BUSY_SECONDS


ENDS = ("promoted", "rolled back", "superseded", "awaiting approval", "rejected", "unchanged", "refused")
"""Steps in which an execution ends well, whatever has become of the version."""
_SPAN: Mapping[str, Ref] = {"execution": EXECUTION, "trace": TRACE}
"""By which a step that is called knows its trace: functions/core/runtime/spans.py."""
_RUN: Mapping[str, Ref] = {"model": Ref("search.model"), "run": Ref("search.run"), **_SPAN}
_ROUND: Mapping[str, Ref] = {**_RUN, "round": Ref("search.round")}


def _search(parallelism: int, apart: Mapping[str, str]) -> tuple[Step, ...]:
    """Return the steps from a dataset to a registered version."""
    first = "who trains it" if apart else "experiments"
    choice = {trainer.own(model): f"experiments by {apart[model]}" for model in sorted(apart)}
    return (
        Call(
            name="prepare",
            function="prepare",
            payload={"input": INPUT, **_SPAN},
            result="search",
            next="is it usable",
        ),
        Choose(
            name="is it usable",
            on=Ref("search.status"),
            cases={
                "accepted": first,
                "registered": "release",
                "rejected": "rejected",
                "unchanged": "unchanged",
                "rollback": "roll back",
                "waiting": "wait for the slot",
            },
        ),
        Pause(name="wait for functions", seconds=Ref("search.wait_seconds"), next="prepare"),
        Pause(name="wait for the slot", seconds=Ref("search.wait_seconds"), next="prepare"),
        *(
            [Choose(name="who trains it", on=Ref("search.trainer"), cases={trainer.SHARED: "experiments", **choice})]
            if apart
            else []
        ),
        _experiments("experiments", "train", parallelism),
        *(_experiments(choice[trainer.own(model)], apart[model], parallelism) for model in sorted(apart)),
        Call(name="select", function="select", payload=_ROUND, result="search", next="is it good enough"),
        Choose(
            name="is it good enough",
            on=Ref("search.status"),
            cases={"registered": "release", "refused": "refused", "narrowed": first, "outdated": "wait for functions"},
        ),
    )


def _experiments(name: str, function: str, parallelism: int) -> Each:
    """Return the step that has a function run every experiment."""
    return Each(
        name=name,
        items=Ref("search.experiments"),
        function=function,
        payload={**_ROUND, "experiment": ITEM},
        parallelism=parallelism,
        next="select",
    )


def _release() -> tuple[Step, ...]:
    """Return the steps from a registered version to one that serves everybody, and every end."""
    return (
        Call(
            name="release",
            function="rollout",
            payload={"action": "release", **_RUN},
            result="rollout",
            next="where does it stand",
        ),
        Choose(
            name="where does it stand",
            on=Ref("rollout.status"),
            cases={
                "canary": "bake",
                "promoted": "promoted",
                "rolled_back": "rolled back",
                "superseded": "superseded",
                "awaiting_approval": "awaiting approval",
                "refused": "refused",
            },
        ),
        Pause(name="bake", seconds=Ref("rollout.wait_seconds"), next="judge"),
        Call(
            name="judge",
            function="rollout",
            payload={"action": "judge", **_RUN},
            result="rollout",
            next="where does it stand",
        ),
        Call(
            name="roll back",
            function="rollout",
            payload={"action": "rollback", "model": Ref("search.model"), "reason": Ref("search.reason"), **_SPAN},
            result="rollback",
            next="rolled back",
        ),
        Call(
            name="abandon",
            function="rollout",
            payload={"action": "abandon", "input": INPUT, "cause": ERROR, **_SPAN},
            result="abandon",
            next="failed",
        ),
        *(End(name=name) for name in ENDS),
        End(name="failed", failed=True),
    )
