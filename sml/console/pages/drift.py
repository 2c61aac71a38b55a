"""Drift: the checks of a model's days, each column beside what the live version learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.console.shares import pairs
from sml.console.site import Page
from sml.drift import NOTHING_CAPTURED, check_now, checked, checks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.console.source import Source
    from sml.console.web import Request

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
        facts["hint"] = NOTHING_CAPTURED if not (check.get("window") or {}).get("rows") else ""
    return Page(template="drift.html", title="Drift", model=model, facts=facts)


def _drawn(one: Mapping[str, Any]) -> dict[str, Any]:
    chart = pairs(one["cells"], one["before"], one["after"], f"{one['name']}: shares in training and captured")
    return {**one, "chart": chart}
