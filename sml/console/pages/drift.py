"""Watching: the checks of a model's days, each column beside what the live version learnt from, and its quality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.console.shares import pairs
from sml.console.site import Page
from sml.drift import check_now, checked, checks_of, hint
from sml.mistake import Mistake
from sml.quality import measured_now, metrics_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.console.source import Source
    from sml.console.web import Request
    from sml.stack import Stack

LISTED = 30
"""Days that are named, the newest."""
NOW = "now"
"""The day of that name is today, as far as it has come."""


def drift(source: Source, request: Request, model: str) -> Page:
    """Show the newest check, that of a day, or one made now."""
    stack, asked = source.stack, request.asked("day")
    days = list(reversed(checks_of(stack, model).days()))[:LISTED]
    facts: dict[str, Any] = {"days": days, "asked": asked or (days[0] if days else None)}
    if asked == NOW or days or asked:
        check = check_now(stack, model) if asked == NOW else checked(stack, model, asked or None)
        facts |= {"check": check, "columns": [_drawn(one) for one in check.get("columns", ())]}
        quality = _now(stack, model) if asked == NOW else check.get("quality")
        facts |= {"quality": quality, "metrics": metrics_of(quality or {})}
        facts["hint"] = hint(check)
    return Page(template="drift.html", title="Drift", model=model, facts=facts)


def _now(stack: Stack, model: str) -> Mapping[str, Any] | None:
    """Return the quality of now; None where the contract, which says what a truth is, is not on this machine."""
    try:
        return measured_now(stack, model)
    except Mistake:
        return None


def _drawn(one: Mapping[str, Any]) -> dict[str, Any]:
    chart = pairs(one["cells"], one["before"], one["after"], f"{one['name']}: shares in training and captured")
    return {**one, "chart": chart}
