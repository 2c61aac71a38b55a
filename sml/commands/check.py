"""`sml check`: what a table would become, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def check(
    model: Annotated[str, typer.Argument(help="Name of a model in models/.")],
    table: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON Lines or Parquet, also gzipped.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what a table would become by the model's contract, without training; exit with 1 if it would be rejected."""
    from functions.core.dataset import read_apart  # noqa: PLC0415 - `sml --help` needs none of it
    from models.section import FOLDER  # noqa: PLC0415
    from sml.init import verdict, verdict_report  # noqa: PLC0415

    contract = verdict.contract_of(model, FOLDER)
    found = verdict.check(contract, table, read_apart.open_rows)
    verdict_report.report(found, table, as_json=as_json)
    if not found.accepted:
        raise typer.Exit(1)
