"""`sml lock`: the lock of a model's own packages."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

WRITES = "infra.model_locking"
"""The program of the checkout that writes locks: it is run, and not imported."""


def lock(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="Models in models/; all with packages if none.")
    ] = None,
) -> None:
    """Write models/MODEL/requirements.txt, what its training is installed from, for models/MODEL/requirements.in."""
    from models.section import FOLDER  # noqa: PLC0415 - `sml --help` needs none of it

    done = subprocess.run([sys.executable, "-m", WRITES, *(models or ())], cwd=FOLDER.parent, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
