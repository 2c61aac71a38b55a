"""Which of our files a function needs: the modules that its entry reaches by import, and no others.

A change elsewhere leaves the archive, and so the deployed function, as it was.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from infra.imports import executed, imported

ROOT = Path(__file__).resolve().parents[1]
OURS = ("functions", "interface", "models")
DECLARED = ("model.yaml", "golden.json")
"""What a function reads of a model's folder. The file of a bring-your-own model comes from the store instead."""
PARSING = threading.Lock()
"""Python 3.11 cannot parse in two threads at once: https://github.com/python/cpython/issues/106905"""


def sources(entries: Sequence[str], models: Sequence[str], root: Path = ROOT) -> list[Path]:
    """Return files below `root`, sorted: what `entries` reach and, if they read contracts, what `models` declare."""
    files = closure(entries, root)
    if root / "models" / "contract.py" in files:
        files |= closure([f"models.{name}.training" for name in models], root)
        files |= {root / "models" / name / file for name in models for file in DECLARED}
    return sorted(file for file in files if file.is_file())


def closure(modules: Iterable[str], root: Path = ROOT) -> set[Path]:
    """Return the files of `modules`, of everything they import from our packages, and of the packages around them."""
    reached: set[Path] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        for file in _files(module, root):
            if file not in reached:
                reached.add(file)
                waiting.extend(_imports(file, root))
    return reached


def _files(module: str, root: Path) -> Iterator[Path]:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:depth])
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                yield file


def _imports(file: Path, root: Path) -> tuple[str, ...]:
    with PARSING:
        return _imported(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))


@lru_cache(maxsize=1024)
def _imported(path: str, text: str) -> tuple[str, ...]:
    """Return what a module's text imports of our own packages: most modules are in several functions' archives."""
    names = [name for _, name in imported(path, tuple(executed(ast.parse(text))))]
    return tuple(name for name in names if name.split(".")[0] in OURS)
