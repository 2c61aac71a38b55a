"""Deploys again after each edit of a file in functions/ or models/."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path

import pulumi
from watchfiles import DefaultFilter, watch

from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.engine import Changes
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT

FOLLOWED = (ROOT / "functions", ROOT / "models")
CHECK_MILLISECONDS = 1000


def follow(stack: LocalStack, progress: Progress, folders: Iterable[Path] = FOLLOWED) -> None:
    """Deploy after each edit until interrupted. Whatever an edit breaks is reported, and the stack kept.

    Raises `CloudFailed` when the embedded cloud dies.
    """
    for changed in _edits(stack, folders):
        try:
            redeploy(stack, progress, changed)
        except CloudFailed:
            raise
        except Exception as mistake:
            progress.plain(sentence(mistake))


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
    names = ", ".join(sorted(_short(path) for path in changed))
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


def _edits(stack: LocalStack, folders: Iterable[Path]) -> Iterator[set[Path]]:
    existing = [folder for folder in folders if folder.is_dir()]
    for edits in watch(
        *existing, watch_filter=DefaultFilter(), rust_timeout=CHECK_MILLISECONDS, yield_on_timeout=True, debounce=300
    ):
        stack.cloud.check()
        if edits:
            yield {Path(path) for _, path in edits}


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
