"""Models and their versions: which there are, which are live, how two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.options import Model
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.stack import Stack

VersionName = Annotated[str, typer.Argument(help="The version, by the first letters of its name.", metavar="VERSION")]


@on_stack
def models(
    session: Session,
) -> None:
    """List the models of the stack, with what is live."""
    from sml.records import at_once  # noqa: PLC0415 - the stores' client takes long to import

    out, found = session.out, session.stack
    rows = at_once(lambda name: _live(found, name), found.models)
    columns = {"model": "model", "champion": "live", "traffic": "traffic", "since": "since (UTC)", "url": "predict"}
    out.table(rows, columns, empty="the stack has no models")


@on_stack
def live(
    session: Session,
    model: Model,
) -> None:
    """Show which version of a model answers, and how its traffic is split."""
    out, found = session.out, session.stack
    facts = _live(found, found.model(model))
    if out.as_json:
        out.fields(found.records(model).live().document())
        return
    if facts["champion"] is None:
        out.line(f"no version of {model} is live yet: `{found.typed('upload', model, 'FILE')}` trains the first one")
        return
    out.fields(facts)


@on_stack
def versions(
    session: Session,
    model: Model,
) -> None:
    """List the versions of a model, the newest first."""
    out, found = session.out, session.stack
    records = found.records(model)
    pointer, cards = records.live(), records.versions()
    states = {pointer.previous: "previous", pointer.challenger: "challenger", pointer.champion: "live"}
    rows = [
        {
            **card,
            "state": states.get(card["version"], ""),
            "created": str(card.get("created"))[:19].replace("T", " "),
            "run": f"{card.get('run')} in {card['origin'].get('stack')}" if card.get("origin") else card.get("run"),
            **_scores(card),
        }
        for card in cards
    ]
    scores = dict.fromkeys(name for card in cards for name in _scores(card))
    columns = {"version": "version", "state": "state", "created": "created (UTC)", "run": "run", "bytes": "bytes"}
    empty = f"{model} has no version yet: `{found.typed('upload', model, 'FILE')}`"
    out.table(rows, {**columns, **{name: name for name in scores}}, empty=empty, documents=cards)


@on_stack
def history(
    session: Session,
    model: Model,
) -> None:
    """List what callers could notice of a model: every promotion, canary step and rollback, the newest first."""
    from dataclasses import asdict  # noqa: PLC0415 - light by itself, and what follows is not

    out, found = session.out, session.stack
    entries = [asdict(entry) for entry in reversed(found.records(model).live().history)]
    rows = [{**entry, "at": str(entry["at"])[:19].replace("T", " ")} for entry in entries]
    columns = {"at": "at (UTC)", "event": "event", "version": "version", "reason": "why", "run": "run"}
    out.table(rows, columns, empty=f"nothing of {model} was ever live", documents=entries)


@on_stack
def diff(
    session: Session,
    model: Model,
    one: VersionName,
    other: VersionName,
) -> None:
    """Compare two versions: data, scores, parameters, features, packages. With --json, all of their cards."""
    from sml.version_difference import differences  # noqa: PLC0415 - only this command needs it

    out, found = session.out, session.stack
    records = found.records(model)
    cards = [records.version(one), records.version(other)]
    flat = [dict(_flat(card)) for card in cards]
    names = [str(card["version"]) for card in cards]
    documents = [
        {"name": name, names[0]: flat[0].get(name), names[1]: flat[1].get(name)}
        for name in dict.fromkeys([*flat[0], *flat[1]])
        if flat[0].get(name) != flat[1].get(name) and name != "version"
    ]
    rows = differences(cards, [records.find_run(str(card.get("run"))) for card in cards])
    columns = {"": "", "one": names[0], "other": names[1]}
    out.table(rows, columns, empty="they do not differ", documents=documents)


def _live(stack: Stack, model: str) -> dict[str, Any]:
    from functions.core.registry.pointer import DECIDED  # noqa: PLC0415
    from sml.sentences import evidence  # noqa: PLC0415

    records = stack.records(model)
    pointer = records.live()
    judged = "" if pointer.release is None else evidence(records.find_run(pointer.release.run))
    traffic = "" if pointer.champion is None else f"100 % {pointer.champion}"
    if pointer.challenger and pointer.weight:
        traffic = f"{100 - pointer.weight} % {pointer.champion}, {pointer.weight} % {pointer.challenger}"
    elif pointer.challenger:
        traffic += f"; {pointer.shadow} % also asked of {pointer.challenger}"
    last = next((entry for entry in reversed(pointer.history) if entry.event not in DECIDED), None)
    return {
        "model": model,
        "champion": pointer.champion,
        "challenger": pointer.challenger,
        "previous": pointer.previous,
        "traffic": traffic,
        "waiting": [turn.version for turn in pointer.waiting],
        "awaiting approval": [turn.version for turn in pointer.awaiting],
        "since": "" if last is None else last.at[:19].replace("T", " "),
        "why": "" if last is None else last.reason,
        **({"evidence": judged} if judged else {}),
        "url": stack.outputs["models"][model]["predict"],
    }


def _scores(card: dict[str, Any]) -> dict[str, float]:
    """Return the scores that the model was asked for; of an older version, all."""
    metrics = card.get("metrics") or {}
    holdout = metrics.get("holdout") or {}
    named = metrics.get("asked") or holdout
    return {name: holdout[name] for name in named if isinstance(holdout.get(name), int | float)}


def _flat(document: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return every value of a card with its path; a list of named things by their names."""
    if isinstance(document, dict):
        pairs = [(f"{prefix}.{name}" if prefix else str(name), value) for name, value in document.items()]
    elif isinstance(document, list) and document and all(isinstance(one, dict) and "name" in one for one in document):
        pairs = [
            (f"{prefix}.{one['name']}", {key: value for key, value in one.items() if key != "name"}) for one in document
        ]
    else:
        return [(prefix, document)]
    return [pair for path, value in pairs for pair in _flat(value, path)]
