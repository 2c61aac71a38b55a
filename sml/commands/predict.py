"""Predictions: rows of a file, or of standard input, answered now."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.file import content_of
from sml.mistake import Mistake, code_of_rows
from sml.options import Model
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from models.feature import Feature
    from sml.series_table import Forecast
    from sml.stack import Stack

AT_ONCE = 500
"""Rows of one request."""
MOST = 10_000
"""Rows beyond which a job is the way."""
LARGEST_JSON = 50_000_000
"""Bytes of a file that is tried as one document of JSON."""
BLOCK = 1_000_000
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,15})", re.ASCII)


@on_stack
def predict(
    session: Session,
    model: Model,
    rows: Annotated[
        str | None,
        typer.Argument(
            help="CSV, JSON Lines or Parquet, also .gz; or the row itself, as JSON. Else standard input.",
            metavar="[FILE|ROW]",
        ),
    ] = None,
    row: Annotated[
        str | None, typer.Option("--row", help="One row: column=value,column=value or a JSON object.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="The first rows alone.")] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", help="By what `feedback` names these rows later, with their places from 0.", metavar="KEY"
        ),
    ] = None,
) -> None:
    """Predict rows; columns that the model does not take are left out.

    Of a table of series, those rows are forecast that have no number yet.
    """
    from sml.api import Api  # noqa: PLC0415

    out, found = session.out, session.stack
    url = found.outputs["models"][found.model(model)]["predict"]
    most = MOST + 1 if limit is None else limit
    card, submit = card_of(found, model), found.typed("job", "submit", model, "FILE")
    content = None if row is not None or _is_json(rows) else _content(rows)
    forecasts = None if content is None else _forecasts(card, *content, most)
    if forecasts is None:
        asked = list(_asked(_features(card), rows, row, content, most=most, submit=submit))
    else:
        asked = [one.asked for one in forecasts]
    if not asked:
        raise Mistake("there is no row")
    if len(asked) > MOST:
        raise Mistake(f"more than {MOST:,} rows are not answered at once: `{submit}`, or --limit")
    fitting = [one for one in asked if not isinstance(one, str)]
    api, said, headers = Api(found), [], _named(key, asked)
    for start in range(0, len(fitting), AT_ONCE):
        said += api.post(url, {"instances": fitting[start : start + AT_ONCE]}, headers)["predictions"]
    answered = iter(said)
    answers = [{"error": one} if isinstance(one, str) else next(answered) for one in asked]
    if forecasts is not None:
        answers = [{**one.keys, **answer} for one, answer in zip(forecasts, answers, strict=True)]
    shown = [_row(number, answer) for number, answer in enumerate(answers, 1)]
    columns = dict.fromkeys(key for one in shown for key in one)
    out.table(shown, {key: key for key in columns}, empty="no answer", documents=answers)
    refused = sum(isinstance(answer, dict) and "error" in answer for answer in answers)
    if code := code_of_rows(refused, len(answers)):
        raise typer.Exit(code)


def _named(key: str | None, asked: Sequence[Any]) -> Mapping[str, str]:
    """Return the header by which a request gives its rows a name. Raise `Mistake` for rows that it would not name."""
    if key is None:
        return {}
    from functions.core.http.messages import ACCEPTED_KEY, KEY_HEADER, is_key  # noqa: PLC0415
    from functions.core.serving.predictor import CAPTURED_ROWS  # noqa: PLC0415

    if not is_key(key):
        raise Mistake(f"--key: accepted are {ACCEPTED_KEY}")
    if len(asked) > CAPTURED_ROWS:
        raise Mistake(f"--key: of a request {CAPTURED_ROWS} rows are captured at most, here are more; pass --limit")
    if any(isinstance(one, str) for one in asked):
        raise Mistake(
            "--key: a row does not fit, and those after it would have other places; without --key it is named"
        )
    return {KEY_HEADER: key}


def _is_json(rows: str | None) -> bool:
    """Return whether what stands for a file is the rows themselves."""
    return rows is not None and rows.lstrip().startswith(("{", "["))


def _forecasts(card: Mapping[str, Any], content: bytes, where: str, most: int) -> Sequence[Forecast] | None:
    """Return the rows to come of a table of series; None for what is asked as the rows of any other model are."""
    if "series" not in card or _json_rows(content) is not None:
        return None
    from sml.series_table import SeriesTable  # noqa: PLC0415 - its reader takes long to import

    return SeriesTable.of(card).forecasts(lambda: _blocks(content), where, most)


def _blocks(content: bytes) -> Iterator[bytes]:
    return (content[at : at + BLOCK] for at in range(0, len(content), BLOCK))


def _asked(
    features: Sequence[Feature] | None,
    rows: str | None,
    row: str | None,
    content: tuple[bytes, str] | None,
    *,
    most: int,
    submit: str,
) -> Iterator[Any]:
    """Yield at most so many rows as a request has them; for one of a table that does not fit, a text that says why.

    `content` is what a file or standard input holds, and how it is called; None where rows are written out. `submit` is
    the command that takes what this one does not.
    """
    if row is not None and row.lstrip().startswith(("{", "[")):
        return _without_others([_json(row, "--row")], features)
    if content is None and row is None:
        return itertools.islice(_without_others(_instances(_json(str(rows), "the row")), features), most)
    table, where = content or (_typed(str(row)), "--row")
    if (found := _json_rows(table)) is not None:
        return itertools.islice(_without_others(found, features), most)
    if features is None:
        return itertools.islice(_plain_rows(table, where, submit), most)
    from sml.table_rows import table_rows  # noqa: PLC0415 - its reader takes long to import

    return table_rows(_blocks(table), features, where, most)


def _without_others(rows: Iterable[Any], features: Sequence[Feature] | None) -> Iterator[Any]:
    """Yield rows without the columns that the model does not take, where it is known which these are."""
    names = {one.name for one in features or ()}
    for row in rows:
        yield {name: row[name] for name in row if name in names} if names and isinstance(row, dict) else row


def card_of(stack: Stack, model: str) -> Mapping[str, Any]:
    """Return the card of the live version; nothing where the caller may not read the registry."""
    from obstore.exceptions import BaseError  # noqa: PLC0415

    from functions.core.storage.objects import Forbidden  # noqa: PLC0415

    try:
        records = stack.records(model)
        champion = records.live().champion
        return records.version(champion) if champion else {}
    except (Mistake, Forbidden, BaseError, LookupError, TypeError, ValueError):
        return {}


def _features(card: Mapping[str, Any]) -> Sequence[Feature] | None:
    """Return what the live version takes; None for a finished model, and where nobody knows."""
    from functions.core.registry.versions import features_of  # noqa: PLC0415

    try:
        return features_of(card) if isinstance(card.get("features"), list) else None
    except (LookupError, TypeError, ValueError):
        return None


def _content(rows: str | None) -> tuple[bytes, str]:
    """Return what a file or standard input holds, and how it is called."""
    if rows is None:
        if sys.stdin.isatty():
            raise Mistake("rows come from a file, an argument in JSON, --row, or standard input")
        buffer = getattr(sys.stdin, "buffer", None)
        content, where = buffer.read() if buffer is not None else sys.stdin.read().encode(), "standard input"
    else:
        content, where = content_of(Path(rows)), rows
    if not content.strip():
        raise Mistake(f"{where} is empty")
    return content, where


def _typed(row: str) -> bytes:
    """Return column=value,column=value as a table of one row."""
    pairs = [part.partition("=") for part in row.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise Mistake("--row is column=value,column=value, or a JSON object")
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(
        ([name.strip() for name, _, _ in pairs], [text.strip() for _, _, text in pairs])
    )
    return table.getvalue().encode()


def _json_rows(content: bytes) -> Iterator[Any] | None:
    """Return the rows of JSON that is one document; None for a table, JSON Lines among them."""
    if len(content) > LARGEST_JSON or content.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        whole = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return _instances(whole)


def _instances(whole: Any) -> Iterator[Any]:
    if isinstance(whole, dict) and isinstance(whole.get("instances"), list):
        return iter(whole["instances"])
    return iter(whole if isinstance(whole, list) else [whole])


def _json(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Mistake(f"{what} is not JSON: {problem}") from None


def _plain_rows(content: bytes, where: str, submit: str) -> Iterator[Any]:
    """Yield the rows of CSV or JSON Lines for a model of which nothing tells what its columns are.

    Raise `Mistake` for another file, which `submit` may take.
    """
    try:
        text = content.decode("utf-8-sig").lstrip("\r\n")
    except UnicodeDecodeError:
        raise Mistake(f"{where} is not text in UTF-8; Parquet and other files: `{submit}`") from None
    if text[:1] in "{[":
        yield from (_json(line, where) for line in text.splitlines() if line.strip())
        return
    # It holds for the whole process, where others read CSV, too.
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    delimiter = max(",;\t|", key=text.partition("\n")[0].count)
    for line in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter):
        yield {str(name): _value(cell) for name, cell in line.items() if name is not None and cell is not None}


def _row(number: int, answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        return {"row": number, "answer": json.dumps(answer)}
    if "error" in answer:
        error = answer["error"]
        return {"row": number, "error": error.get("detail") if isinstance(error, dict) else error}
    chances = answer.get("probabilities")
    best = {"probability": max(chances.values() if isinstance(chances, dict) else chances)} if chances else {}
    rest = {key: value for key, value in answer.items() if key != "probabilities"}
    return {"row": number, **rest, **best}


def _value(text: str) -> Any:
    """Return a cell as JSON has it: a number, nothing, or its text."""
    if not text:
        return None
    if NUMBER.fullmatch(text.strip()) is None:
        return text
    number = float(text)
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and WHOLE.fullmatch(text.strip()) else number
