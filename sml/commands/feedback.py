"""Feedback: truths of a table, told to the stack."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sml.file import content_of
from sml.mistake import Mistake, code_of_rows
from sml.options import Model
from sml.session import Session, on_stack
from sml.stack import Stack

AT_ONCE = 2_000
"""Truths of one request."""
SHOWN = 100
"""Refused rows that are listed; --json has all."""
COLUMNS = {"row": "row", "field": "field", "message": "why"}


@on_stack
def feedback(
    session: Session,
    model: Model,
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines or Parquet, also .gz.", metavar="FILE")],
    key: Annotated[
        str | None, typer.Option("--key", help="The column with the keys that requests came with.", metavar="COLUMN")
    ] = None,
    request: Annotated[
        str | None, typer.Option("--request", help="The column with the ids of requests.", metavar="COLUMN")
    ] = None,
    row: Annotated[
        str | None, typer.Option("--row", help="The column that says which row of its request.", metavar="COLUMN")
    ] = None,
    truth: Annotated[str | None, typer.Option("--truth", help="The column with the truths.", metavar="COLUMN")] = None,
) -> None:
    """Tell the stack the truths of rows that it answered, from a table."""
    from sml.api import Api  # noqa: PLC0415
    from sml.told import Columns, read  # noqa: PLC0415 - its reader takes long to import

    if key is not None and request is not None:
        raise Mistake("--key and --request: pass one of them")
    out, found = session.out, session.stack
    url = f"{found.outputs['models'][found.model(model)]['metadata']}/feedback"
    asked = Columns(request=request, key=key, row=row, truth=truth)
    target, classes = _target(found, model)
    items = read(content_of(file), str(file), asked, target, classes)
    if not items:
        raise Mistake(f"{file} has no row")
    refused = [{"row": at, "field": "", "message": why} for at, why in enumerate(items, 1) if isinstance(why, str)]
    told = [(at, item) for at, item in enumerate(items, 1) if isinstance(item, dict)]
    api, taken, warning = Api(found), 0, ""
    for batch in _batches(told):
        answer = api.post(url, {"truths": [item for _, item in batch]})
        taken += answer["taken"]
        refused += [{**one, "row": batch[one["item"]][0]} for one in answer["refused"]]
        warning = answer.get("warning", "")
        out.say(f"{taken:,} of {len(items):,} truths taken" + (f", {len(refused):,} refused" if refused else ""))
    if warning:
        out.say(warning)
    refused = [{name: one[name] for name in COLUMNS} for one in sorted(refused, key=lambda one: one["row"])]
    if out.as_json:
        out.fields({"model": model, "taken": taken, "refused": refused})
    elif refused:
        out.table(refused[:SHOWN], COLUMNS, empty="")
        if len(refused) > SHOWN:
            out.line(f"and {len(refused) - SHOWN:,} more")
    if code := code_of_rows(len(refused), len(items)):
        raise typer.Exit(code)


def _batches(told: Sequence[tuple[int, Any]]) -> Iterator[tuple[tuple[int, Any], ...]]:
    rest = iter(told)
    while batch := tuple(itertools.islice(rest, AT_ONCE)):
        yield batch


def _target(found: Stack, model: str) -> tuple[str | None, Sequence[str] | None]:
    """Return the name and the classes of what the live version predicts, as far as the caller may read its card."""
    from sml.commands.predict import card_of  # noqa: PLC0415

    card: Mapping[str, Any] = card_of(found, model)
    target = card.get("target") or {}
    classes = target.get("classes") or (card.get("scores") or {}).get("classes")
    return target.get("name"), classes
