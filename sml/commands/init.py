"""`sml init`: a model from a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(  # noqa: PLR0913, PLR0917 - an argument for each option
    model: Annotated[str, typer.Argument(help="Name of the model, and of its folder in models/.")],
    table: Annotated[Path, typer.Option("--from", metavar="FILE", help="CSV, JSON Lines or Parquet, also gzipped.")],
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column to predict.")] = None,
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help="forecasting, for a table of series; else the target decides.")
    ] = None,
    families: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="FAMILY", help="Try lightgbm or xgboost, too, with packages of its own."),
    ] = None,
    stack: Annotated[
        list[str] | None, typer.Option(metavar="STACK", help="A stack that is to have it; local and gcp-local if none.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the files of a folder that exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the proposal as JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Write a model for a table: model.yaml with the reason of each line, and training.py, ready to train."""
    from functions.core.dataset.read_apart import ReadingProcess  # noqa: PLC0415 - `sml --help` needs none of it
    from models.section import FOLDER  # noqa: PLC0415
    from sml.init.making import Wish, make  # noqa: PLC0415
    from sml.init.report import report  # noqa: PLC0415

    wish = Wish(
        model=model,
        table=table,
        target=target,
        task=task,
        families=tuple(families or ()),
        stacks=tuple(stack or ()),
        force=force,
        dry_run=dry_run,
    )
    with ReadingProcess() as process:
        made = make(wish, models=FOLDER, root=FOLDER.parent, read=process.open)
    report(made, as_json=as_json)
