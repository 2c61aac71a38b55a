"""The stack itself: its state, and its stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.alarm import State
from sml.file import content_of
from sml.key import checked
from sml.mistake import UNREACHABLE, Mistake, Unreachable
from sml.sentences import misplaced
from sml.session import Session, on_stack
from sml.stopped import stopped

if TYPE_CHECKING:
    from sml.stack import Stack

AMOUNTS = {"usd": "USD", "grams": "g CO2e"}


@on_stack
def status(
    session: Session,
) -> None:
    """Show where the stack is, whether its API answers, and what is live."""
    from sml.api import Api  # noqa: PLC0415
    from sml.records import at_once  # noqa: PLC0415 - the stores' client takes long to import

    out, found = session.out, session.stack
    try:
        Api(found).get(f"{found.outputs['endpoint']}/v2/health/ready")
        ready, reached, answers = True, True, "ready"
    except Unreachable as problem:
        ready, reached, answers = False, False, str(problem)
    except Mistake as problem:
        ready, reached, answers = False, True, str(problem)
    records = at_once(found.records, found.models)
    pointers = dict(zip(found.models, at_once(lambda one: one.live(), records), strict=True))
    live = {name: pointer.champion for name, pointer in pointers.items()}
    awaiting = {name: [turn.version for turn in pointer.awaiting] for name, pointer in pointers.items()}
    scheduled = at_once(lambda one: [wait["cause"] for wait in one.scheduled()], records)
    waits = dict(zip(found.models, scheduled, strict=True))
    told = _alarms(found)
    halted = stopped(found)
    named = ("endpoint", "data_url", "models_url", "jobs_url", "workflow")
    facts: dict[str, Any] = {
        "stack": found.name,
        "where": found.cloud.title,
        "ready": ready,
        "stopped": halted,
        **{name: found.outputs[name] for name in named},
        "models": live,
        "estimate": found.outputs.get("estimate"),
        "awaiting_approval": {name: versions for name, versions in awaiting.items() if versions},
        "scheduled": {name: causes for name, causes in waits.items() if causes},
        "alarms": {"firing": told.firing, "of": told.of},
    }
    apart = ("models", "scheduled", "awaiting_approval", "ready", "stopped", "estimate", "alarms")
    shown = {
        **{name: value for name, value in facts.items() if name not in apart},
        **({} if halted is None else {"stopped": _halted(found, halted)}),
        "API": answers,
        **{f"{name}, live": champion or "no version yet" for name, champion in live.items()},
        **{f"{name}, awaiting approval": ", ".join(versions) for name, versions in awaiting.items() if versions},
        **{f"{name}, waits": "; ".join(causes) for name, causes in waits.items() if causes},
        "alarms": told.said,
        "estimate": _estimated(facts["estimate"]),
    }
    out.fields(facts, shown)
    if not reached:
        raise typer.Exit(UNREACHABLE)


def _halted(stack: Stack, halted: Mapping[str, str]) -> str:
    """Return by whom and why a stack does not run, and what to type."""
    why = f": {halted['why']}" if halted["why"] else ""
    return f"{halted['phase']} since {halted['at']}, by {halted['by']}{why}; `{stack.typed('resume')}` has it go on"


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What is told of the alarms of a stack."""

    said: str
    firing: list[str] | None = None
    """Their names; None where nobody could be asked."""
    of: int | None = None


def _alarms(stack: Stack) -> _Told:
    """Ask which alarms are firing: that they cannot be asked hides nothing else."""
    try:
        found = stack.cloud.alarms(stack.outputs)
    except Mistake as problem:
        return _Told(said=str(problem))
    firing = [one.name for one in found if one.state is State.FIRING]
    look = f"firing: {', '.join(firing)}: `{stack.typed('alarms')}`"
    quiet = f"none firing of {len(found)}" if found else "the stack has none"
    return _Told(said=look if firing else quiet, firing=firing, of=len(found))


def _estimated(told: object) -> str:
    """Return what a stack says that it costs and emits; empty where it says nothing, or keeps it secret."""
    if not isinstance(told, dict):
        return ""
    units = {"thousand_predictions": "1,000 predictions", "training_run": "a training run", "idle_month": "idle month"}
    amounts = {name: told[kind] for kind, name in AMOUNTS.items() if told.get(kind)}
    if not amounts:
        return ""
    parts = {
        words: ", ".join(f"{_amount(figures[unit])} {name}" for name, figures in amounts.items()) + _range(told, unit)
        for unit, words in units.items()
    }
    return "; ".join(f"{words} {text}" for words, text in parts.items())


def _range(told: Mapping[str, Any], unit: str) -> str:
    """Return between which bounds the grams of a unit are; empty for a stack that does not say it."""
    low, high = ((told.get(bound) or {}).get(unit) for bound in ("grams_low", "grams_high"))
    return "" if low is None or high is None else f" ({_amount(low)} to {_amount(high)})"


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
    place = str(found.outputs[f"{name}_url"]).rstrip("/")
    url = f"{place}/{key}"
    out.result({"url": url, "bytes": len(content)}, f"{len(content):,} bytes -> {url}")
    if (told := misplaced(f"{name}_url", place, key, found.models)) is not None:
        out.say(told)
