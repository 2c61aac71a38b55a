"""How good the answers of the live version are by the truths that came: what the stack measured, or what is so now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.live_pointer import Live
from functions.core.watching.qualities import Qualities, answered_of, no_version
from models.catalogue import load
from models.section import ContractError
from sml.drift import checked
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.stack import Stack

NOT_MEASURED = "no quality is measured of {model}: it names no classes that a truth could be one of (scores)"
OLDER = "the check of {day} has no quality: an older release made it; --now measures it"


def measured(stack: Stack, model: str, day: str | None) -> Mapping[str, Any]:
    """Return the quality that the stack measured on a day, or the newest one. Raise `Mistake` where there is none."""
    check = checked(stack, model, day)
    if "quality" not in check:
        answered = _answered(stack, model)
        raise Mistake(OLDER.format(day=check["day"]) if answered is not None else NOT_MEASURED.format(model=model))
    return {"day": check["day"], **check["quality"]}


def measured_now(stack: Stack, model: str) -> Mapping[str, Any]:
    """Measure the quality of now, with the rows whose horizon is not over, and store nothing. Raise `Mistake`."""
    answered, today = _answered(stack, model), f"{datetime.now(UTC):%Y-%m-%d}"
    if answered is None:
        raise Mistake(NOT_MEASURED.format(model=model))
    version = Live(stack.registry, model).read().champion
    qualities = Qualities(stack.registry, stack.captures, model, answered)
    return {"day": today, **(no_version() if version is None else qualities.now(today, version))}


def metrics_of(quality: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics of a quality, the one that its floor is of first."""
    metrics = quality.get("metrics", {})
    order = sorted(metrics, key=lambda name: (name != quality.get("metric"), name))
    return [{"name": name, **metrics[name]} for name in order]


def _answered(stack: Stack, model: str) -> Any:
    try:
        return answered_of(load(stack.model(model)))
    except ContractError as problem:
        raise Mistake(f"what a truth of {model} is, its contract says: {problem}") from None
