"""Predict: a form made from the live version's card, and the answer of the API."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from models.feature import COMPOUND, OTHER
from sml.commands.predict import predict as command
from sml.console.asked import ask
from sml.console.site import Page
from sml.console.source import sentence
from sml.console.web import NUMBER
from sml.console.words import number
from sml.mistake import Mistake

if TYPE_CHECKING:
    from sml.console.source import Source
    from sml.console.web import Request
    from sml.records import Record, Records

FIELD = "feature:"
"""How the names of the form's fields begin that are features."""
ROW = "row"
"""The field for a row as JSON, of a model whose card names no features."""


def form(source: Source, request: Request, model: str) -> Page:
    """The form, filled in with a row that the version was tried with where the address names one."""
    records = source.records(model)
    card = _card(records)
    if card is None:
        return _page(model, {"features": None})
    features, examples = _features(card), records.examples(str(card["version"]))[:MANY]
    chosen = request.asked("example")
    values: Mapping[str, str] = {}
    if features and _has_examples(features) and NUMBER.fullmatch(chosen) and int(chosen) < len(examples):
        pairs = zip(features, examples[int(chosen)], strict=False)
        values = {feature["name"]: _written(feature, value) for feature, value in pairs}
    shown = len(examples) if _has_examples(features) else 0
    facts = {"card": card, "features": features, "values": values, "examples": shown}
    return _page(model, facts)


def answer(source: Source, request: Request, model: str) -> Page:
    """The form as it was filled in, with what the API said."""
    records = source.records(model)
    card = _card(records) or {}
    features = _features(card)
    values = {name.removeprefix(FIELD): given[0] for name, given in request.form.items() if name.startswith(FIELD)}
    examples = len(records.examples(str(card.get("version")))[:MANY]) if _has_examples(features) else 0
    facts = {"card": card, "features": features, "values": values, "row": request.given(ROW), "examples": examples}
    try:
        row = request.given(ROW) if not features else json.dumps(_row(features, values))
        told = ask(source.stack, command, model=model, row=row).table
        facts |= _said(told.documents[0])
        status = 200
    except Exception as problem:
        status, facts["problem"] = sentence(problem, source.typed)
    return _page(model, facts, status)


MANY = 8
"""Rows that the form can be filled in with."""


def _page(model: str, facts: Mapping[str, Any], status: int = 200) -> Page:
    return Page(template="predict.html", title="Predict", model=model, facts=facts, status=status)


def _card(records: Records) -> Record | None:
    champion = records.live().champion
    return None if champion is None else records.version(champion)


def _features(card: Mapping[str, Any]) -> list[Record]:
    return [one for one in card.get("features") or () if isinstance(one, dict) and one.get("name")]


def _has_examples(features: Sequence[Record]) -> bool:
    """Return whether the numbers of a row tell its values: a date and a text cannot be told from what they became."""
    return bool(features) and not any(one.get("kind") in COMPOUND for one in features)


def _row(features: Sequence[Record], values: Mapping[str, str]) -> dict[str, Any]:
    """Return the row that the form says; what is left empty is missing."""
    return {feature["name"]: _value(feature, values.get(feature["name"], "")) for feature in features}


def _value(feature: Record, text: str) -> Any:
    if text == "":
        return None
    match feature.get("kind"):
        case "category" | "date" | "datetime" | "text":
            return text
        case "boolean":
            return text == "true"
    try:
        found = float(text)
    except ValueError:
        raise Mistake(f"{feature['name']}: a number is accepted") from None
    if not math.isfinite(found):
        raise Mistake(f"{feature['name']}: a finite number is accepted")
    return int(found) if found.is_integer() else found


def _written(feature: Record, value: Any) -> str:
    """Return what the form shows of a value as the model takes it: a category by its name."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    match feature.get("kind"):
        case "category":
            names = [*(feature.get("categories") or ()), *([OTHER] if feature.get("unseen") == "other" else ())]
            return str(names[int(value)]) if 0 <= value < len(names) else ""
        case "boolean":
            return "true" if value else "false"
    return f"{value:.7g}"


def _said(document: Any) -> dict[str, Any]:
    """Return what the page shows of an answer: a label with its chances, a number, or all of it as it stands."""
    if not isinstance(document, dict):
        return {"answer": document}
    if isinstance(problem := document.get("error"), dict):
        return {"problem": problem.get("detail") or problem.get("message")}
    chances = document.get("probabilities")
    pairs = sorted(chances.items(), key=lambda one: -one[1]) if isinstance(chances, dict) else []
    said = _number(document) if "value" in document else document.get("label")
    return {"answer": document, "label": said, "chances": pairs[:12]}


def _number(document: dict[str, Any]) -> str:
    """Return a number, with the ends of its interval where it has one."""
    ends = f" ({number(document['low'])} to {number(document['high'])})" if "low" in document else ""
    return f"{number(document['value'])}{ends}"
