"""Files as syntax trees: what the rules about the tree of files read."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from infra.imports import LOADERS, called, dotted, imported, known, surrounded

FILE_LOADERS: Final = (
    "importlib.machinery.SourceFileLoader",
    "importlib.util.spec_from_file_location",
    "runpy.run_path",
)
"""Functions that load a module by the path of its file."""


def files(root: Path, *folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield every Python file below the folders: its path from the root, and its syntax tree."""
    start = len(str(root)) + 1
    for folder in folders:
        for path in sorted(_below(f"{root}/{folder}")):
            found = os.stat(path)  # noqa: PTH116 - a rule reads every file, and there are many rules
            yield path[start:], _tree_at(path, found.st_ino, found.st_mtime_ns, found.st_size)


def _below(folder: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        elif entry.name.endswith(".py"):
            yield entry.path


@lru_cache(maxsize=4096)
def _tree_at(path: str, *_state: int) -> ast.Module:
    return tree_of(Path(path).read_text(encoding="utf-8"))


@lru_cache(maxsize=2048)
def tree_of(text: str) -> ast.Module:
    """Parse a text once: every rule reads the same trees, and changes none."""
    return ast.parse(text)


@lru_cache(maxsize=2048)
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return every node of a tree, walked once."""
    return tuple(ast.walk(tree))


def module_name(path: str) -> str:
    """Return the dotted name of a file."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@lru_cache(maxsize=2048)
def run_nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """Return every node of a tree that may run: not what only a type checker reads."""
    return tuple(surrounded(tree))


@lru_cache(maxsize=4096)
def imports(path: str, tree: ast.Module, *, typing: bool = True) -> tuple[tuple[int, str], ...]:
    """Return everything a file imports, at any depth of its code: line and absolute dotted name.

    What only a type checker sees is left out unless `typing`.
    """
    walked = nodes(tree) if typing else run_nodes(tree)
    return tuple((getattr(node, "lineno", 0), name) for node, name in imported(path, walked))


@lru_cache(maxsize=4096)
def uses(path: str, tree: ast.Module, *, typing: bool = True) -> tuple[tuple[int, str], ...]:
    """Return everything a file imports or names, whatever it calls it: line and absolute dotted name.

    Among them are the functions that Python has built in: `eval`.
    """
    walked = nodes(tree) if typing else run_nodes(tree)
    names = known(path, walked)
    named = [
        (node.lineno, name)
        for node in walked
        if isinstance(node, (ast.Attribute, ast.Name, ast.Call))
        for name in dotted(node, names)
    ]
    return tuple(dict.fromkeys((*imports(path, tree, typing=typing), *named)))


@lru_cache(maxsize=2048)
def computed_imports(path: str, tree: ast.Module) -> tuple[tuple[int, str], ...]:
    """Return where a file loads a module whose name is not written out: line and function."""
    names = known(path, nodes(tree))
    written = {id(node.func) for node in nodes(tree) if isinstance(node, ast.Call) and called(path, node, names)}
    loaders = {*LOADERS, *FILE_LOADERS}
    return tuple(
        (node.lineno, name)
        for node in nodes(tree)
        if isinstance(node, (ast.Attribute, ast.Name, ast.Call)) and id(node) not in written
        for name in dotted(node, names)
        if name in loaders
    )


@lru_cache(maxsize=2048)
def texts(tree: ast.Module) -> tuple[tuple[int, str], ...]:
    """Return the texts of a file that are values, not its prose: line and text."""
    prose = {id(node.value) for node in nodes(tree) if isinstance(node, ast.Expr)}
    return tuple(
        (node.lineno, node.value)
        for node in nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    )


def adapters(root: Path) -> set[tuple[str, str]]:
    """Return module and function of the `adapter` of every trigger."""
    path = root / "infra" / "function_spec.py"
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    stated = [
        node.value.value
        for kind in tree.body
        if isinstance(kind, ast.ClassDef)
        for node in kind.body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant)
        if "adapter" in {ast.unparse(target) for target in getattr(node, "targets", [getattr(node, "target", None)])}
        if isinstance(node.value.value, str)
    ]
    return {(module, name) for module, _, name in (adapter.partition(".") for adapter in stated)}
