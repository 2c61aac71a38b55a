"""Models: what is live of each, who gets which version, what waits, and what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.console.asked import ask
from sml.console.site import Page
from sml.console.source import sentence
from sml.records import at_once

if TYPE_CHECKING:
    from functions.core.registry.pointer import Pointer
    from sml.console.source import Source
    from sml.console.web import Request
    from sml.records import Records


def overview(source: Source, request: Request) -> Page:
    """All models of the stack."""
    del request
    cards = at_once(lambda name: _card(source.records(name)), source.stack.models)
    return Page(template="models.html", title="Models", facts={"cards": cards})


def model(source: Source, request: Request, model: str) -> Page:
    """One model: its traffic, its versions, its history."""
    from sml.commands import versions  # noqa: PLC0415 - typer's options are read when a command is imported

    del request
    records = source.records(model)
    facts = _card(records)
    listed = ask(source.stack, versions.versions, model=model).table if not facts["problem"] else None
    facts["scheduled"] = [record["cause"] for record in records.scheduled()]
    cards = records.versions() if listed is None else listed.rows
    scores = {} if listed is None else {key: title for key, title in listed.columns.items() if key not in KNOWN}
    return Page(
        template="model.html", title=model, model=model, facts={"card": facts, "versions": cards, "scores": scores}
    )


KNOWN = ("version", "state", "created", "run", "bytes")
"""Columns of a list of versions that are no scores."""


def _card(records: Records) -> dict[str, Any]:
    """Return what a model's card shows. What is damaged is told, and hides nothing else."""
    pointer, problem, last = None, None, None
    try:
        pointer = records.live()
        last = records.last_run()
    except Exception as found:
        problem = sentence(found, records.typed)[1]
    return {"name": records.model, "pointer": pointer, "problem": problem, "last": last, **_state(pointer)}


def _state(pointer: Pointer | None) -> dict[str, Any]:
    if pointer is None:
        return {"state": "damaged", "said": "its live pointer is damaged", "traffic": []}
    if pointer.champion is None:
        return {"state": "waiting", "said": "no version yet", "traffic": []}
    if pointer.challenger and pointer.shadow:
        said = {"state": "shadow", "said": f"shadow, {pointer.shadow} % of the requests"}
    elif pointer.challenger:
        said = {"state": "canary", "said": f"canary, {pointer.weight} % of the callers"}
    else:
        said = {"state": "live", "said": "live"}
    traffic = [{"role": "champion", "version": pointer.champion, "share": 100 - pointer.weight}]
    if pointer.challenger:
        traffic.append({"role": "challenger", "version": pointer.challenger, "share": pointer.weight})
    return {**said, "traffic": traffic}
