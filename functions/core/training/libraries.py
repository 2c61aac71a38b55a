"""The libraries that a model trains with, imported once in a copy of the function and not once in each experiment.

Every experiment is a fork: it has what this process has imported. A model's own code is never imported here.
"""

from __future__ import annotations

import ast
import importlib
import sys
import sysconfig
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from models.section import SHARED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_OURS = frozenset({"functions", "models", "interface"})
_noted: list[str] = []
"""What the experiment before has imported besides."""
_loading = threading.Lock()
"""Python 3.11 cannot parse in two threads at once: https://github.com/python/cpython/issues/106905"""


def note(names: Iterable[str]) -> None:
    """Have the next experiment find these modules imported."""
    _noted.extend(names)


def load(folder: Path) -> None:
    """Import what the `training.py` in a model's folder imports at its top, and what the experiment before has."""
    with _loading:
        names = [*_at_the_top(folder / "training.py"), *_noted]
        _noted.clear()
        own = _own(folder)
        for name in names:
            if name not in sys.modules and name.partition(".")[0] not in own:
                with suppress(Exception):  # the experiment says so, where it cannot do without
                    importlib.import_module(name)


def imported(folder: Path, known: Collection[str]) -> list[str]:
    """Return the installed modules that this process has imported besides those that are `known`."""
    own = _own(folder)
    places = {sysconfig.get_path(name) for name in ("stdlib", "platlib", "purelib")}
    roots = tuple(f"{place.rstrip('/')}/" for place in {*places, *sys.path} if place)
    names = []
    for name, module in [*sys.modules.items()]:
        if name not in known and name.partition(".")[0] not in own:
            origin = getattr(getattr(module, "__spec__", None), "origin", None)
            if isinstance(origin, str) and origin.startswith(roots):
                names.append(name)
    return names


def _own(folder: Path) -> frozenset[str]:
    """Return the top packages whose code is no library: the function's, and what the model shares with others."""
    listed = folder / SHARED
    shared = listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else ()
    return _OURS | {Path(line).parts[0].removesuffix(".py") for line in shared if line}


def _at_the_top(training: Path) -> Iterator[str]:
    """Yield the modules that the statements at the top of a file import."""
    try:
        tree = ast.parse(training.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (each.name for each in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module
