"""Cost: what a model has used, as its functions measured it, beside the estimate, and the bill."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import Mistake
from sml.options import Model
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sml.output import Output
    from sml.stack import Stack

COLUMNS = {
    "what": "what",
    "name": "version or step",
    "calls": "calls",
    "ms": "ms each",
    "gb_seconds": "GB-seconds",
    "usd": "USD",
    "wh": "Wh",
    "grams": "g CO2e",
    "usd_per_1000": "USD per 1,000",
    "grams_per_1000": "g per 1,000",
}
DAYS = {"day": "day", "calls": "calls", "gb_seconds": "GB-seconds", "usd": "USD", "grams": "g CO2e"}
NOTHING = (
    "nothing was measured in these days: a stack measures from its next `make up` or `pulumi up` on, where its cloud"
    " and region have prices"
)
WHOLE = (
    "measured: the functions alone, as they are billed, without free tiers; estimated: with the API, the stores and the"
    " logs of each"
)
NO_ESTIMATE = (
    "no estimate: the outputs of this stack hold none, as an older release deployed it, or its region no price"
)


@on_stack
def cost(
    session: Session,
    model: Model,
    since: Annotated[str, typer.Option("--since", help="Days until today, as 7d, or the first day.")] = "7d",
    bill: Annotated[
        bool,
        typer.Option("--bill", help="Ask the account what the whole stack was billed, which AWS charges 0.01 USD."),
    ] = False,
    table: Annotated[
        str | None,
        typer.Option("--table", help="The table of GCP's billing export: PROJECT.DATASET.TABLE.", metavar="TABLE"),
    ] = None,
) -> None:
    """Show what a model has used, as its functions measured it, beside what was estimated."""
    from sml.cost import measure  # noqa: PLC0415 - the stores' client takes long to import
    from sml.cost import since as days_since  # noqa: PLC0415

    out, found = session.out, session.stack
    if table is not None and not bill:
        raise Mistake("--table is what --bill reads: pass both")
    days = days_since(since, datetime.now(UTC).date())
    billed = _bill(found, days, table) if bill else None
    measured, estimate = measure(found, model, days), found.outputs.get("estimate")
    document = measured.document(estimate)
    if out.as_json:
        out.fields({**document, **({} if billed is None else {"bill": billed})})
        return
    total = document["total"]
    grams = total["grams"]["operational"] + total["grams"]["embodied"]
    out.line(f"{model}, {document['since']} to {document['until']}, days of UTC")
    if not total["calls"]:
        out.line(NOTHING)
    else:
        out.line(
            f"{total['calls']:,} calls, {total['gb_seconds']:.4g} GB-seconds, {total['usd']:.4g} USD,"
            f" {total['kwh'] * 1000:.4g} Wh, {grams:.4g} g CO2e\n"
        )
        out.table(measured.rows(), COLUMNS, empty=NOTHING)
        rows = [_day(day, used.total.document()) for day, used in measured.days.items() if used.total.calls]
        out.line("")
        out.table(rows, DAYS, empty=NOTHING)
        _show_compared(out, document["compared"], estimate)
    if billed is not None:
        _show_bill(out, found, billed)


def _day(day: str, used: Mapping[str, Any]) -> dict[str, Any]:
    return {"day": day, **used, "grams": used["grams"]["operational"] + used["grams"]["embodied"]}


def _show_compared(out: Output, compared: Sequence[Mapping[str, Any]], estimate: Mapping[str, Any] | None) -> None:
    if not estimate or not (estimate.get("usd") or estimate.get("grams")):
        out.line(f"\n{NO_ESTIMATE}")
        return
    out.line(f"\nmeasured beside estimated, prices of {estimate.get('prices_read_on')}, {estimate.get('region')}")
    for one in compared:
        for line in _lines(one):
            out.line(line)
    out.line(WHOLE)


def _lines(one: Mapping[str, Any]) -> Iterator[str]:
    for kind, unit in (("usd", "USD"), ("grams", "g CO2e")):
        measured, estimated, ratio = (one[part][kind] for part in ("measured", "estimated", "ratio"))
        if ratio is None:
            yield f"{one['what']}: {measured:.4g} {unit} measured, none estimated"
        else:
            yield f"{one['what']}: {measured:.4g} {unit} measured, {estimated:.4g} estimated: {_part(ratio)}"
    for why in one["because"]:
        if why["assumed"] is not None:
            yield (
                f"  {why['what']}: {why['measured']:.4g} billed, {why['assumed']:g} assumed on a whole processor"
                " (settings below `estimate`)"
            )


def _part(ratio: float) -> str:
    """Return where measured and estimated part."""
    if not ratio:
        return "nothing of that was measured"
    return f"{1 / ratio:.3g} times as much was estimated" if ratio < 1 else f"{ratio:.3g} times what was estimated"


def _bill(found: Stack, days: Sequence[str], table: str | None) -> list[dict[str, Any]]:
    until = datetime.fromisoformat(days[-1]).date() + timedelta(days=1)
    return found.cloud.bill(found.outputs, found.name, days[0], f"{until:%Y-%m-%d}", table)


def _show_bill(out: Output, found: Stack, billed: Sequence[Mapping[str, Any]]) -> None:
    out.line(f"\nthe bill of the whole stack {found.name}, which lags by up to two days")
    columns = {"service": "service", "amount": "amount", "currency": "currency"}
    out.table(billed, columns, empty=f"nothing was billed yet for what has the label or tag stack={found.name}")
