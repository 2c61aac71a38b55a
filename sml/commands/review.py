"""`sml review`: what a change does to each stack, as the comment of a pull request."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated

import typer

from sml.mistake import FAILED
from sml.options import AsJson
from sml.output import Output

ROOT = Path(__file__).resolve().parents[2]


def review(
    base: Annotated[str, typer.Argument(help="A commit to compare with: main, a tag, a hash.", metavar="BASE")],
    head: Annotated[
        str | None, typer.Argument(help="The changed commit. By default the files as they are here.", metavar="HEAD")
    ] = None,
    stack: Annotated[
        list[str] | None,
        typer.Option("--stack", "-s", help="A stack, as in Pulumi.<stack>.yaml. By default all but local ones."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it to a file.")] = None,
    documents: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep what the commits' programs said of each stack.")
    ] = None,
    as_text: Annotated[bool, typer.Option("--text", help="Print lines for a terminal, and all rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two commits: what changes in each stack, its limits, archives, quotas, cost and carbon, as Markdown."""
    import json  # noqa: PLC0415 - `sml --help` needs none of it

    from sml.review.making import Making  # noqa: PLC0415
    from sml.review.markdown import comment  # noqa: PLC0415
    from sml.review.rendering import comments, reports  # noqa: PLC0415
    from sml.review.text import text  # noqa: PLC0415

    said = Output()
    with _ending_by_signal(), TemporaryDirectory(prefix="sml-review-") as folder:
        kept = (documents or Path(folder)).resolve()
        made = Making(root=ROOT, documents=kept, say=said.say).make(base, head, stack or ())
        found = reports(kept)
    for note in made.notes:
        said.say(note)
    if as_json:
        shown = json.dumps(comments(found), indent=1, ensure_ascii=False) + "\n"
    else:
        shown = "\n".join((text if as_text else comment)(report) for report in found)
    if out is None:
        print(shown, end="" if shown.endswith("\n") else "\n")
    else:
        out.write_text(shown, encoding="utf-8")
    if made.failed:
        raise typer.Exit(FAILED)


@contextmanager
def _ending_by_signal() -> Generator[None]:
    """End by SIGTERM as by Ctrl-C: the checkouts and the processes go away."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)
