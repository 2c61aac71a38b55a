"""Which of our files a function needs: the modules that its entry reaches by import, and no others.

A change elsewhere leaves the archive, and so the deployed function, as it was.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pulumi
from pydantic import TypeAdapter

from infra import data_files, imports
from infra.data_files import Read, reads
from infra.findings import Findings
from infra.imports import Wanted, defined, every, imported, surrounded, wanted
from models.section import ContractError, read

ROOT = Path(__file__).resolve().parents[1]
OURS = ("functions", "interface", "models")
STAYS = ("bench", "docs", "doctor", "infra", "localcloud", "tests")
"""Packages of the project that no function carries. Any other beside these a model may import, and brings along."""
DECLARED = ("model.yaml", "golden.json")
"""What a function reads of a model's folder. The file of a bring-your-own model comes from the store instead."""
PARSING = threading.Lock()
"""Python 3.11 cannot parse in two threads at once: https://github.com/python/cpython/issues/106905"""


@dataclass(frozen=True, kw_only=True)
class Module:
    """What the text of a module says, without running it."""

    imports: tuple[str, ...]
    """Everything that it imports: modules, and the names from them."""
    wanted: tuple[Wanted, ...]
    """The same, with what each import cannot do without."""
    reads: tuple[Read, ...]
    """The files that it reads by a path that is written out."""
    defined: frozenset[str] | None
    """The names that it may define; None where its text does not tell."""
    functions: Mapping[str, str]
    """The functions at its top, each with the annotation of what it returns; empty where there is none."""


def sources(entries: Sequence[str], models: Sequence[str], root: Path = ROOT) -> list[Path]:
    """Return files below `root`, sorted: what `entries` reach and, if they read contracts, what `models` declare."""
    files = closure(entries, root)
    if root / "models" / "contract.py" in files:
        files |= closure([training(name) for name in models], root)
        files |= {root / "models" / name / file for name in models for file in (*DECLARED, *declared(name, root))}
    return sorted(file for file in files if file.is_file())


def training(model: str) -> str:
    """Return the name of the module that trains a model."""
    return f"models.{model}.training"


def declared(model: str, root: Path = ROOT) -> tuple[str, ...]:
    """Return what `model.yaml` lists under `files`; nothing for one that has no such list, or cannot be read."""
    try:
        content = read(model, root / "models").value
    except (OSError, ContractError):
        return ()
    files = content.get("files") if isinstance(content, dict) else None
    return tuple(str(file) for file in files) if isinstance(files, list) else ()


def shared(model: str, root: Path = ROOT) -> list[Path]:
    """Return the files outside a model's folder that its training imports, sorted, apart from their packages' names."""
    reached = closure([training(model)], root)
    own = root / "models" / model
    return sorted(file for file in reached if not file.is_relative_to(own) and file.stat().st_size)


def closure(modules: Iterable[str], root: Path = ROOT) -> set[Path]:
    """Return the files of `modules`, of everything they import from our packages, and of the packages around them.

    Raise `pulumi.RunError` for one of them that is no Python, as `module` does.
    """
    reached: set[Path] = set()
    waiting = list(modules)
    known = set(waiting)
    while waiting:
        for file in _files(waiting.pop(), root):
            if file not in reached:
                reached.add(file)
                found = set(module(file, root).imports) - known
                known |= found
                waiting.extend(name for name in found if is_ours(name, root))
    return reached


def is_ours(name: str, root: Path = ROOT) -> bool:
    """Return whether an absolute name begins with a package or module of the project that archives may hold."""
    top = name.partition(".")[0]
    if top in OURS:
        return True
    return top not in STAYS and ((root / f"{top}.py").is_file() or any((root / top).rglob("*.py") if top else ()))


def exists(name: str, root: Path = ROOT) -> bool:
    """Return whether an absolute name is a module, a package, or a folder with modules, below `root`."""
    path = root.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or any(path.rglob("*.py"))


def defines(name: str, member: str, root: Path = ROOT) -> bool:
    """Return whether a module or package has a file of its own that may define a name: a bare folder has none."""
    path = root.joinpath(*name.split("."))
    # Python looks for the package first.
    file = next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)
    if file is None:
        return False
    names = module(file, root).defined
    return names is None or member in names or (member.startswith("__") and member.endswith("__"))


def _files(module: str, root: Path) -> Iterator[Path]:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:depth])
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                yield file


def module(file: Path, root: Path = ROOT) -> Module:
    """Return what a module imports of our packages, and its functions.

    Raise `pulumi.RunError` with the file, and the line where there is one, for a file that is no Python, such as one
    that is half saved.
    """
    where = file.relative_to(root).as_posix()
    try:
        text = file.read_text(encoding="utf-8")
        with PARSING:
            return _module(where, text)
    except SyntaxError as problem:
        raise pulumi.RunError(f"{where}:{problem.lineno or 1}: {problem.msg}") from None
    except (OSError, ValueError) as problem:
        raise pulumi.RunError(f"{where}: cannot be read: {problem}") from None


EVERY = TypeAdapter(dict[str, Module])
FINDINGS = Findings(EVERY, (imports.__file__, data_files.__file__, __file__))
"""What the texts of modules say, from the runs before."""


@lru_cache(maxsize=1024)
def _module(path: str, text: str) -> Module:
    """Read once what several functions' archives hold, and parse it only where no run before has."""
    name = FINDINGS.name(path, text)
    found = FINDINGS.get(name)
    if found is None:
        found = _parsed(path, text)
        FINDINGS.put(name, found)
    return found


def _parsed(path: str, text: str) -> Module:
    """Parse a text. The compiler finds what the parser does not: a stray return."""
    tree = ast.parse(text)
    compile(tree, "<module>", "exec", dont_inherit=True)
    functions = {
        node.name: "" if node.returns is None else ast.unparse(node.returns).strip("'\"")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    nodes, running = every(tree), surrounded(tree)
    names = [name for _, name in imported(path, running)]
    return Module(
        imports=tuple(names),
        wanted=wanted(path, tree, running),
        reads=tuple(reads(tree, nodes)),
        defined=defined(path, nodes),
        functions=functions,
    )
