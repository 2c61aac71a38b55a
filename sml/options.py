"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StackName = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        envvar="SML_STACK",
        help="The stack, as in Pulumi.<stack>.yaml. By default the one that is up on this machine.",
    ),
]
OutputsFile = Annotated[
    Path | None,
    typer.Option(
        "--outputs", envvar="SML_OUTPUTS", help="A file with the stack's outputs, in place of the Pulumi CLI."
    ),
]
StateFolder = Annotated[
    Path | None, typer.Option("--state", envvar="SML_STATE", help="The folder of the stack that is up here (.local).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Model = Annotated[str, typer.Argument(help="The model's name.", metavar="MODEL")]
Run = Annotated[str, typer.Argument(help="The run, by the first letters of its id.", metavar="RUN")]
Seconds = Annotated[float, typer.Option("--timeout", min=1, help="How many seconds to wait at most.")]
