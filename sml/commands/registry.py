"""The registry as a whole: whether every object in it is what its name says."""

from __future__ import annotations

from typing import Annotated

import typer

from sml.mistake import Mistake
from sml.session import Session, on_stack

app = typer.Typer(help="The model registry as a whole.", no_args_is_help=True, rich_markup_mode=None)
KIND = 9
"""Width, in columns, of what a line is about."""


@app.callback()
def registry() -> None:
    """Verify the model registry, and mend what can be mended."""


@app.command()
@on_stack
def verify(
    session: Session,
    model: Annotated[str | None, typer.Argument(help="One model alone.", metavar="MODEL")] = None,
    url: Annotated[str | None, typer.Option("--url", help="A models store, in place of that of a stack.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what the rest of the store proves.")] = False,
    champion: Annotated[
        str | None, typer.Option("--champion", metavar="VERSION", help="With --repair: what is to be live.")
    ] = None,
) -> None:
    """Check every object of the registry. Exit code 1 where a fault is left, 2 where the store cannot be read."""
    if champion is not None and not repair:
        raise Mistake("--champion says which version is to be live: it goes with --repair")
    where = {"url": url} if url else {"url": session.stack.outputs["models_url"], "options": session.stack.options}
    from sml.registry_check import run  # noqa: PLC0415 - it opens versions, and onnxruntime takes long to import

    told: list[dict[str, str]] = []

    def say(kind: str, text: str) -> None:
        told.append({"kind": kind, "text": text})
        session.out.line(f"  {kind:<{KIND}} {text}")

    code = run({**where, "models": [model] if model else None, "repair": repair, "champion": champion}, say)
    if session.out.as_json:
        session.out.result(told)
    raise typer.Exit(code)
