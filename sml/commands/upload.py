"""Upload a dataset, or a finished model, and follow what becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sml.clouds import name_of
from sml.file import content_of
from sml.key import checked
from sml.mistake import FAILED, Mistake
from sml.options import Model, Seconds
from sml.output import Output
from sml.session import Session, on_stack
from sml.stack import Stack
from sml.stopped import halted

if TYPE_CHECKING:
    from sml.following import Following

Wait = Annotated[
    bool, typer.Option("--wait", "-w", help="Follow the run to its end; exit code 1 if nothing went live.")
]
WAIT_SECONDS = 3600.0
ASKED = {"at": "asked for (UTC)", "cause": "because of", "rows": "labelled rows", "status": "came to"}


@on_stack
def upload(
    session: Session,
    model: Model,
    file: Annotated[Path, typer.Argument(help="CSV, JSON Lines, Parquet, each also .gz; or .onnx.", metavar="FILE")],
    name: Annotated[
        str | None, typer.Option("--as", help="The name in the store; by default that of the file.")
    ] = None,
    wait: Wait = False,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Upload a dataset, which starts training, or a finished .onnx, which is examined and released."""
    out, found = session.out, session.stack
    found.model(model)
    content = content_of(file)
    key = checked(f"{model}/incoming/{name or file.name}")
    following = _following(found, model, out, timeout) if wait else None
    found.data.put(key, content)
    url = f"{str(found.outputs['data_url']).rstrip('/')}/{key}"
    if why := halted(found):
        again = found.typed("retrain", model)
        raise Mistake(f"{url} is stored, and nothing trains on it: {why}; then `{again}`")
    if following is None:
        document = {"url": url, "bytes": len(content)}
        shows = f"`{found.typed('runs', model)}` shows what becomes of it"
        out.result(document, f"{len(content):,} bytes -> {url}", shows)
        return
    out.say(f"  {'upload':<12} {len(content):,} bytes -> {url}")
    _finish(following, out, *following.run_from(key))


@on_stack
def retrain(
    session: Session,
    model: Model,
    window: Annotated[
        bool, typer.Option("--window", help="As the schedule does: in the window of the stack's settings.")
    ] = False,
    labelled: Annotated[
        bool,
        typer.Option("--labelled", help="On the dataset of the live version and the rows that were labelled since."),
    ] = False,
    past: Annotated[
        bool, typer.Option("--past", help="Show which trainings were asked for, and why; start none.")
    ] = False,
    wait: Wait = False,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Train on the newest dataset: also one whose arrival started nothing. What was trained on is not trained again."""
    if sum((window, labelled, past)) > 1 or (past and wait):
        raise Mistake("--window, --labelled and --past, which starts nothing: pass one of them")
    if past:
        _past(session, model)
        return
    if why := halted(session.stack):
        raise Mistake(f"{model} is not trained: {why}")
    if labelled:
        _labelled(session, model, wait=wait, timeout=timeout)
        return
    out, found = session.out, session.stack
    newest = found.data.newest(f"{found.model(model)}/incoming")
    if newest is None:
        raise Mistake(f"{model} has no dataset yet: `{found.typed('upload', model, 'FILE')}`")
    following = _following(found, model, out, timeout) if wait else None
    action = {"action": "wait"} if window else {}
    execution = found.cloud.start(found.outputs["workflow"], {"model": model, **action})
    if following is None:
        said = f"{model} is trained on {newest}: `{found.typed('runs', model)}`"
        out.result({"execution": execution, "source": newest}, said)
        return
    _finish(following, out, following.run_of(execution), name_of(execution))


def _labelled(session: Session, model: str, *, wait: bool, timeout: float) -> None:
    from sml.retraining import ask  # noqa: PLC0415 - numpy takes long to import

    out, found = session.out, session.stack
    following = _following(found, model, out, timeout) if wait else None
    asked, known = ask(found, model)
    if known:
        out.say(known)
    if following is None:
        shows = f"`{found.typed('runs', model)}` shows what becomes of it"
        out.result({"source": asked.source, "labelled_rows": asked.rows}, f"{asked.rows:,} labelled rows more", shows)
        return
    _finish(following, out, *following.run_from(asked.source))


def _past(session: Session, model: str) -> None:
    from sml.retraining import past_of, row_of  # noqa: PLC0415 - as above

    found = past_of(session.stack, model)
    if session.out.as_json:
        session.out.fields(found.document())
        return
    nothing = f"no training of {model} was asked for on labelled rows"
    session.out.table([row_of(one) for one in reversed(found.asked)], ASKED, empty=nothing)
    session.out.line(f"{found.rows:,} rows were labelled since the last training")
    if found.decided:
        session.out.line(found.decided)


def _finish(following: Following, out: Output, run: str, execution: str) -> None:
    record = following.to_the_end(run, execution)
    if out.as_json:
        out.fields(record)
    if record.get("status") != "promoted" or not following.is_live(record):
        raise typer.Exit(FAILED)


def _following(stack: Stack, model: str, out: Output, seconds: float) -> Following:
    from sml.following import Following  # noqa: PLC0415 - only what waits needs it

    return Following(stack, model, out.say, seconds=seconds)
