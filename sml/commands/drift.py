"""Drift: whether the rows that come are as those that the live version learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import FAILED, Mistake
from sml.options import Model
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.output import Output

COLUMNS = {"name": "column", "state": "state", "index": "PSI", "chance": "by chance", "said": "what moved most"}
CELLS = {"cell": "value", "before": "training", "after": "captured", "drawn": ""}
REDACTED = "captures leave it out, or hold a digest of it: the setting capture.redact"
WIDEST = 40
"""Letters of the bar of a share of 1."""


@on_stack
def drift(
    session: Session,
    model: Model,
    day: Annotated[
        str | None, typer.Option("--day", help="The check of a day, as 2026-11-24, not the newest.", metavar="DAY")
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="Compare what was captured today, and store nothing.")] = False,
    column: Annotated[
        str | None, typer.Option("--column", help="Show how one column is spread, before and after.", metavar="NAME")
    ] = None,
) -> None:
    """Show whether the rows that come are as those that the live version learnt from."""
    from sml.drift import check_now, checked, hint  # noqa: PLC0415 - numpy takes long to import

    if now and day is not None:
        raise Mistake("--day and --now: pass one of them")
    out, found = session.out, session.stack
    check = check_now(found, model) if now else checked(found, model, day)
    if column is not None:
        one = _named(check, column)
        cells = CELLS | {"before": check.get("compared_with", CELLS["before"])}
        out.table(_cells(one), cells, empty="", documents=one)
        return
    if out.as_json:
        out.fields(check)
    else:
        _show(out, model, check, hint(check))
    if check["state"] == "drifted":
        raise typer.Exit(FAILED)


def _show(out: Output, model: str, check: Mapping[str, Any], where_from: str) -> None:
    version = check["version"]
    out.line(f"{model} @ {version[:6]}" if version else model)
    window = check.get("window")
    if window:
        out.line(f"{window['from']} to {window['to']}, days of UTC" if window["from"] != window["to"] else window["to"])
    out.line(check["said"])
    if window and where_from:
        out.line(where_from)
    if check.get("columns"):
        out.line("")
        out.table(check["columns"], COLUMNS, empty="")
    if check.get("redacted"):
        out.line(f"\nnot compared: {', '.join(check['redacted'])}: {REDACTED}")
    if check["unread"]:
        out.line(f"\nnot counted: {check['unread']:,} requests of versions that are gone, or without a reference")


def _named(check: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    columns = {one["name"]: one for one in check.get("columns", ())}
    if name in check.get("redacted", ()):
        raise Mistake(f"--column: {name} is not compared: {REDACTED}")
    if name not in columns:
        known = f"compared are {', '.join(columns)}" if columns else f"nothing was compared: {check['said']}"
        raise Mistake(f"--column: {name} is none; {known}")
    return columns[name]


def _cells(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = zip(one["cells"], one["before"], one["after"], strict=True)
    return [
        {"cell": cell, "before": f"{before:.1%}", "after": f"{after:.1%}", "drawn": _bars(before, after)}
        for cell, before, after in rows
    ]


def _bars(before: float, after: float) -> str:
    """Return two shares as one bar: what both have, what only the training had, what only the captures have."""
    both, of = round(min(before, after) * WIDEST), round(max(before, after) * WIDEST)
    return "#" * both + ("-" if before > after else "+") * (of - both)
