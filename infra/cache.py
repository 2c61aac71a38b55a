"""The cache of built archives: an entry is a file, and a record of its digest and of facts about it.

Nothing in it is believed. A file is written elsewhere and renamed, its digest is compared with its record before
it is used, and one that does not fit is built again. The lock of an entry is held by whoever builds it, and the
system lets go of it when that process is killed: a workspace whose lock is free is a leftover.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
from filelock import FileLock, Timeout

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
WORKSPACE = ".building"
FORMER = "tmp*"
"""Workspaces of builds before they had names of their own."""
DAY = 86_400
KEPT = 5
"""Entries of one kind that are kept, the last ones that were used."""
USED_SECONDS = 900
"""How long an entry is kept in any case: another process may be about to upload it."""

_verified: dict[tuple[str, int, int], str] = {}
"""Digests that this process has computed, by path, size and date of change in nanoseconds."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of the cache."""

    path: Path
    digest: str
    """SHA-256, hexadecimal."""
    facts: Mapping[str, Any]
    """What its builder says of it."""


Builder = Callable[[Path, Path], Mapping[str, Any]]
"""Writes a file at its second argument and returns facts about it, with its first argument as a workspace."""


def entry(folder: Path, name: str, build: Builder, say: Callable[[str], object]) -> Entry:
    """Return the entry `name`, which is built unless `folder` holds it undamaged.

    Two processes that ask for it build it once. `say` gets a line for one that is damaged. Raise `pulumi.RunError`
    for a folder that is full, or that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(_lock(folder, name)):
            found = _read(folder, name, say)
            return _built(folder, name, build) if found is None else found
    except OSError as problem:
        raise pulumi.RunError(_sentence(folder, problem)) from None


def clean(folder: Path) -> None:
    """Delete what killed builds left in `folder`, and nothing of a build that runs."""
    for workspace in folder.glob(f"*{WORKSPACE}"):
        try:
            with FileLock(_lock(folder, workspace.name.removesuffix(WORKSPACE)), timeout=0):
                shutil.rmtree(workspace, ignore_errors=True)
        except (Timeout, OSError):
            continue
    for workspace in folder.glob(FORMER):
        if workspace.is_dir() and workspace.stat().st_mtime < time.time() - DAY:
            shutil.rmtree(workspace, ignore_errors=True)


def prune(folder: Path, now: float | None = None) -> None:
    """Delete the entries of `folder` that are named `<kind>-<key>`, but for the last `KEPT` used of each kind.

    One that was used within the last `USED_SECONDS` stays, and so does one that another process is about to use.
    """
    kinds = defaultdict[str, list[tuple[float, str]]](list)
    for record in folder.glob("*-*.json"):
        with suppress(FileNotFoundError):
            kinds[record.stem.rpartition("-")[0]].append((record.stat().st_mtime, record.stem))
    long_ago = (time.time() if now is None else now) - USED_SECONDS
    for used, name in (entry for entries in kinds.values() for entry in sorted(entries, reverse=True)[KEPT:]):
        if used < long_ago:
            with suppress(Timeout, OSError), FileLock(_lock(folder, name), timeout=0):
                _record(folder, name).unlink(missing_ok=True)
                _file(folder, name).unlink(missing_ok=True)


def no_space(text: str) -> bool:
    """Return whether a program's complaint is that the disk is full."""
    return any(phrase in text for phrase in ("No space left on device", "Disk quota exceeded"))


def _built(folder: Path, name: str, build: Builder) -> Entry:
    workspace = folder / f"{name}{WORKSPACE}"
    shutil.rmtree(workspace, ignore_errors=True)
    try:
        workspace.mkdir()
        draft, record = workspace / "draft", workspace / "record"
        facts = dict(build(workspace, draft))
        digest = _digest(draft)
        record.write_text(json.dumps({"digest": digest, "facts": facts}), encoding="utf-8")
        draft.replace(_file(folder, name))
        record.replace(_record(folder, name))
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    return Entry(path=_file(folder, name), digest=digest, facts=facts)


def _read(folder: Path, name: str, say: Callable[[str], object]) -> Entry | None:
    """Return an entry that is whole; None for one that is missing, or damaged: then both its files are deleted."""
    file, record = _file(folder, name), _record(folder, name)
    if not record.exists():
        return None
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
        if _digest(file) == said["digest"]:
            with suppress(OSError):
                os.utime(record)
            return Entry(path=file, digest=said["digest"], facts=dict(said["facts"]))
        damage = "its digest is not that of its record"
    except (OSError, ValueError, KeyError, TypeError) as problem:
        damage = problem.strerror if isinstance(problem, OSError) else "its record cannot be read"
    say(f"{file} is damaged ({damage}), and is built again")
    record.unlink(missing_ok=True)
    file.unlink(missing_ok=True)
    return None


def _digest(file: Path) -> str:
    status = file.stat()
    key = (str(file), status.st_size, status.st_mtime_ns)
    if key not in _verified:
        with file.open("rb") as content:
            _verified[key] = hashlib.file_digest(content, "sha256").hexdigest()
    return _verified[key]


def _sentence(folder: Path, problem: OSError) -> str:
    if problem.errno in FULL:
        return full(folder)
    return f"{folder}: cannot be written ({problem.strerror or problem}); archives are built and kept there"


def full(folder: Path) -> str:
    """Return the sentence for a disk that is full."""
    return (
        f"{folder}: no space is left on its disk, and an archive cannot be built; nothing half-built is kept."
        " Free some, or delete that folder, which is built anew, and run this again"
    )


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.zip"


def _record(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def _lock(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock"
