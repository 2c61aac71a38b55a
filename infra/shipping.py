"""What an archive must hold, looked for before it is built: every import and every file that the code names.

What is left out shows only once a function runs, in the cloud: for training after the upload of a dataset.
"""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pulumi

from infra.archive import Packing
from infra.dependencies import ONLY, shown
from infra.imports import Wanted
from infra.locked_modules import modules as locked_modules
from infra.model_lock import command
from infra.sources import DECLARED, ROOT, STAYS, closure, declared, defines, exists, is_ours, module, training
from infra.trainers import REQUIREMENTS
from models.training_text import lacks_fit

TRAINS = "functions/core/training/experiment.py"
"""What imports a model's training: a function that reaches it needs what the model imports."""
LEFT: Mapping[str, frozenset[str]] = {
    "3.12": frozenset({"asynchat", "asyncore", "distutils", "imp", "smtpd"}),
    "3.13": frozenset({"aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib"})
    | {"nis", "nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"},
}
"""Modules that left the standard library, by the version that no longer has them:
https://peps.python.org/pep-0594/ and https://docs.python.org/3/whatsnew/3.12.html#removed."""
JOINED = frozenset({"annotationlib", "compression"})
"""Modules of the standard library that no version has on which functions run."""


def require(
    entries: Sequence[str],
    models: Sequence[str],
    *,
    packing: Packing,
    locks: Sequence[Path],
    python: str,
    root: Path = ROOT,
) -> None:
    """Raise `pulumi.RunError` for an import or a file that the archive of `entries` would lack, with file and line.

    An import must be of the archive, of the packages of `locks`, of the cloud's own runtime, or of the
    standard library of that version of Python. Whatever the sentence names is accepted.
    """
    files = closure(entries, root)
    trained = models if root / TRAINS in files else ()
    for name in trained:
        files |= closure([training(name)], root)
    available = _Available(packing, locks, python, root)
    for file in sorted(files):
        path = file.relative_to(root).as_posix()
        for wanted in module(file, root).wanted:
            if not available.satisfies(wanted):
                raise pulumi.RunError(f"{path}:{wanted.line}: {available.complaint(path, wanted)}")
    for name in trained:
        _require_files(name, root)


def require_training(model: str, root: Path = ROOT) -> None:
    """Raise `pulumi.RunError` for a model without a training, or whose training has no `fit`."""
    if (told := lacks_fit(model, root / "models")) is not None:
        raise pulumi.RunError(told)


class _Available:
    """What the code of one archive can import."""

    def __init__(self, packing: Packing, locks: Sequence[Path], python: str, root: Path) -> None:
        self._root = root
        self._lock = shown(locks[0])
        found = [locked_modules(lock) for lock in locks]
        self._known = None not in found
        # A package that is opened as a library is packed without its modules.
        self._locked = frozenset[str]().union(*filter(None, found)) - (set() if packing.built else ONLY.keys())
        gone = [names for version, names in LEFT.items() if _number(version) <= _number(python)]
        standard = frozenset(sys.stdlib_module_names).union(*LEFT.values())
        self._standard = standard.difference(JOINED, *gone)
        self._provided = frozenset(packing.provides)
        self._python = python
        self._answers: dict[tuple[str, str | None], bool] = {}
        """What was asked for before: most modules import the same few."""

    def satisfies(self, wanted: Wanted) -> bool:
        """Return whether an import succeeds, or is not needed."""
        if wanted.optional or self._has(wanted):
            return True
        return bool(wanted.instead_of) and all(self._has(first) for first in wanted.instead_of)

    def complaint(self, path: str, wanted: Wanted) -> str:
        """Return what is wrong with an import that fails, and what is accepted."""
        name, root = wanted.module, self._root
        top = name.partition(".")[0]
        if not self._known:
            return f"{self._lock} does not say which modules it brings; `make lock` writes that"
        if name.startswith("."):
            return f"from {name} leads out of the project; accepted: at most a dot for each folder of {path}"
        if top in STAYS:
            return f"{top} is a package of the program, which no archive holds; accepted: a package beside {top}/"
        if is_ours(name, root):
            return self._lacking(name, wanted.name)
        beside = root / path.rpartition("/")[0]
        if (beside / f"{top}.py").is_file() or (beside / top).is_dir():
            return f"{top} lies beside this file, and is found as .{top} alone; accepted: from . import {top}"
        return (
            f"{top} is neither a module of this project, nor of {self._lock}, nor of Python {self._python};"
            f" accepted: {self._accepted(path)}"
        )

    def _accepted(self, path: str) -> str:
        """Return where a package can be named that a file imports: a model's training may have its own."""
        shared = f"functions/requirements/{Path(self._lock).stem}.in"
        top, model, *below = path.split("/")
        if top != "models" or not below:
            return f"what a package in {shared} brings, after `make lock`"
        own = f"what a package in models/{model}/{REQUIREMENTS} brings, after `{command(model)}`"
        return own if self._lock.startswith("models/") else f"{own}, or one in {shared}, after `make lock`"

    def _lacking(self, name: str, member: str | None) -> str:
        """Return what is wrong with an import from the project."""
        file = name.replace(".", "/") + ".py"
        if (self._root / file).is_file():
            return f"{name} defines no {member}; accepted: what {file} defines"
        what = f"{name}.{member}" if exists(name, self._root) and member else name
        inside = what.rpartition(".")[0].replace(".", "/")
        return f"{what} is no module of this project; accepted: a module in {inside}/"

    def _has(self, wanted: Wanted) -> bool:
        asked = (wanted.module, wanted.name)
        if asked not in self._answers:
            self._answers[asked] = self._finds(wanted)
        return self._answers[asked]

    def _finds(self, wanted: Wanted) -> bool:
        name = wanted.module
        top = name.partition(".")[0]
        if is_ours(name, self._root):
            if not exists(name, self._root):
                return False
            return (
                wanted.name is None
                or defines(name, wanted.name, self._root)
                or exists(f"{name}.{wanted.name}", self._root)
            )
        if top in self._standard or top in self._provided or name.startswith("__future__"):
            return True
        whole = f"{name}.{wanted.name}" if wanted.name else name
        return any(f"{whole}.".startswith(f"{known}.") or f"{known}.".startswith(f"{whole}.") for known in self._locked)


def _require_files(model: str, root: Path) -> None:
    folder = root / "models" / model
    listed = declared(model, root)
    for name in listed:
        plain = posixpath.normpath(name)
        if plain != name or plain.startswith(("/", "..")) or not (folder / name).is_file():
            raise pulumi.RunError(
                f"models/{model}/model.yaml: files: {name} is no file there; accepted: the path of a file in"
                f" models/{model}/, with slashes"
            )
    for file in sorted(closure([training(model)], root)):
        for line, path in _undeclared(file, folder, listed):
            raise pulumi.RunError(
                f"{file.relative_to(root).as_posix()}:{line}: reads {path}, which the archive does not hold; accepted:"
                f' a file that models/{model}/model.yaml lists under files, read by Path(__file__).parent / "name"'
            )


def _undeclared(file: Path, folder: Path, listed: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines at which a module reads a file that is in the repository and not in the archive."""
    shipped = {folder / name for name in (*DECLARED, *listed)}
    for read in module(file, folder.parents[1]).reads:
        if read.beside:
            path = Path(posixpath.normpath(file.parent / read.path))
            if path.is_file() and path.suffix != ".py" and path not in shipped:
                yield read.line, read.path
        elif folder.parents[1] / read.path not in shipped and any(
            (base / read.path).is_file() for base in (file.parent, folder.parents[1])
        ):
            yield read.line, read.path


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
