"""The alarms of a stack: which are firing, since when, and what to do."""

from __future__ import annotations

import typer

from sml.alarm import State
from sml.mistake import FAILED
from sml.session import Session, on_stack

COLUMNS = {"name": "alarm", "state": "state", "since": "since", "text": "what it tells"}
NONE = (
    "the stack has no alarms: its settings say alerts: {alarms: false}, or an older release deployed it"
    " (docs/watching.md#alarms)"
)


@on_stack
def alarms(session: Session) -> None:
    """Show the alarms of the stack, those that are firing first, with what to do."""
    found = session.stack.cloud.alarms(session.stack.outputs)
    ordered = sorted(found, key=lambda one: (one.state is not State.FIRING, one.name))
    documents = [one.document for one in ordered]
    # What is quiet has nothing to tell a person.
    shown = [one if one["state"] == State.FIRING else {**one, "text": ""} for one in documents]
    session.out.table(shown, COLUMNS, empty=NONE, documents=documents)
    if any(one.state is State.FIRING for one in ordered):
        raise typer.Exit(FAILED)
