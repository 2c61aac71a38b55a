"""Exports: runs in the formats of other tools."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from sml.mistake import Mistake
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.stack import Stack

app = typer.Typer(help="Runs in the formats of other tools.", no_args_is_help=True, rich_markup_mode=None)
OneModel = Annotated[str | None, typer.Argument(help="One model alone.", metavar="MODEL")]
NAMED = ("model", "run", "status", "created", "source", "rows", "rejected_rows", "dataset", "version")


@app.command()
@on_stack
def mlflow(
    session: Session,
    folder: Annotated[Path, typer.Argument(help="Made if it is not there.", metavar="FOLDER")],
    model: OneModel = None,
) -> None:
    """Write runs and experiments as MLflow keeps them in files, for its own UI."""
    from sml.export.mlflow import Folder  # noqa: PLC0415

    if folder.is_file():
        raise Mistake(f"{folder} is a file; a folder is accepted")
    found = session.stack
    written = sum(Folder(folder).write(name, _runs(found, name)) for name in _models(found, model))
    text = (
        f"{written} runs of MLflow's -> {folder}: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {folder}"
    )
    session.out.result({"runs": written, "folder": str(folder)}, text)


@app.command("csv")
@on_stack
def table(
    session: Session,
    model: OneModel = None,
    file: Annotated[Path | None, typer.Option("--file", "-o", help="By default standard output.")] = None,
) -> None:
    """Write every experiment as a line of CSV: its run, parameters and scores."""
    found = session.stack
    rows = [
        row
        for name in _models(found, model)
        for record, trained in _runs(found, name)
        for row in _rows(record, trained)
    ]
    if file is None:
        _write(sys.stdout, rows)
        return
    with file.open("w", encoding="utf-8", newline="") as written:
        _write(written, rows)
    session.out.result({"rows": len(rows), "file": str(file)}, f"{len(rows)} experiments -> {file}")


def _models(stack: Stack, model: str | None) -> list[str]:
    return [stack.model(model)] if model else stack.models


def _runs(stack: Stack, model: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    records = stack.records(model)
    return [(record, records.leaderboard(record["run"])) for record in records.runs()]


def _rows(record: dict[str, Any], trained: list[dict[str, Any]]) -> list[dict[str, Any]]:
    about = {name: record.get(name) for name in NAMED}
    return [
        {
            **about,
            "experiment": one["id"],
            "chosen": one["id"] == record.get("experiment"),
            **{name: one.get(name) for name in ("metric", "mean", "std", "seconds", "bytes")},
            **{f"parameter {name}": value for name, value in (one.get("params") or {}).items()},
        }
        for one in trained
    ] or [about]


def _write(to: TextIO, rows: list[dict[str, Any]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row)) or list(NAMED)
    writer = csv.DictWriter(to, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
