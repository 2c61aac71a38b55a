"""One function of a stack: what it logged, its messages, its dead letters."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from sml import logs as reading
from sml.log_line import Level, ago
from sml.mistake import Mistake
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.stack import Stack

FOLLOW_SECONDS = 1.0
NEWEST = 100
"""Lines that are printed where neither their number nor a time is given."""
JOBS = "jobs"
Function = Annotated[
    str, typer.Argument(help="predict, jobs, prepare, train, select, rollout, supervise or tally.", metavar="FUNCTION")
]


@on_stack
def logs(
    session: Session,
    function: Function,
    lines: Annotated[int | None, typer.Option("--lines", "-n", min=1, help="The newest lines.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="What is not older: 30s, 10m, 2h, 7d.")] = None,
    level: Annotated[
        Level | None, typer.Option("--level", case_sensitive=False, help="This level and those above.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what a function logged, by default the newest 100 lines."""
    out, found = session.out, session.stack
    log = reading.log_of(found, function, since=ago(since, time.time()) if since else 0.0, level=level)
    shown = log.newest(lines or (reading.MOST if since else NEWEST))
    if not shown:
        asked = " ".join([*([f"of level {level} or above"] if level else []), *([f"for {since}"] if since else [])])
        out.say(f"{function} has logged nothing {asked or 'yet'}")
    if out.as_json and not follow:
        out.result([line.document for line in shown])
        return
    while True:
        for line in shown:
            out.each(line.document, line.text)
        if not follow:
            return
        time.sleep(FOLLOW_SECONDS)
        shown = log.after()


@on_stack
def redrive(
    session: Session,
    function: Annotated[str, typer.Argument(help="The function whose queue it is.", metavar="FUNCTION")] = JOBS,
) -> None:
    """Bring the dead letters of a queue back to it."""
    out, found = session.out, session.stack
    # An older release named those of jobs alone.
    of_jobs = found.outputs["jobs_dead_letters"] if function == JOBS else None
    moved = found.cloud.redrive(function, of_jobs or _place(found, function, "dead_letters", "has a queue"))
    out.result({"moved": moved}, f"{moved} dead letter{'s' * (moved != 1)} of {function} brought back")


@on_stack
def send(
    session: Session,
    function: Function,
    message: Annotated[str, typer.Argument(help="A JSON object.", metavar="MESSAGE")],
) -> None:
    """Send a message to the queue of a function that takes messages."""
    out, found = session.out, session.stack
    try:
        document = json.loads(message)
    except ValueError as problem:
        raise Mistake(f"the message is not JSON: {problem}; accepted: a JSON object") from None
    if not isinstance(document, dict):
        raise Mistake(f"the message is {message.strip()}; accepted: a JSON object")
    found.cloud.send(function, _place(found, function, "queue", "takes messages"), document)
    out.result({"function": function}, f"sent to the queue of {function}; its log: `{found.typed('logs', function)}`")


def _place(stack: Stack, function: str, kind: str, what: str) -> str:
    """Return where a function's messages, or its dead letters, are. Raise `Mistake` for one that has none."""
    place = stack.function(function).get(kind)
    if place is None:
        others = ", ".join(name for name, one in stack.outputs["functions"].items() if kind in one)
        raise Mistake(f"{function} is no function that {what}; there are: {others or 'none'}")
    return place
