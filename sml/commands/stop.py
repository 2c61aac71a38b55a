"""Stop a stack, and have it go on: demands to its function `stop`, and what came of them."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import Mistake, TooLate
from sml.options import Seconds
from sml.person import person
from sml.session import Session, on_stack
from sml.stopped import FUNCTION, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sml.stack import Stack

WAIT_SECONDS = 300.0
"""As long as the function may take."""
PAUSE_SECONDS = 0.5
COLUMNS = {"name": "part of the stack", "now": "now", "would": "a stop would"}
NONE = (
    "the stack {stack} has no function that stops it: its settings say no budget.stop_at, or an older release deployed"
    " it (docs/watching.md#budget)"
)
Why = Annotated[str, typer.Option("--reason", "-m", help="Why; the record of it keeps it.")]


@on_stack
def stop(
    session: Session,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Say what would be stopped, and do nothing.")] = False,
    reason: Why = "",
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Stop whatever the stack runs: functions, schedules and queues, whose messages wait."""
    out, found = session.out, session.stack
    if rehearse:
        parts = _rehearsed(found, timeout)
        rows = [{"name": one["name"], "now": _state(one["state"]), "would": _would(one)} for one in parts]
        out.table(rows, COLUMNS, empty="the stack has nothing that could be stopped", documents=parts)
        return
    record = _demanded(found, "stop", reason, timeout)
    again = found.typed("resume")
    said = f"{found.name} is stopped since {record['at']}, by {record['by']}: `{again}` has it go on as it was"
    out.result(record, said)


@on_stack
def resume(session: Session, reason: Why = "", timeout: Seconds = WAIT_SECONDS) -> None:
    """Have a stopped stack go on as it was before."""
    out, found = session.out, session.stack
    before = stopped(found)
    record = _demanded(found, "resume", reason, timeout)
    out.result(record, f"{found.name} runs{' as before it was stopped' if before else '; it was not stopped'}")


def _demanded(stack: Stack, action: str, why: str, seconds: float) -> dict[str, Any]:
    """Demand something of the stack, and return its record once that is done. Raise `TooLate`."""
    from functions.core.stopping.record import Records  # noqa: PLC0415 - the stores' client takes long to import

    records = Records(stack.registry)
    demand = _send(stack, action, why)

    def done() -> Mapping[str, Any] | None:
        record = records.read()
        return record.document() if record.answered == demand else None

    return dict(_awaited(stack, done, seconds, "resumed" if action == "resume" else "stopped"))


def _rehearsed(stack: Stack, seconds: float) -> list[dict[str, Any]]:
    """Return each part of the stack, its state, and whether it is stopped. Raise `TooLate`."""
    from functions.core.stopping.record import Records  # noqa: PLC0415 - the stores' client takes long to import

    records = Records(stack.registry)
    demand = _send(stack, "rehearse", "")

    def done() -> Mapping[str, Any] | None:
        found = records.rehearsed()
        return found if found is not None and found.get("id") == demand else None

    return _awaited(stack, done, seconds, "looked through")["parts"]


def _send(stack: Stack, action: str, why: str) -> str:
    """Send a demand to the function, and return its id. Raise `Mistake` for a stack that has no such function."""
    if FUNCTION not in (stack.outputs.get("functions") or {}):
        raise Mistake(NONE.format(stack=stack.name))
    message = {"action": action, "id": uuid.uuid4().hex, "by": person(stack).by, "why": why}
    stack.cloud.send(FUNCTION, stack.function(FUNCTION)["queue"], message)
    return message["id"]


def _awaited(
    stack: Stack, look: Callable[[], Mapping[str, Any] | None], seconds: float, what: str
) -> Mapping[str, Any]:
    end = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > end:
            log = stack.typed("logs", FUNCTION)
            raise TooLate(f"{stack.name} is not {what} after {seconds:.0f} s; it is tried again: `{log}` says why")
        time.sleep(PAUSE_SECONDS)
    return found


def _state(state: Mapping[str, Any]) -> str:
    """Return a state in a few words: what is not set is as the account, or the revision, has it."""
    return ", ".join(f"{name} {'not set' if value is None else json.dumps(value)}" for name, value in state.items())


def _would(part: Mapping[str, Any]) -> str:
    return "leave it: it is stopped" if part["stopped"] else "stop it"
