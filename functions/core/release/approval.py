"""What comes before a release where a person's word is asked for: the version waits, and nothing of it reaches callers.

The execution of the workflow ends while it waits; the one that goes on with the run begins when the
person has decided.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.registry.approvals import Approvals
from functions.core.registry.pointer import DECIDED, LONGEST_REASON, entered, leave
from functions.core.registry.runs import Outcome, Status
from functions.core.registry.versions import Registry
from models.light import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from functions.core.registry.approvals import Decision, Word
    from functions.core.registry.live_pointer import Live
    from functions.core.registry.pointer import Pointer, Turn
    from functions.core.storage.objects import Objects

WAITS = "waits for approval: no caller gets it before"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """Holds versions of the models in `asking` until a person has approved them."""

    models: Objects
    asking: Collection[str]

    def decision(self, model: str, version: str) -> Decision | None:
        """Return what a person decided about a version; None where nobody did."""
        return Approvals(self.models, model).find(version)

    def hold(self, model: str, live: Live, turn: Turn, decision: Decision | None, now: float) -> Outcome | None:
        """Return the outcome of a version that may not be released; None for one that may.

        It waits where nobody has decided, unless newer data waits already, and ends where a person rejected it.
        """
        if decision is not None and decision.decision == "rejected":
            self.supersede(model, live, live.change(lambda pointer: reject(pointer, turn, decision, now)), turn)
            return Outcome(status=Status.REFUSED, reason=f"rejected {decision.said}", decision=decision)
        if decision is not None or model not in self.asking:
            return None
        after = live.change(lambda pointer: ask_approval(pointer, turn))
        newer = after.superseder(turn, unapproved=True)
        if newer is not None:
            reason = f"newer data came before it was approved: run {newer}"
            return Outcome(status=Status.SUPERSEDED, reason=reason, superseded_by=newer)
        self.supersede(model, live, after, turn)
        return Outcome(status=Status.AWAITING_APPROVAL, reason=WAITS)

    def supersede(self, model: str, live: Live, pointer: Pointer, turn: Turn) -> None:
        """Have older data, and the same version, wait for approval no more: their runs say which one came instead."""
        older = pointer.superseded(turn)
        reason = f"before it was approved, another took its place: run {turn.run}"
        outcome = Outcome(status=Status.SUPERSEDED, reason=reason, superseded_by=turn.run)

        def note(record: dict[str, Any]) -> dict[str, Any]:
            return outcome.noted(record) if record.get("status") == Status.AWAITING_APPROVAL else record

        for run in older:
            Registry(self.models, model).update_run(run, note)
        if older:
            # Last, so that a step that is delivered again still knows whom to tell.
            live.change(lambda current: leave(current, *older))


def reject(pointer: Pointer, turn: Turn, decision: Decision, now: float) -> Pointer:
    """Return the pointer without a version that a person rejected."""
    return leave(decide(pointer, turn, "rejected", decision.said, now), turn.run)


def ask_approval(pointer: Pointer, turn: Turn) -> Pointer:
    """Have a version wait for approval, since it first asked; not one whose data is older than what was offered."""
    if pointer.superseder(turn, unapproved=True) is not None:
        return leave(pointer, turn.run)
    asked = min((other.asked for other in pointer.awaiting if other.run == turn.run), default=turn.asked)
    turn, before = replace(turn, asked=asked), leave(pointer, turn.run)
    if turn in pointer.awaiting:
        return pointer
    return replace(before, awaiting=(*before.awaiting, turn), revision=pointer.revision + 1)


def decide(pointer: Pointer, turn: Turn, event: Word, reason: str, now: float) -> Pointer:
    """End the wait of a version for approval, if it waits, and write the decision down unless it is there.

    `reason` says who decided, and why.
    """
    if pointer.awaits(turn.run):
        return entered(leave(pointer, turn.run), event, turn.version, turn.run, now, reason)
    told = (one for one in reversed(pointer.history) if one.version == turn.version and one.event in DECIDED)
    last = next(told, None)
    if last is not None and (last.event, last.reason) == (event, reason[:LONGEST_REASON]):
        return pointer
    return entered(pointer, event, turn.version, turn.run, now, reason)
