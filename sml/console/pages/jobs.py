"""Jobs: those that this caller submitted by the API, one of them, and a new one by a file."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sml.commands import jobs
from sml.console.asked import ask
from sml.console.site import Page, url
from sml.console.web import Reply
from sml.mistake import Mistake

if TYPE_CHECKING:
    from sml.console.source import Source
    from sml.console.web import Request


def listed(source: Source, request: Request, model: str) -> Page:
    """The jobs of this caller."""
    del request
    rows = ask(source.stack, jobs.listed, model=model).table.documents
    facts = {"rows": rows, "kinds": jobs.KINDS, "ended": jobs.ENDED}
    return Page(template="jobs.html", title="Jobs", model=source.stack.model(model), facts=facts)


def job(source: Source, request: Request, model: str, job: str) -> Page:
    """One job."""
    del request
    status = ask(source.stack, jobs.get, model=model, job=job).document
    hidden = ("result", "result_url", "result_key", "error")
    error = status.get("error")
    facts = {
        "job": job,
        "status": status,
        "shown": {name: value for name, value in status.items() if name not in hidden},
        "error": error.get("detail") if isinstance(error, dict) else error,
        "ended": status.get("status") in jobs.ENDED,
    }
    return Page(template="job.html", title=f"Job {job}", model=model, facts=facts)


def result(source: Source, request: Request, model: str, job: str) -> Reply:
    """What a job gave, as a file."""
    del request
    with tempfile.TemporaryDirectory(prefix="sml-") as folder:
        file = Path(folder) / "result"
        ask(source.stack, jobs.get, model=model, job=job, result=file)
        if not file.exists():
            raise Mistake(f"job {job} has no result yet")
        content = file.read_bytes()
    name = f"{_plain(model)}-{_plain(job)}.jsonl"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Reply(body=content, kind="application/octet-stream", headers=headers)


def submit(source: Source, request: Request, model: str) -> Reply:
    """Submit the file that the form brought, and show the job."""
    file = request.files.get("file")
    if file is None or not file.name:
        raise Mistake("choose a file")
    with tempfile.TemporaryDirectory(prefix="sml-") as folder:
        path = Path(folder) / _plain(Path(file.name).name)
        path.write_bytes(file.content)
        version = request.given("version") or None
        told = ask(source.stack, jobs.submit, model=model, file=path, version=version, result=None)
    return Reply(status=303, headers={"location": url("models", model, "jobs", told.document["id"])})


def _plain(name: str) -> str:
    """Return a name without what means something in a path or in a header."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".")[-100:] or "file"
