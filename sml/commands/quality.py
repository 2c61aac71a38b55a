"""Quality: how good the answers of the live version are, by the truths that came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import FAILED, Mistake
from sml.options import Model
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.output import Output

COLUMNS = {"name": "metric", "value": "callers", "interval": "95 of 100", "promised": "holdout", "between": "95 of 100"}


@on_stack
def quality(
    session: Session,
    model: Model,
    day: Annotated[
        str | None, typer.Option("--day", help="As it was known at the end of a day, as 2026-11-24.", metavar="DAY")
    ] = None,
    now: Annotated[
        bool, typer.Option("--now", help="Measure it now, with rows whose horizon is not over, and store nothing.")
    ] = False,
) -> None:
    """Show how good the answers of the live version are, by the truths that callers told."""
    from sml.quality import measured, measured_now  # noqa: PLC0415 - numpy takes long to import

    if now and day is not None:
        raise Mistake("--day and --now: pass one of them")
    out, found = session.out, session.stack
    quality = measured_now(found, model) if now else measured(found, model, day)
    if out.as_json:
        out.fields(quality)
    else:
        _show(out, model, quality, provisional=now)
    if quality["state"] == "below":
        raise typer.Exit(FAILED)


def _show(out: Output, model: str, quality: Mapping[str, Any], *, provisional: bool) -> None:
    from sml.quality import metrics_of  # noqa: PLC0415

    version, window = quality["version"], quality.get("window") or {}
    out.line(f"{model} @ {version[:6]}" if version else model)
    if window.get("rows"):
        out.line(f"{window['from']} to {window['to']}, days of UTC" if window["from"] != window["to"] else window["to"])
    out.line(quality["said"])
    if provisional:
        out.line("provisional: truths of the newest days may still come")
    if quality["metrics"]:
        out.line("")
        out.table([_row(one) for one in metrics_of(quality)], COLUMNS, empty="")


def _row(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "interval": _between(one["interval"]), "between": _between(one["promised_interval"])}


def _between(interval: list[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}"
