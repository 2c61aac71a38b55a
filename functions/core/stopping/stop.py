"""Stop a stack and have it go on, in a way that can be cut off anywhere and done again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.runtime.consumer import Consumer
from functions.core.stopping.demand import BUDGET, Action, Demand
from functions.core.stopping.part import NoSuchPart
from functions.core.stopping.record import Over, Phase, Records, StopRecord
from interface import variables

if TYPE_CHECKING:
    from functions.core.runtime.consumer import Delivery
    from functions.core.runtime.environment import Environment
    from functions.core.runtime.log import Log
    from functions.core.stopping.part import Part, State


class NotAll(Exception):
    """Some parts of the stack could not be stopped, or put back; all others were."""


@dataclass(frozen=True, kw_only=True)
class Stopping:
    """Carries out demands. `parts` are in the order in which they are stopped; they go on in the opposite one.

    How everything was is written before the first part is stopped, and again only for parts that are not in it yet.
    A part that fails keeps no other one from being stopped: the demand fails at the end, and is delivered again.
    """

    parts: Sequence[Part]
    records: Records
    limit_usd: float
    """USD of a month from which on the budget's demands count."""
    log: Log
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def work(self, demand: Demand, _delivery: Delivery | None = None) -> None:
        """Carry out a demand. Raise `NotAll`, what the record raises, and what a part raises that is only read."""
        match demand.action:
            case Action.REHEARSE:
                self._rehearse(demand)
            case Action.STOP:
                self._stop(demand)
            case Action.RESUME:
                self._resume(demand)

    def _rehearse(self, demand: Demand) -> None:
        found = [
            {"name": part.name, "state": dict(state), "stopped": part.is_stopped(state)}
            for part in self.parts
            if (state := self._state(part)) is not None
        ]
        self.records.write_rehearsal({"id": demand.id, "at": self._time(), "parts": found})
        self.log.info("rehearsed", by=demand.by, parts=len(found))

    def _stop(self, demand: Demand) -> None:
        record = self.records.read()
        if (why := self._passed_over(demand, record)) is not None:
            self.log.info("not stopped", by=demand.by, why=why, month=demand.month, spent=demand.spent)
            return
        found = {part.name: state for part in self.parts if (state := self._state(part)) is not None}
        working = [part for part in self.parts if part.name in found and not part.is_stopped(found[part.name])]
        begun = self.records.change(lambda known: self._begun(known, demand, found, {part.name for part in working}))
        self._each(working, lambda part: part.stop())
        done = self.records.change(
            lambda known: (
                replace(known, phase=Phase.STOPPED, answered=demand.id or known.answered)
                if known.phase is Phase.STOPPING or known.phase is Phase.STOPPED
                else known
            )
        )
        if begun.phase is Phase.STOPPING:
            self.log.warning("stopped", by=done.by, why=done.why, parts=len(found), metric="StackStopped")

    def _begun(self, known: StopRecord, demand: Demand, found: Mapping[str, State], working: Set[str]) -> StopRecord:
        """Return the record of a stop that begins, or of one that goes on: who was first stays in it."""
        over = Over(month=demand.month, usd=self.limit_usd) if demand.month else known.over
        if known.phase is Phase.STOPPED and not working:
            return replace(known, over=over)
        if known.phase in (Phase.STOPPING, Phase.STOPPED):
            by, why, at = known.by, known.why, known.at
        else:
            by, why, at = demand.by, demand.why, self._time()
        # What works is as it has to be again, whatever was known of it; what does not may have been stopped already.
        kept = {} if known.phase is Phase.RUNNING else known.before
        before = {name: kept[name] if name in kept and name not in working else state for name, state in found.items()}
        return replace(known, phase=Phase.STOPPING, by=by, why=why, at=at, over=over, before={**kept, **before})

    def _resume(self, demand: Demand) -> None:
        record = self.records.change(
            lambda known: (
                replace(known, answered=demand.id or known.answered)
                if known.phase is Phase.RUNNING
                else replace(known, phase=Phase.RESUMING)
            )
        )
        if record.phase is Phase.RUNNING:
            self.log.info("not stopped", by=demand.by, why="the stack is not stopped")
            return
        before = record.before
        self._each([part for part in self.parts[::-1] if part.name in before], lambda part: _put_back(part, before))
        self.records.change(
            lambda known: (
                StopRecord(at=self._time(), by=demand.by, why=demand.why, answered=demand.id, over=known.over)
                if known.phase is Phase.RESUMING
                else known
            )
        )
        self.log.warning("resumed", by=demand.by, why=demand.why, metric="StackResumed")

    def _passed_over(self, demand: Demand, record: StopRecord) -> str | None:
        """Return why the budget is not obeyed; None where it is, and for whatever a person demands."""
        if demand.by != BUDGET:
            return None
        if demand.spent is not None and demand.spent < self.limit_usd:
            return "the cost is below the limit"
        if demand.month != self._time()[:7]:
            return "the cost is of another month"
        over = record.over
        if record.phase is Phase.RUNNING and over and over.month == demand.month and over.usd >= self.limit_usd:
            return "somebody had the stack go on after it was stopped at this limit this month"
        return None

    def _each(self, parts: Sequence[Part], act: Callable[[Part], object]) -> None:
        """Do something with each part, whatever becomes of the others. Raise `NotAll` at the end."""
        failed = []
        for part in parts:
            try:
                act(part)
            except NoSuchPart:
                self.log.info("passed over", part=part.name, why="it is not there any more")
            except Exception as problem:
                self.log.error("a part failed", part=part.name, problem=problem)
                failed.append(part.name)
        if failed:
            raise NotAll(f"not done: {', '.join(failed)}")

    def _state(self, part: Part) -> State | None:
        try:
            return part.state()
        except NoSuchPart:
            self.log.info("passed over", part=part.name, why="it is not there any more")
            return None

    def _time(self) -> str:
        return self.now().isoformat(timespec="seconds")


def stop(environment: Environment, parts: Sequence[Part]) -> Consumer[Demand]:
    """Compose the consumer of demands about these parts of the stack."""
    log = environment.log()
    stopping = Stopping(
        parts=parts,
        records=Records(environment.store(variables.MODELS_URL)),
        limit_usd=environment.number(variables.STOP_AT),
        log=log,
    )
    return Consumer(
        work=stopping.work,
        log=log,
        metering=environment.metering,
        timeout_seconds=environment.number(variables.TIMEOUT_SECONDS),
    )


def _put_back(part: Part, before: Mapping[str, State]) -> None:
    """Put a part back that is stopped: another one was changed since, by a deployment, or was put back already."""
    if part.is_stopped(part.state()):
        part.resume(before[part.name])
