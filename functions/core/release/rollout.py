"""The rollout of a version, step by step, as the workflow drives it.

A model has one release at a time. Others wait in the pointer, in order of arrival; newer data
supersedes older data that had no turn yet. A release that nothing judges is withdrawn by the next.
Every step may be delivered again: a bake that is not over is not judged.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from functions.core.onnx.session import BadModel
from functions.core.registry import pointer as transitions
from functions.core.registry.executions import Executions, is_of_the_schedule, model_of
from functions.core.registry.live_pointer import Live, UnreadablePointer
from functions.core.registry.pointer import Turn
from functions.core.registry.runs import ENDED, WAITING, Outcome, Status, run_of_execution
from functions.core.registry.versions import Corrupt, Registry
from functions.core.release.approval import Approval, decide
from functions.core.release.cause import plain
from functions.core.release.judge import FAILED, UNJUDGED, Verdict, judge
from functions.core.release.outcomes import Outcomes
from functions.core.release.release_truths import ReleaseTruths
from functions.core.release.rolled_back import note_rolled_back
from functions.core.release.rollout_metrics import look
from functions.core.release.weighing import weigh
from functions.core.serving.opening import open_version
from functions.core.storage.keys import in_order
from interface.rollout import RolloutPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from functions.core.registry.approvals import Decision
    from functions.core.registry.pointer import Pointer, Release
    from functions.core.storage.objects import Objects
    from models.labels import Labels
    from models.section import RolloutThresholds


class Rollout:
    """The rollout of every model. `act` answers the workflow's release, judge, rollback and abandon calls.

    Versions of the models in `asking` are released once a person has approved them. `labels` returns what a contract
    says of truths; None where truths are not judged.
    """

    def __init__(
        self,
        models: Objects,
        captures: Objects,
        *,
        plan: RolloutPlan,
        thresholds: Callable[[str], RolloutThresholds],
        labels: Callable[[str], Labels | None] = lambda _: None,
        asking: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._models = models
        self._captures = captures
        self._plan = plan
        self._thresholds = thresholds
        self._labels = labels
        self._asking = asking
        self._clock = clock

    def act(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the workflow's payload asks, and return its answer. Raise `ValueError` on any other payload."""
        match payload:
            case {"action": "release", "model": str(model), "run": str(run)}:
                return self._answer(model, run, self.release(model, run))
            case {"action": "judge", "model": str(model), "run": str(run)}:
                return self._answer(model, run, self.judge(model, run))
            case {"action": "abandon", "execution": str(execution), "input": payload_of_execution, "cause": cause}:
                return {"run": self.abandon(execution, payload_of_execution, plain(str(cause)))}
            case {"action": "rollback", "model": str(model), "execution": str(execution), "reason": str(reason)}:
                return self.roll_back(model, execution, reason)
            case _:
                raise ValueError(
                    "accepted: release or judge with model and run; rollback with model, execution and reason;"
                    " abandon with execution, input and cause"
                )

    def release(self, model: str, run: str) -> Outcome:
        """Put up the version of a run as a challenger, or have it wait for its turn or for a person's approval.

        The first version of a model is promoted at once. One that does not load, or whose golden
        answers are not those of its making, is not put up, nor one whose data is older than what was
        tried or waits, nor one that a person rejected.
        """
        live, turn = Live(self._models, model), self._turn(model, run)
        complaint, before = self._check(model, turn.version), live.read()
        if complaint and not _has_release(before, run):
            live.change(lambda pointer: transitions.leave(pointer, run))
            return Outcome(status=Status.REFUSED, reason=complaint)
        approval, decision = Approval(models=self._models, asking=self._asking), None
        asked = model in self._asking or before.awaits(run)
        if asked and before.champion != turn.version and not _has_release(before, run):
            decision = approval.decision(model, turn.version)
            held = approval.hold(model, live, turn, decision, self._clock())
            if held is not None:
                return held
        after = live.change(lambda pointer: self._put_up(pointer, turn, decision))
        if after.awaiting:
            approval.supersede(model, live, after, turn)
        newer = after.superseder(turn)
        if newer is None or after.champion == turn.version or _has_release(after, run) or after.waits(run):
            return replace(self._standing(after, turn), decision=decision)
        reason = f"newer data came before it had its turn: run {newer}"
        return Outcome(status=Status.SUPERSEDED, reason=reason, superseded_by=newer)

    def judge(self, model: str, run: str) -> Outcome:
        """Judge the run's challenger once its bake is over: next step, longer step, promotion, or withdrawal."""
        live = Live(self._models, model)
        pointer = live.read()
        release = pointer.release
        if release is None or release.run != run:
            last = pointer.last(run)
            if self._waits(model, run) or last is None:
                return self.release(model, run)
            return _over(last)
        now = self._clock()
        turn = Turn(run=run, version=release.version, asked=now)
        if now < self._plan.due_at(release.since, release.bakes):
            return self._standing(pointer, turn)
        complaint = self._check(model, release.version)
        thresholds, before = self._thresholds(model), Outcomes.of(pointer.counted, release.since)
        metrics, counted = look(self._captures, model, release.version, release.since, now, before, thresholds)
        if (labels := self._labels(model)) is not None:
            truths = ReleaseTruths(self._captures, Registry(self._models, model), model, labels)
            counted = truths.counted(release.version, now, counted, thresholds)
        weighing = weigh(counted, thresholds, labels)
        patience_left = release.bakes + 1 < self._plan.patience
        is_last = release.step + 1 >= len(self._plan.steps)
        verdict = judge(metrics, weighing, thresholds, patience_left=patience_left, is_last=is_last)
        if complaint:
            verdict = Verdict(decision="fail", reason=complaint)
        after = live.change(lambda current: self._apply(current, release, verdict, now, counted))
        seen = metrics.document() | {"weighing": weighing.document()}
        return replace(self._standing(after, turn), reason=verdict.reason, metrics=seen)

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
        note_rolled_back(Registry(self._models, model), after, execution, reason)
        return {"status": str(Status.ROLLED_BACK), "version": after.champion}

    def abandon(self, execution: str, payload: Any, cause: str) -> str | None:
        """Record the failure of an execution on its run, withdraw the run's challenger, and return the run.

        `payload` is the input of the execution. A run that is not known yet is named after the execution. Return
        None where nothing had arrived, and nobody had asked for anything by name.
        """
        model = model_of(payload)
        if model is None:
            return None
        note = Executions(self._models, model).find(execution)
        if note is None and is_of_the_schedule(payload):
            return None
        run = (note or {}).get("run") or run_of_execution(model, execution)
        now, last = self._clock(), None

        def withdraw(pointer: Pointer) -> Pointer:
            # One that waits for approval still does.
            pointer = pointer if pointer.awaits(run) else transitions.leave(pointer, run)
            if not _has_release(pointer, run):
                return pointer
            return transitions.withdraw(pointer, now, f"{FAILED}: {cause}")

        try:
            last = Live(self._models, model).change(withdraw).last(run)
        except UnreadablePointer as problem:
            cause = f"{cause}; then the challenger could not be withdrawn: {problem}"
        known = {"run": run, "model": model, **(note or {"input": payload}), "execution": execution}

        def fail(record: dict[str, Any]) -> dict[str, Any]:
            if record.get("status") in ENDED - {Status.FAILED}:
                return record
            if last is not None and last.event == "promoted":
                return {**record, "status": Status.PROMOTED}
            return {**(record or known), "status": Status.FAILED, "cause": cause[:2000]}

        Registry(self._models, model).update_run(run, fail)
        return run

    def _put_up(self, pointer: Pointer, turn: Turn, decision: Decision | None) -> Pointer:
        """Return the pointer with a version as its challenger or its first champion, or among those that wait."""
        now, run, version = self._clock(), turn.run, turn.version
        if decision is not None:
            pointer = decide(pointer, turn, "approved", decision.said, now)
        elif pointer.awaits(run):
            pointer = transitions.leave(pointer, run)  # the settings ask no more
        if pointer.champion == version or _has_release(pointer, run):
            return transitions.leave(pointer, run)
        if pointer.superseder(turn) is not None:
            return transitions.leave(pointer, run)
        if pointer.champion is None:
            return transitions.promote_first(transitions.try_out(pointer, turn), version, run, now)
        release = pointer.release
        if release is not None and self._plan.is_abandoned(release.since, release.bakes, now):
            pointer = transitions.withdraw(pointer, now, UNJUDGED)
        gone = [other.run for other in pointer.waiting if self._plan.is_gone(other.asked, now)]
        pointer = transitions.leave(pointer, *gone)
        first = pointer.waiting[0].run if pointer.waiting else run
        if pointer.release is not None or first != run:
            return transitions.wait(pointer, turn)
        pointer = transitions.try_out(pointer, turn)
        if self._plan.shadow is not None:
            return transitions.begin_shadow(pointer, version, run, self._plan.shadow, now)
        return transitions.begin(pointer, version, run, self._plan.steps[0], now)

    def _apply(self, pointer: Pointer, release: Release, verdict: Verdict, now: float, counted: Outcomes) -> Pointer:
        if pointer.release != release:
            return pointer  # judged meanwhile, or rolled back by an operator
        pointer = replace(pointer, counted=counted.document())
        match verdict.decision:
            case "fail":
                return transitions.withdraw(pointer, now, verdict.reason)
            case "wait":
                return transitions.bake_again(pointer)
        following = release.step + 1
        if following < len(self._plan.steps):
            return transitions.advance(pointer, self._plan.steps[following], now, verdict.reason)
        return transitions.promote(pointer, now, verdict.reason)

    def _standing(self, pointer: Pointer, turn: Turn) -> Outcome:
        """Return the state of a release, or of a version that waits for its turn, by the pointer."""
        release = pointer.release
        if release is not None and release.run == turn.run:
            left = self._plan.due_at(release.since, release.bakes) - self._clock()
            return Outcome(
                status=Status.CANARY,
                reason=f"{pointer.shadow} % as a shadow" if pointer.shadow else f"{pointer.weight} % of the callers",
                wait_seconds=max(1, math.ceil(left)),
            )
        if pointer.waits(turn.run):
            seconds = max(1, math.ceil(self._plan.bake_seconds))
            return Outcome(status=Status.REGISTERED, reason="another release is under way", wait_seconds=seconds)
        last = pointer.last(turn.run)
        if pointer.champion == turn.version and (last is None or last.event != "promoted"):
            return Outcome(status=Status.PROMOTED, reason="the same version is live already")
        if last is None:
            raise RuntimeError(f"the release of run {turn.run} has left no trace in live.json")
        return _over(last)

    def _answer(self, model: str, run: str, outcome: Outcome) -> dict[str, Any]:
        """Write the outcome into the run's record and answer the workflow, for which a waiting release is a canary."""

        Registry(self._models, model).update_run(run, outcome.noted)
        status = Status.CANARY if outcome.status is Status.REGISTERED else outcome.status
        return {"status": str(status), "wait_seconds": outcome.wait_seconds}

    def _check(self, model: str, version: str) -> str | None:
        """Return why a version may not be released; None where it may."""
        try:
            open_version(Registry(self._models, model).load(version))
        except (Corrupt, BadModel, LookupError, TypeError, ValueError) as problem:  # its objects may hold anything
            return f"the version does not stand its golden test: {problem}"
        return None

    def _turn(self, model: str, run: str) -> Turn:
        """Return what a run puts up, in the order in which its data arrived."""
        record = Registry(self._models, model).read_run(run) or {}
        version, arrived = record.get("version"), record.get("arrived")
        if not version:
            raise ValueError(f"run {run} of {model} has registered no version")
        order = f"{arrived} {in_order(record['source'])}" if arrived else None
        return Turn(run=run, version=version, asked=self._clock(), arrived=order)

    def _waits(self, model: str, run: str) -> bool:
        return (Registry(self._models, model).read_run(run) or {}).get("status") in WAITING


def _has_release(pointer: Pointer, run: str) -> bool:
    return pointer.release is not None and pointer.release.run == run


def _over(last: transitions.Entry) -> Outcome:
    """Return the outcome of a release by its last entry in the history."""
    match last.event:
        case "promoted":
            return Outcome(status=Status.PROMOTED, reason=last.reason, revision=last.revision)
        case "rolled_back":
            return Outcome(status=Status.ROLLED_BACK, reason=last.reason, revision=last.revision)
        case _:
            return Outcome(status=Status.ROLLED_BACK, reason="withdrawn when an operator rolled its champion back")
