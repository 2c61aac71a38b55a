"""Jobs: many rows, answered later."""

from __future__ import annotations

import gzip
import re
import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from interface.operations import NO_UPLOADS
from sml.clouds import one_caller
from sml.file import content_of
from sml.mistake import CANCELLED, FAILED, Mistake, TooLate, code_of_rows
from sml.options import Model, Seconds
from sml.output import Output
from sml.session import Session, on_stack
from sml.stack import Stack

app = typer.Typer(help="Jobs: many rows, answered later.", no_args_is_help=True, rich_markup_mode=None)
JobId = Annotated[str, typer.Argument(help="The job's id.", metavar="JOB")]
Result = Annotated[Path | None, typer.Option("--result", "-o", help="Write the result there.")]
KINDS = ("csv", "jsonl", "parquet", "npy", "npz")
ENDED = ("done", "failed", "cancelled")
GZIP = b"\x1f\x8b"
"""How the result begins of a file that was compressed."""
LOOK_SECONDS = 0.5
WAIT_SECONDS = 3600.0


@app.command()
@on_stack
def submit(
    session: Session,
    model: Model,
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON Lines, Parquet, .npy or .npz, each also .gz.", metavar="FILE")
    ],
    version: Annotated[
        str | None, typer.Option("--version", help="A version; by default the one that is live.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait until it is done.")] = False,
    result: Result = None,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Submit a file as a job."""
    out, found = session.out, session.stack
    found.model(model)
    job = _submitted(found, model, file, version)
    if wait or result is not None:
        _wait(out, found, model, job, timeout, result)
        return
    out.result({"id": job}, job, f"`{found.typed('job', 'wait', model, job, '-o', 'FILE')}` waits for its result")


@app.command("list")
@on_stack
def listed(
    session: Session,
    model: Model,
) -> None:
    """List the jobs that were submitted by the API, the newest first."""
    out, found = session.out, session.stack
    url = found.outputs["models"][found.model(model)]["jobs"]
    jobs = _api(found).get(url)["jobs"]
    if (account := found.outputs["callers"]) and one_caller(found.scheme):
        out.say(f"all who may sign for {account} are one caller: these are the jobs of all of them")
    columns = {"id": "job", "status": "status", "created": "created (UTC)"}
    out.table(jobs, columns, empty=f"there is no job: `{found.typed('job', 'submit', model, 'FILE')}`")


@app.command()
@on_stack
def get(
    session: Session,
    model: Model,
    job: JobId,
    result: Result = None,
) -> None:
    """Show one job; with --result, fetch what it gave, and end as `wait` does."""
    out, found = session.out, session.stack
    status = _status(found, model, job)
    _finished(out, found, status, result)
    if result is not None:
        _end(out, status)


@app.command()
@on_stack
def cancel(
    session: Session,
    model: Model,
    job: JobId,
) -> None:
    """Cancel a job: no further part of it is worked on."""
    out, found = session.out, session.stack
    url = found.outputs["models"][found.model(model)]["jobs"]
    status = _api(found).post(f"{url}/{quote(job, safe='')}/cancel", {})
    _finished(out, found, status, None)
    if status["status"] != "cancelled":
        out.say(f"job {job} was {status['status']} before it could be cancelled")
        raise typer.Exit(FAILED)


@app.command()
@on_stack
def wait(
    session: Session,
    model: Model,
    job: JobId,
    result: Result = None,
    timeout: Seconds = WAIT_SECONDS,
) -> None:
    """Wait until a job is over."""
    out, found = session.out, session.stack
    _wait(out, found, model, job, timeout, result)


def _submitted(stack: Stack, model: str, file: Path, version: str | None) -> str:
    """Return the job's id: by a signed URL, or, on a cloud that signs nothing, put into the store."""
    kind = file.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind not in KINDS:
        raise Mistake(f"{file.name}: a job's file is {', '.join(KINDS)}, each also .gz, by its ending")
    content = content_of(file)
    ending = f"{kind}.gz" if file.name.lower().endswith(".gz") else kind
    asked: dict[str, Any] = {"upload": ending, **({"version": version} if version else {})}
    api, url = _api(stack), stack.outputs["models"][model]["jobs"]
    try:
        ticket = api.post(url, asked)
    except Mistake as refused:
        if refused.kind != NO_UPLOADS or version:
            raise
        name = f"{time.time_ns():x}-{re.sub('[^A-Za-z0-9._-]+', '-', file.name)}"
        stack.jobs.put(f"{model}/in/{name}", content)
        return name
    api.send(ticket["upload"]["method"], ticket["upload"]["url"], content, signed=False)
    return ticket["id"]


def _wait(out: Output, stack: Stack, model: str, job: str, seconds: float, result: Path | None) -> None:
    until, told = time.monotonic() + seconds, ""
    while (status := _status(stack, model, job))["status"] not in ENDED:
        if time.monotonic() > until:
            raise TooLate(f"job {job} is {status['status']} after {seconds:.0f} s; it goes on")
        progress = f"  {'job':<12} {status['status']}, {status.get('rows') or 0:,} rows"
        if progress != told and not out.as_json:
            out.say(told := progress)
        time.sleep(LOOK_SECONDS)
    _finished(out, stack, status, result)
    _end(out, status)


def _end(out: Output, status: dict[str, Any]) -> None:
    """End the command by what became of a job: with another exit code than 0, unless each of its rows is answered."""
    rows, refused = status.get("rows") or 0, status.get("refused") or 0
    code = {"done": code_of_rows(refused, rows), "cancelled": CANCELLED}.get(status["status"], FAILED)
    if code and status["status"] == "done":
        out.say(f"{refused:,} of {rows:,} rows got an error")
    elif code and status["status"] not in ENDED:
        out.say(f"job {status['id']} is {status['status']}: it has no result yet")
    if code:
        raise typer.Exit(code)


def _finished(out: Output, stack: Stack, status: dict[str, Any], result: Path | None) -> None:
    if result is not None and status["status"] == "done":
        content = _result(stack, status)
        if content[:2] == GZIP and not result.name.endswith(".gz"):
            content = gzip.decompress(content)
        result.write_bytes(content)
        status = {**status, "written": str(result)}
    shown = {name: value for name, value in status.items() if name not in ("result", "result_url")}
    if isinstance(error := status.get("error"), dict):
        from sml.api import words_of  # noqa: PLC0415

        shown["error"] = words_of(error) or error
    out.fields(status, shown)


def _result(stack: Stack, status: dict[str, Any]) -> bytes:
    if status.get("result"):
        import json  # noqa: PLC0415

        lines = status["result"].get("predictions", [])
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    if status.get("result_url"):
        return _api(stack).send("GET", status["result_url"], signed=False)[2]
    return stack.jobs.get(status["result_key"])


def _status(stack: Stack, model: str, job: str) -> dict[str, Any]:
    url = stack.outputs["models"][stack.model(model)]["jobs"]
    if not job:
        raise Mistake(f"a job is named by its id: `{stack.typed('job', 'list', model)}`")
    return _api(stack).get(f"{url}/{quote(job, safe='')}")


def _api(stack: Stack) -> Any:
    from sml.api import Api  # noqa: PLC0415

    return Api(stack)
