"""A stack is stopped and goes on as it was, whatever cuts the function off, and whoever asks again."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.runtime.log import Log
from functions.core.stopping.demand import BUDGET, Action, Demand
from functions.core.stopping.part import NoSuchPart, State
from functions.core.stopping.record import KEY, Phase, Records, StopRecord
from functions.core.stopping.stop import NotAll, Stopping
from functions.core.storage.objects import Objects, Unreadable

NOW = datetime(2026, 12, 1, 13, tzinfo=UTC)
STOP = Demand(action=Action.STOP, by="ada", why="too dear", id="1")
RESUME = Demand(action=Action.RESUME, by="ada", id="2")
OVER = Demand(action=Action.STOP, by=BUDGET, month="2026-12", spent=60.0)


class Cut(BaseException):
    """The function is killed."""


@dataclass
class Copies:
    """A part that may have so many copies; `None` stands for no bound."""

    name: str
    copies: int | None
    calls: list[str] = field(default_factory=list)
    broken: Callable[[str], None] = lambda _: None

    def state(self) -> State:
        self._called("state")
        return {"copies": self.copies}

    def is_stopped(self, state: State) -> bool:
        return state["copies"] == 0

    def stop(self) -> None:
        self._called("stop")
        self.copies = 0

    def resume(self, before: State) -> None:
        self._called("resume")
        self.copies = before["copies"]

    def _called(self, what: str) -> None:
        self.broken(what)
        self.calls.append(f"{self.name} {what}")


class Stack:
    """Three parts of a stack, and the function that stops them."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.parts = [Copies(name, copies, self.calls) for name, copies in (("a", 2), ("b", None), ("c", 0))]
        self.objects = Objects.in_memory()
        self.records = Records(self.objects)
        self.log = io.StringIO()
        self.stopping = Stopping(
            parts=self.parts, records=self.records, limit_usd=50, log=Log(stream=self.log), now=lambda: NOW
        )

    @property
    def copies(self) -> list[int | None]:
        return [part.copies for part in self.parts]

    @property
    def acts(self) -> list[str]:
        return [call for call in self.calls if not call.endswith("state")]


BEFORE = [2, None, 0]


def test_a_stopped_stack_goes_on_exactly_as_it_was_in_the_opposite_order() -> None:
    stack = Stack()
    stack.stopping.work(STOP)
    assert (stack.copies, stack.acts) == ([0, 0, 0], ["a stop", "b stop"])
    record = stack.records.read()
    assert (record.phase, record.by, record.why, record.answered) == (Phase.STOPPED, "ada", "too dear", "1")
    stack.stopping.work(RESUME)
    assert (stack.copies, stack.acts[2:]) == (BEFORE, ["c resume", "b resume", "a resume"])
    assert (stack.records.read().phase, stack.records.read().answered) == (Phase.RUNNING, "2")


def test_a_rehearsal_says_what_would_be_stopped_and_does_nothing() -> None:
    stack = Stack()
    stack.stopping.work(replace(STOP, action=Action.REHEARSE, id="9"))
    found: Any = stack.records.rehearsed()
    assert (found["id"], [part["stopped"] for part in found["parts"]]) == ("9", [False, False, True])
    assert (stack.acts, stack.objects.find(KEY)) == ([], None)


def test_a_second_stop_does_nothing_and_keeps_who_was_first() -> None:
    stack = Stack()
    stack.stopping.work(STOP)
    before = stack.records.read()
    stack.stopping.work(replace(STOP, by="bob", why="so do I", id="3"))
    assert stack.acts == ["a stop", "b stop"]
    assert stack.records.read() == replace(before, answered="3")


@pytest.mark.parametrize("after", range(20))
def test_a_stop_and_a_resume_that_are_cut_off_anywhere_are_finished_by_the_next(after: int) -> None:
    stack = Stack()
    left = after

    def cut(_: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Cut

    def once(demand: Demand) -> None:
        nonlocal left
        left = after
        for part in stack.parts:
            part.broken = cut
        with suppress(Cut):
            stack.stopping.work(demand)
        for part in stack.parts:
            part.broken = lambda _: None

    once(STOP)
    stack.stopping.work(STOP)
    assert (stack.copies, stack.records.read().phase) == ([0, 0, 0], Phase.STOPPED)
    once(RESUME)
    stack.stopping.work(RESUME)
    assert (stack.copies, stack.records.read().phase) == (BEFORE, Phase.RUNNING)


def test_a_stop_in_the_midst_of_a_resume_forgets_nothing() -> None:
    stack = Stack()
    stack.stopping.work(STOP)

    def fails(what: str) -> None:
        if what == "resume":
            raise OSError("throttled")

    stack.parts[0].broken = fails
    with pytest.raises(NotAll, match="not done: a"):
        stack.stopping.work(RESUME)
    assert (stack.copies, stack.records.read().phase) == ([0, None, 0], Phase.RESUMING)
    stack.parts[0].broken = lambda _: None
    stack.stopping.work(STOP)
    assert stack.copies == [0, 0, 0]
    stack.stopping.work(RESUME)
    assert stack.copies == BEFORE


def test_one_part_that_fails_keeps_no_other_from_being_stopped() -> None:
    stack = Stack()

    def fails(what: str) -> None:
        if what == "stop":
            raise OSError("throttled")

    stack.parts[0].broken = fails
    with pytest.raises(NotAll):
        stack.stopping.work(STOP)
    assert (stack.copies, stack.records.read().phase) == ([2, 0, 0], Phase.STOPPING)
    assert "throttled" in stack.log.getvalue()


def test_what_a_deployment_removed_or_changed_meanwhile_is_passed_over_or_left() -> None:
    stack = Stack()
    stack.stopping.work(STOP)
    stack.parts[1].copies = 7

    def gone(_: str) -> None:
        raise NoSuchPart

    stack.parts[0].broken = gone
    stack.stopping.work(RESUME)
    assert stack.copies == [0, 7, 0]
    stack.stopping.work(STOP)
    assert (stack.copies[1], stack.records.read().before["b"]) == (0, {"copies": 7})


def test_a_part_that_a_deployment_added_is_stopped_by_the_next_stop() -> None:
    stack = Stack()
    stack.stopping.work(STOP)
    more = replace(stack.stopping, parts=[*stack.parts, Copies("d", 4, stack.calls)])
    more.work(STOP)
    assert stack.acts[-1] == "d stop"
    more.work(RESUME)
    assert [part.state()["copies"] for part in more.parts] == [*BEFORE, 4]


@pytest.mark.parametrize(
    ("demand", "obeyed"),
    [
        (OVER, True),
        (replace(OVER, spent=None), True),
        (replace(OVER, spent=49.99), False),
        (replace(OVER, month="2026-11"), False),
    ],
)
def test_the_budget_is_obeyed_for_this_months_cost_alone_from_the_limit_on(demand: Demand, obeyed: bool) -> None:
    stack = Stack()
    stack.stopping.work(demand)
    assert stack.copies == ([0, 0, 0] if obeyed else BEFORE)


def test_who_has_the_stack_go_on_overrules_the_budget_for_the_month_and_the_limit() -> None:
    stack = Stack()
    stack.stopping.work(OVER)
    stack.stopping.work(RESUME)
    stack.stopping.work(OVER)
    assert stack.copies == BEFORE
    later = replace(stack.stopping, now=lambda: datetime(2027, 1, 9, tzinfo=UTC))
    later.work(replace(OVER, month="2027-01"))
    assert stack.copies == [0, 0, 0]
    stack.stopping.work(RESUME)
    replace(stack.stopping, limit_usd=80.0).work(replace(OVER, spent=80.0))
    assert stack.copies == [0, 0, 0]


def test_the_budget_is_overruled_also_where_a_person_was_first() -> None:
    stack = Stack()
    stack.stopping.work(STOP)
    stack.stopping.work(OVER)
    assert stack.records.read().by == "ada"
    stack.stopping.work(RESUME)
    stack.stopping.work(OVER)
    assert stack.copies == BEFORE


def test_a_stack_that_runs_is_not_resumed_and_says_so() -> None:
    stack = Stack()
    stack.stopping.work(RESUME)
    assert (stack.acts, stack.records.read()) == ([], StopRecord(answered="2"))


def test_a_damaged_record_stops_nothing_blindly() -> None:
    stack = Stack()
    stack.objects.put(KEY, b'{"phase": "asleep"}')
    with pytest.raises(Unreadable, match="no record of a stopped stack"):
        stack.stopping.work(STOP)
    assert stack.copies == BEFORE


@pytest.mark.parametrize(
    "message", [{}, {"action": "burn", "by": "x"}, {"action": "stop"}, {"action": "stop", "by": 1}]
)
def test_a_message_that_demands_nothing_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the message"):
        Demand.of_person(message)
    assert Demand.of_person(STOP.document()) == STOP
