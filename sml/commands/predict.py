"""Predictions: rows of a file, or of standard input, answered now."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import FAILED, Mistake
from sml.options import Model
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.stack import Stack

AT_ONCE = 500
"""Rows of one request."""
MOST = 10_000
"""Rows beyond which a job is the way."""


@on_stack
def predict(
    session: Session,
    model: Model,
    rows: Annotated[
        str | None,
        typer.Argument(
            help="A file of rows, CSV or JSON Lines; or the row itself, as JSON. Else standard input.",
            metavar="[FILE|ROW]",
        ),
    ] = None,
    row: Annotated[
        str | None, typer.Option("--row", help="One row: column=value,column=value or a JSON object.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="The first rows alone.")] = None,
) -> None:
    """Predict rows; columns that the model does not take are left out."""
    from sml.api import Api  # noqa: PLC0415

    out, found = session.out, session.stack
    url, asked = found.outputs["models"][found.model(model)]["predict"], _rows(rows, row)
    if limit is not None:
        asked = asked[:limit]
    if not asked:
        raise Mistake("there is no row")
    if len(asked) > MOST:
        raise Mistake(f"{len(asked):,} rows; at most {MOST:,} are answered at once: `sml job submit {model} FILE`")
    answers: list[Any] = []
    api = Api(found)
    asked = _fitting(found, model, asked)
    for start in range(0, len(asked), AT_ONCE):
        answers += api.post(url, {"instances": asked[start : start + AT_ONCE]})["predictions"]
    shown = [_row(number, answer) for number, answer in enumerate(answers, 1)]
    columns = dict.fromkeys(key for one in shown for key in one)
    out.table(shown, {key: key for key in columns}, empty="no answer", documents=answers)
    if any(isinstance(answer, dict) and "error" in answer for answer in answers):
        raise typer.Exit(FAILED)


def _fitting(stack: Stack, model: str, rows: list[Any]) -> list[Any]:
    """Return rows of a table without the columns that the model does not take, so that one with its target fits.

    Cells are numbers and texts as the live version's card says. A registry that this caller may not read, and a
    finished model, leave the rows as they are.
    """
    from obstore.exceptions import BaseError  # noqa: PLC0415

    from functions.core.storage.objects import Forbidden  # noqa: PLC0415
    from sml.records import Records  # noqa: PLC0415

    if not all(isinstance(row, dict) for row in rows):
        return rows
    try:
        records = Records(stack.registry, model)
        champion = records.live().champion
        features = records.version(champion).get("features") if champion else None
    except (Mistake, Forbidden, BaseError):
        features = None
    if not features:
        return rows
    kinds = {feature["name"]: feature["kind"] for feature in features}
    return [{name: _cell(value, kinds[name]) for name, value in row.items() if name in kinds} for row in rows]


def _cell(value: Any, kind: str) -> Any:
    return str(value) if kind == "category" and isinstance(value, int | float) else value


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


def _rows(rows: str | None, row: str | None) -> list[Any]:
    if row is not None:
        return [_of_text(row)]
    if rows is not None and rows.lstrip().startswith(("{", "[")):
        return _json_rows(rows.strip(), None)
    file = None if rows is None else Path(rows)
    if file is None and sys.stdin.isatty():
        raise Mistake("rows come from a file, an argument in JSON, --row, or standard input")
    try:
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise Mistake(f"{file} cannot be read: {problem.strerror}") from None
    except UnicodeDecodeError:
        raise Mistake(f"{file} is not text in UTF-8; Parquet and other files: `sml job submit`") from None
    return _parsed(text, file)


def _of_text(row: str) -> Any:
    if row.lstrip().startswith(("{", "[")):
        try:
            return json.loads(row)
        except ValueError as problem:
            raise Mistake(f"--row is not JSON: {problem}") from None
    pairs = [part.partition("=") for part in row.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise Mistake("--row is column=value,column=value, or a JSON object")
    return {name.strip(): _value(text.strip()) for name, _, text in pairs}


def _parsed(text: str, file: Path | None) -> list[Any]:
    stripped = text.lstrip()
    if not stripped:
        raise Mistake(f"{file or 'standard input'} is empty")
    if stripped[0] in "{[":
        return _json_rows(stripped, file)
    import csv  # noqa: PLC0415

    first = text.splitlines()[0]
    delimiter = max(",;\t|", key=first.count)
    return [
        {str(name): _value(value) for name, value in row.items() if name is not None and value is not None}
        for row in csv.DictReader(text.splitlines(), delimiter=delimiter)
    ]


def _json_rows(text: str, file: Path | None) -> list[Any]:
    try:
        whole = json.loads(text)
    except ValueError:
        try:
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as problem:
            raise Mistake(f"{file or 'what was given'} is neither JSON nor JSON Lines: {problem}") from None
    if isinstance(whole, dict) and isinstance(whole.get("instances"), list):
        return whole["instances"]
    return whole if isinstance(whole, list) else [whole]


def _value(text: str) -> Any:
    """Return a cell as JSON has it: a number, nothing, or its text."""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
