"""Deploys again after each edit: of functions/, models/ and interface/, and of the stack's own file."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pulumi
from watchfiles import Change, DefaultFilter, watch

from localcloud.commands import edits
from localcloud.commands.progress import Progress, few
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.engine import Changes, ResourceFailed
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT

FOLLOWED = tuple(ROOT / name for name in ("functions", "models", "interface", "infra"))
AS_BEFORE = "until it is mended, the code from before this edit goes on"
PARTLY = "what this edit had not changed until then goes on as it was"
CHECK_MILLISECONDS = 500
DEBOUNCE_MILLISECONDS = 200


def follow(
    stack: LocalStack, progress: Progress, folders: Iterable[Path] = FOLLOWED, since: float | None = None
) -> None:
    """Deploy after each edit until interrupted. Whatever an edit breaks is reported, and the stack kept.

    `since` is the time from which on an edit may have been made while the stack was deployed for the first time, in
    seconds since the epoch. Raises `CloudFailed` when the embedded cloud dies.
    """
    for changed in _edits(stack, folders, since):
        try:
            if edits.deployable(stack, progress, changed):
                redeploy(stack, progress, changed)
                edits.examine(stack, progress, changed)
        except (CloudFailed, ResourceFailed) as failed:
            stack.cloud.check()
            progress.plain(f"{failed}\n{PARTLY}")
        except Exception as mistake:
            progress.plain(f"{sentence(mistake)}\n{AS_BEFORE}")


def first(stack: LocalStack, deploy: Callable[[], None]) -> None:
    """Deploy for the first time. Raises `CloudFailed` with one sentence for whatever stops it."""
    try:
        deploy()
    except (pulumi.RunError, CloudFailed):
        raise
    except Exception as mistake:
        stack.cloud.check()
        raise CloudFailed(sentence(mistake)) from mistake


def sentence(mistake: Exception) -> str:
    """Return what stopped a deployment, in one sentence with the file and the line that a mistake in Python has.

    `pulumi.RunError` says where by itself.
    """
    if isinstance(mistake, pulumi.RunError):
        return str(mistake)
    text = " ".join(str(mistake).split())
    if isinstance(mistake, SyntaxError) and mistake.filename:
        return f"{_short(Path(mistake.filename))}:{mistake.lineno}: {mistake.msg}"
    frames = [
        frame for frame in traceback.extract_tb(mistake.__traceback__) if Path(frame.filename).is_relative_to(ROOT)
    ]
    where = f"{_short(Path(frames[-1].filename))}:{frames[-1].lineno}: " if frames else ""
    return f"{where}{type(mistake).__name__}: {text}"


def redeploy(stack: LocalStack, progress: Progress, changed: Iterable[Path]) -> Changes:
    """Deploy once more, print which edit changed what, and return the changes."""
    names = few(sorted(_short(path) for path in changed))
    with progress.step("edited") as step:
        step.say(names)
        changes = stack.deploy()
        step.text = f"{names} -> {summary(changes)}"
    return changes


def summary(changes: Changes) -> str:
    """Describe the changes by logical names: `updated predict-function, predict-alias`."""
    kinds = ("created", "updated", "replaced", "deleted")
    parts = [
        f"{kind} {', '.join(urn.split('::')[-1] for urn in getattr(changes, kind))}"
        for kind in kinds
        if getattr(changes, kind)
    ]
    return "; ".join(parts) or "nothing to change"


def _edits(stack: LocalStack, folders: Iterable[Path], since: float | None) -> Iterator[set[Path]]:
    """Yield the files that were edited: below some folders, or the stack's own, which an editor may replace."""
    existing = [folder for folder in folders if folder.is_dir()]
    while since is not None:
        now = time.time()
        if not (before := _edited(existing, stack.file.path, since)):
            break
        yield before
        since = now
    stamp = _stamp(stack.file.path)
    for found in watch(
        *existing,
        watch_filter=DefaultFilter(),
        rust_timeout=CHECK_MILLISECONDS,
        yield_on_timeout=True,
        debounce=DEBOUNCE_MILLISECONDS,
    ):
        stack.cloud.check()
        changed = {Path(path) for _, path in found}
        before, stamp = stamp, _stamp(stack.file.path)
        if stamp != before:
            changed.add(stack.file.path)
        if changed:
            # An editor writes beside a file, and renames: what was there for a moment is nobody's edit.
            files = {path for path in changed if not path.is_dir()}
            if files:
                yield {path for path in files if path.exists()} or files


def _edited(folders: Iterable[Path], file: Path, since: float) -> set[Path]:
    """Return the files, below some folders and the stack's own, that were written after a moment."""
    wanted = DefaultFilter()
    files = [file, *(path for folder in folders for path in folder.rglob("*") if wanted(Change.modified, str(path)))]
    return {path for path in files if path.is_file() and path.stat().st_mtime > since}


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
