"""The rollout of a version, step by step, as the workflow drives it.

A model has one release at a time. A second one waits, at most for as long as the first may
take; one whose workflow is gone, so that nothing judges it, is withdrawn by the next. Every step
may be delivered again: what is left to do is read from the pointer, and a bake that is not over
is not judged.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.onnx.session import BadModel
from functions.core.registry import pointer as transitions
from functions.core.registry.live_pointer import Live
from functions.core.registry.runs import Status
from functions.core.registry.versions import NAME, Corrupt, Registry
from functions.core.release.judge import Verdict, judge
from functions.core.release.rollout_metrics import observe
from functions.core.serving.opening import open_version
from functions.core.storage.objects import Missing
from interface.rollout import RolloutPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.registry.pointer import Pointer, Release
    from functions.core.storage.objects import Objects
    from models.section import RolloutThresholds


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The state of a release."""

    status: Status
    reason: str = ""
    wait_seconds: int = 0
    metrics: Mapping[str, Any] | None = None


class Rollout:
    """The rollout of every model. `act` answers the workflow's release, judge, rollback and abandon calls."""

    def __init__(
        self,
        models: Objects,
        captures: Objects,
        *,
        plan: RolloutPlan,
        thresholds: Callable[[str], RolloutThresholds],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._models = models
        self._captures = captures
        self._plan = plan
        self._thresholds = thresholds
        self._clock = clock

    def act(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the workflow's payload asks, and return its answer. Raise `ValueError` on any other payload."""
        match payload:
            case {"action": "release", "model": str(model), "run": str(run)}:
                return self._answer(model, run, self.release(model, run))
            case {"action": "judge", "model": str(model), "run": str(run)}:
                return self._answer(model, run, self.judge(model, run))
            case {"action": "abandon", "execution": str(execution), "input": payload_of_execution, "cause": cause}:
                return {"run": self.abandon(execution, payload_of_execution, str(cause))}
            case {"action": "rollback", "model": str(model), "execution": str(execution), "reason": str(reason)}:
                return self.roll_back(model, execution, reason)
            case _:
                raise ValueError(
                    "accepted: release or judge with model and run; rollback with model, execution and reason;"
                    " abandon with execution, input and cause"
                )

    def release(self, model: str, run: str) -> Outcome:
        """Put up the version of a run as a challenger.

        The first version of a model is promoted at once. One that does not load, or whose golden
        answers are not those of its making, is not put up.
        """
        version = self._version(model, run)
        live = Live(self._models, model)
        now = self._clock()
        complaint = self._check(model, version)
        if complaint and not self._has_release(live.read(), run):
            return Outcome(status=Status.ROLLED_BACK, reason=complaint)
        try:
            after = live.change(lambda pointer: self._put_up(pointer, version, run, now))
        except transitions.NotPossible:
            return self._wait(model, run, now)
        return self._standing(after, run, version)

    def judge(self, model: str, run: str) -> Outcome:
        """Judge the run's challenger once its bake is over: next step, longer step, promotion, or withdrawal."""
        live = Live(self._models, model)
        pointer = live.read()
        release = pointer.release
        if release is None or release.run != run:
            last = pointer.last(run)
            if self._waits_since(model, run) is not None or last is None:
                return self.release(model, run)
            return _over(last)
        now = self._clock()
        if now < self._plan.due_at(release.since, release.bakes):
            return self._standing(pointer, run, release.version)
        complaint = self._check(model, release.version)
        metrics = observe(self._captures, model, release.version, release.since, now)
        patience_left = release.bakes + 1 < self._plan.patience
        verdict = judge(metrics, self._thresholds(model), patience_left=patience_left)
        if complaint:
            verdict = Verdict(decision="fail", reason=complaint)
        after = live.change(lambda current: self._apply(current, release, verdict, now))
        standing = self._standing(after, run, release.version)
        return Outcome(
            status=standing.status,
            reason=verdict.reason,
            wait_seconds=standing.wait_seconds,
            metrics=metrics.document(),
        )

    def roll_back(self, model: str, execution: str, reason: str) -> dict[str, Any]:
        """Make the previous champion live again, once for each execution of the workflow.

        A release under way ends with it. Raise `NotPossible` where there is no previous champion.
        """
        now = self._clock()

        def back(pointer: Pointer) -> Pointer:
            if pointer.last(execution) is not None:
                return pointer
            return transitions.roll_back(pointer, now, reason, execution)

        after = Live(self._models, model).change(back)
        return {"status": str(Status.ROLLED_BACK), "version": after.champion}

    def abandon(self, execution: str, payload: Any, cause: str) -> str | None:
        """Record the failure of an execution on its run, withdraw the run's challenger, and return the run, if known.

        `payload` is the input of the execution.
        """
        model = _model_of(payload)
        if model is None:
            return None
        registry = Registry(self._models, model)
        noted = self._models.find_json(registry.execution_key(execution))
        if noted is None:
            return None
        run, now = noted["run"], self._clock()

        def withdraw(pointer: Pointer) -> Pointer:
            if not self._has_release(pointer, run):
                return pointer
            return transitions.withdraw(pointer, now, f"the workflow failed: {cause}")

        last = Live(self._models, model).change(withdraw).last(run)
        over = {Status.PROMOTED, Status.ROLLED_BACK, Status.REFUSED, Status.REJECTED}

        def fail(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("status") in over:
                return record
            if last is not None and last.event == "promoted":
                return {**_without_wait(record), "status": Status.PROMOTED}
            return {**_without_wait(record), "status": Status.FAILED, "cause": cause[:2000]}

        registry.update_run(run, fail)
        return run

    def _put_up(self, pointer: Pointer, version: str, run: str, now: float) -> Pointer:
        if pointer.champion == version or self._has_release(pointer, run):
            return pointer
        if pointer.champion is None:
            return transitions.promote_first(pointer, version, run, now)
        release = pointer.release
        if release is not None and now > self._plan.due_at(release.since, release.bakes) + self._plan.grace:
            pointer = transitions.withdraw(pointer, now, "nobody judged it any more")
        if self._plan.shadow is not None:
            return transitions.begin_shadow(pointer, version, run, self._plan.shadow, now)
        return transitions.begin(pointer, version, run, self._plan.steps[0], now)

    def _apply(self, pointer: Pointer, release: Release, verdict: Verdict, now: float) -> Pointer:
        if pointer.release != release:
            return pointer  # judged meanwhile, or rolled back by an operator
        match verdict.decision:
            case "fail":
                return transitions.withdraw(pointer, now, verdict.reason)
            case "wait":
                return transitions.bake_again(pointer)
        following = release.step + 1
        if following < len(self._plan.steps):
            return transitions.advance(pointer, self._plan.steps[following], now, verdict.reason)
        return transitions.promote(pointer, now, verdict.reason)

    def _standing(self, pointer: Pointer, run: str, version: str) -> Outcome:
        if pointer.release is not None and pointer.release.run == run:
            left = self._plan.due_at(pointer.release.since, pointer.release.bakes) - self._clock()
            return Outcome(
                status=Status.CANARY,
                reason=f"{pointer.shadow} % as a shadow" if pointer.shadow else f"{pointer.weight} % of the callers",
                wait_seconds=max(1, math.ceil(left)),
            )
        last = pointer.last(run)
        if pointer.champion == version and (last is None or last.event != "promoted"):
            return Outcome(status=Status.PROMOTED, reason="the same version is live already")
        if last is None:
            raise RuntimeError(f"the release of run {run} has left no trace in live.json")
        return _over(last)

    def _wait(self, model: str, run: str, now: float) -> Outcome:
        since = self._waits_since(model, run) or now
        if now - since > self._plan.longest:
            return Outcome(status=Status.ROLLED_BACK, reason="another release was under way all the time")
        Registry(self._models, model).update_run(run, lambda record: {**record, "waits_since": since})
        seconds = max(1, math.ceil(self._plan.bake_seconds))
        return Outcome(status=Status.REGISTERED, reason="another release is under way", wait_seconds=seconds)

    def _answer(self, model: str, run: str, outcome: Outcome) -> dict[str, Any]:
        """Write the outcome into the run's record and answer the workflow, for which a waiting release is a canary."""

        def note(record: dict[str, Any]) -> dict[str, Any]:
            waiting = outcome.status is Status.REGISTERED
            kept = record if waiting else _without_wait(record)
            rollout = {"reason": outcome.reason, "evidence": outcome.metrics}
            cause = {"cause": outcome.reason} if outcome.status is Status.ROLLED_BACK else {}
            return {**kept, "status": outcome.status, "rollout": rollout, **cause}

        Registry(self._models, model).update_run(run, note)
        status = Status.CANARY if outcome.status is Status.REGISTERED else outcome.status
        return {"status": str(status), "wait_seconds": outcome.wait_seconds}

    def _check(self, model: str, version: str) -> str | None:
        """Return why a version may not be released; None where it may."""
        try:
            open_version(Registry(self._models, model).load(version))
        except (Missing, Corrupt, BadModel) as problem:
            return f"the version does not stand its golden test: {problem}"
        return None

    def _version(self, model: str, run: str) -> str:
        record = Registry(self._models, model).read_run(run)
        version = (record or {}).get("version")
        if not version:
            raise ValueError(f"run {run} of {model} has registered no version")
        return version

    def _waits_since(self, model: str, run: str) -> float | None:
        return (Registry(self._models, model).read_run(run) or {}).get("waits_since")

    def _has_release(self, pointer: Pointer, run: str) -> bool:
        return pointer.release is not None and pointer.release.run == run


def _over(last: transitions.Entry) -> Outcome:
    match last.event:
        case "promoted":
            return Outcome(status=Status.PROMOTED, reason=last.reason)
        case "rolled_back":
            return Outcome(status=Status.ROLLED_BACK, reason=last.reason)
        case _:
            return Outcome(status=Status.ROLLED_BACK, reason="withdrawn when an operator rolled its champion back")


def _without_wait(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "waits_since"}


def _model_of(payload: Any) -> str | None:
    """Return the model that an execution's input is about; None where it names none."""
    match payload:
        case {"source": str(source)}:
            model = source.split("/", 1)[0]
        case {"model": str(model)}:
            pass
        case _:
            return None
    return model if NAME.fullmatch(model) else None
