"""The stack itself: its state, its logs, its dead letters."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from sml.file import content_of
from sml.key import checked
from sml.mistake import UNREACHABLE, Mistake, Unreachable
from sml.session import Session, on_stack
from sml.stack import Stack

FOLLOW_SECONDS = 1.0
AMOUNTS = {"usd": "USD", "grams": "g CO2e"}
Function = Annotated[
    str, typer.Argument(help="predict, jobs, prepare, train, select, rollout, supervise or tally.", metavar="FUNCTION")
]


@on_stack
def status(
    session: Session,
) -> None:
    """Show where the stack is, whether its API answers, and what is live."""
    from sml.api import Api  # noqa: PLC0415

    out, found = session.out, session.stack
    try:
        Api(found).get(f"{found.outputs['endpoint']}/v2/health/ready")
        ready, reached, answers = True, True, "ready"
    except Unreachable as problem:
        ready, reached, answers = False, False, str(problem)
    except Mistake as problem:
        ready, reached, answers = False, True, str(problem)
    live = {name: found.records(name).live().champion for name in found.models}
    waits = {name: [one["cause"] for one in found.records(name).scheduled()] for name in found.models}
    named = ("endpoint", "data_url", "models_url", "jobs_url", "workflow")
    facts: dict[str, Any] = {
        "stack": found.name,
        "where": found.cloud.title,
        "ready": ready,
        **{name: found.outputs[name] for name in named},
        "models": live,
        "estimate": found.outputs.get("estimate"),
        "scheduled": {name: told for name, told in waits.items() if told},
    }
    apart = ("models", "scheduled", "ready", "estimate")
    shown = {
        **{name: value for name, value in facts.items() if name not in apart},
        "API": answers,
        **{f"{name}, live": champion or "no version yet" for name, champion in live.items()},
        **{f"{name}, waits": "; ".join(told) for name, told in waits.items() if told},
        "estimate": _estimated(facts["estimate"]),
    }
    out.fields(facts, shown)
    if not reached:
        raise typer.Exit(UNREACHABLE)


def _estimated(told: object) -> str:
    """Return what a stack says that it costs and emits; empty where it says nothing, or keeps it secret."""
    if not isinstance(told, dict):
        return ""
    units = {"thousand_predictions": "1,000 predictions", "training_run": "a training run", "idle_month": "idle month"}
    amounts = {name: told[kind] for kind, name in AMOUNTS.items() if told.get(kind)}
    if not amounts:
        return ""
    parts = {
        words: ", ".join(f"{_amount(figures[unit])} {name}" for name, figures in amounts.items())
        for unit, words in units.items()
    }
    return "; ".join(f"{words} {text}" for words, text in parts.items())


def _amount(figure: float) -> str:
    return f"{figure:.2g}" if abs(figure) < 100 else f"{figure:,.0f}"


@on_stack
def put(
    session: Session,
    store: Annotated[str, typer.Argument(help="data, models or jobs, or the store's URL.", metavar="STORE")],
    key: Annotated[str, typer.Argument(help="MODEL/incoming/data.csv, say.", metavar="KEY")],
    file: Annotated[Path, typer.Argument(metavar="FILE")],
) -> None:
    """Put a file into one of the stack's stores under a key. Datasets: `sml upload`."""
    out, found = session.out, session.stack
    stores = {"data": found.data, "models": found.registry, "jobs": found.jobs}
    urls = {str(found.outputs[f"{name}_url"]).rstrip("/"): name for name in stores}
    name = urls.get(store.rstrip("/"), store)
    if name not in stores:
        raise Mistake(f"{store} is no store of the stack; accepted: {', '.join(stores)}")
    content = content_of(file)
    stores[name].put(checked(key), content)
    url = f"{found.outputs[f'{name}_url'].rstrip('/')}/{key}"
    out.result({"url": url, "bytes": len(content)}, f"{len(content):,} bytes -> {url}")


@on_stack
def logs(
    session: Session,
    function: Function,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="The newest lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what a function of the stack that is up here logged."""
    out, found = session.out, session.stack
    here = _here(found, "logs", "`aws logs tail` or `gcloud logging read` for one in an account")
    shown: list[str] = here.ask("logs", function=function, lines=lines)["lines"]
    if not shown:
        out.say(f"{function} has logged nothing yet")
    for line in shown:
        out.line(line)
    while follow:
        time.sleep(FOLLOW_SECONDS)
        newer: list[str] = here.ask("logs", function=function, lines=max(lines, 1000))["lines"]
        for line in _after(shown, newer):
            out.line(line)
        shown = newer


@on_stack
def redrive(
    session: Session,
    function: Annotated[str, typer.Argument(help="The function whose queue it is.", metavar="FUNCTION")] = "jobs",
) -> None:
    """Bring the dead letters of a queue back to it."""
    out, found = session.out, session.stack
    if found.here is not None:
        moved = found.here.ask("redrive", function=function)["moved"]
    elif function != "jobs":
        raise Mistake("of a stack in an account, the outputs name the dead letters of jobs alone")
    else:
        moved = found.cloud.redrive(found.outputs["jobs_dead_letters"])
    out.result({"moved": moved}, f"{moved} dead letter{'s' * (moved != 1)} of {function} brought back")


@on_stack
def send(
    session: Session,
    function: Function,
    message: Annotated[str, typer.Argument(help="A JSON object.", metavar="MESSAGE")],
) -> None:
    """Send a message to the queue of a function of the stack that is up here."""
    out, found = session.out, session.stack
    try:
        document = json.loads(message)
    except ValueError as problem:
        raise Mistake(f"the message is not JSON: {problem}; accepted: a JSON object") from None
    if not isinstance(document, dict):
        raise Mistake(f"the message is {message.strip()}; accepted: a JSON object")
    _here(found, "send", "the cloud's own tools for one in an account").ask("send", function=function, message=document)
    out.line(f"sent to the queue of {function}; its log: sml logs {function}")


def _here(stack: Stack, command: str, instead: str) -> Any:
    if stack.here is None:
        raise Mistake(f"`sml {command}` is for the stack that is up here; {instead}")
    return stack.here


def _after(shown: list[str], newer: list[str]) -> list[str]:
    """Return the lines that came after those that were shown."""
    if not shown:
        return newer
    last = shown[-min(len(shown), 50) :]
    for start in range(len(newer) - len(last), -1, -1):
        if newer[start : start + len(last)] == last:
            return newer[start + len(last) :]
    return newer
