"""Versions: the card of one, and how two of them differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.decided import decides
from sml import sentences
from sml.console.asked import ask
from sml.console.site import Page
from sml.mistake import Mistake
from sml.whole import damage

if TYPE_CHECKING:
    from sml.console.source import Source
    from sml.console.web import Request


def version(source: Source, request: Request, model: str, version: str) -> Page:
    """One version, by its card."""
    del request
    records = source.records(model)
    card = records.version(version)
    pointer = records.live()
    states = {pointer.previous: "previous", pointer.challenger: "challenger", pointer.champion: "live"}
    facts = {
        "card": card,
        "left_out": damage(card, source.typed("registry", "verify")),
        "state": states.get(card.get("version"), ""),
        "pointer": pointer,
    }
    facts["origin"] = sentences.origin(card["origin"]) if card.get("origin") else ""
    facts["decides"] = decides(card["decision"]) if card.get("decision") else ""
    facts["interval"] = sentences.interval(card["interval"]) if card.get("interval") else ""
    return Page(template="version.html", title=f"Version {card.get('version')}", model=model, facts=facts)


def difference(source: Source, request: Request, model: str) -> Page:
    """What differs between the cards of two versions."""
    from sml.commands import versions  # noqa: PLC0415 - typer's options are read when a command is imported

    chosen = request.query.get("version", ())
    if len(chosen) != 2:
        raise Mistake(f"choose two versions of {model} to compare, not {len(chosen)}")
    table = ask(source.stack, versions.diff, model=model, one=chosen[0], other=chosen[1]).table
    facts = {"rows": table.rows, "chosen": chosen, "empty": table.empty}
    return Page(template="difference.html", title="Versions compared", model=model, facts=facts)
