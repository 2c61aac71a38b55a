"""The lock of a model's own packages, beside its requirements.in: whether it may be installed, and what it brings.

It is complete: it holds what every training is installed from, too, in the same versions, and is held to the versions
that any cloud runs functions with. So where a cloud builds functions, both locks are one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pulumi

from infra.function_table import TRAIN
from infra.locked_modules import LINE
from infra.sources import OURS, ROOT
from infra.trainers import REQUIREMENTS

LOCKED = "requirements.txt"
SEAL = "# written by sml lock: "
"""How the last line begins: the digest of what was locked, and that of the lines before it."""
DIGITS = 16
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
BESIDE = "functions/requirements"


def command(model: str) -> str:
    """Return what writes the lock of a model."""
    return f".venv/bin/sml lock {model}"


def path(model: str, root: Path = ROOT) -> Path:
    """Return the lock of a model."""
    return root / "models" / model / LOCKED


def require(model: str, root: Path = ROOT) -> None:
    """Raise `pulumi.RunError` for a lock that is missing, stale, edited, or not written by `sml lock`."""
    folder = root / "models" / model
    where = f"models/{model}/{LOCKED}"
    if not (folder / REQUIREMENTS).is_file():
        if (folder / LOCKED).is_file():
            raise pulumi.RunError(
                f"{where}: nothing is installed from it without models/{model}/{REQUIREMENTS}, which names what"
                " training needs; accepted: both, or neither"
            )
        return
    require_plain(folder / REQUIREMENTS, root)
    if problem := _problem(folder, root):
        raise pulumi.RunError(f"{where}: {problem}; `{command(model)}` writes it")


def is_whole(lock: Path) -> bool:
    """Return whether a lock is there, and is as `sml lock` wrote it, for whatever packages."""
    body, seal = _opened(_text(lock)) if lock.is_file() else ("", None)
    return seal is not None and f"content={_digest(body)}" in seal.split()


def is_current(model: str, root: Path = ROOT) -> bool:
    """Return whether a model's lock may be installed as it is."""
    return not _problem(root / "models" / model, root)


def require_plain(requirements: Path, root: Path = ROOT) -> None:
    """Raise `pulumi.RunError` for a line of a requirements.in that is no requirement, or names a file or an address."""
    where = requirements.relative_to(root).as_posix() if requirements.is_relative_to(root) else requirements.name
    for number, line in enumerate(_text(requirements).splitlines(), 1):
        stated = line.partition(" #")[0].strip()
        if not stated or stated.startswith("#"):
            continue
        if not NAME.match(stated) or "://" in stated or "/" in stated.partition(";")[0]:
            raise pulumi.RunError(
                f"{where}:{number}: {stated.partition('://')[0]} is not accepted; accepted: a package and its"
                " versions, a line each, as in lightgbm==4.7.0"
            )


def _problem(folder: Path, root: Path) -> str:
    """Return what is wrong with a lock; nothing for one that may be installed."""
    lock = folder / LOCKED
    if not lock.is_file():
        return f"is missing beside {REQUIREMENTS}"
    body, seal = _opened(_text(lock))
    if seal is None:
        bare = next((name for name, entry in entries(body).items() if "--hash=" not in entry), None)
        return "was not written by `sml lock`" + (f", and {bare} has no hash" if bare else "")
    if not is_whole(lock):
        return "was edited by hand"
    if f"of={locked_of(folder, root)}" not in seal.split():
        return f"is older than {REQUIREMENTS}, or than the locks in {BESIDE}"
    return ""


def sealed(body: str, folder: Path, root: Path = ROOT) -> str:
    """Return a lock with its last line."""
    return f"{body}{SEAL}of={locked_of(folder, root)} content={_digest(body)}\n"


def locked_of(folder: Path, root: Path = ROOT) -> str:
    """Return a digest of what a lock is made from: the model's packages, and the locks that it must agree with."""
    files = [folder / REQUIREMENTS, root / BESIDE / f"{TRAIN}.in", *locks_beside(root)]
    return _digest("".join(f"{file.name}\n{_text(file)}\n" for file in files))


def locks_beside(root: Path = ROOT) -> list[Path]:
    """Return the locks of the function that trains all other models: the one, and those of clouds that build."""
    beside = root / BESIDE
    return [beside / f"{TRAIN}.txt", *sorted(beside.glob(f"*/{TRAIN}.txt"))]


def held_to(root: Path = ROOT) -> str:
    """Return the locked versions that a model's lock must keep: those of every training, then those of any cloud."""
    held: dict[str, str] = {}
    for lock in locks_beside(root):
        held = {**entries(_text(lock)), **held}
    return "".join(held.values())


def entries(lock: str) -> dict[str, str]:
    """Return what a lock says of each package, by its name: one with several versions has several entries in one."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines(keepends=True):
        if line[:1] not in " \t#\r\n":
            name = line.partition("==")[0].strip().lower()
        if name and not line.startswith("#"):
            found[name] = found.get(name, "") + line
    return found


def together(own: Path, framework: Path) -> bytes:
    """Return a model's lock with what a cloud runs functions with, which its own lock was held to."""
    first, second = _opened(_text(own))[0], _text(framework)
    every = {**entries(second), **entries(first)}
    names = sorted({name for lock in (first, second) for name in _modules(lock)})
    return "".join([*(every[name] for name in sorted(every)), LINE, " ".join(names), "\n"]).encode()


def shadowed(modules: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each package that brings a module of ours; `modules` has the package of each."""
    for name, package in sorted(modules.items()):
        if name.partition(".")[0] in (*OURS, "main"):
            yield f"{package} brings a module called {name}, which this project has; accepted: a package that does not"


def _modules(lock: str) -> list[str]:
    return [name for line in lock.splitlines() if line.startswith(LINE) for name in line.removeprefix(LINE).split()]


def _opened(text: str) -> tuple[str, str | None]:
    """Return a lock without its last line, and what that says; None for a lock without."""
    body, found, seal = text.rpartition(SEAL)
    return (body, seal) if found and seal.count("\n") <= 1 else (text, None)


def _text(file: Path) -> str:
    """Return a text with the ends of lines that git stores. Raise `pulumi.RunError` where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, ValueError) as problem:
        raise pulumi.RunError(f"{file.parent.name}/{file.name}: cannot be read: {problem}") from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
