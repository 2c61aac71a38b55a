"""Files as syntax trees: what the rules about the tree of files read."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path


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


@lru_cache(maxsize=4096)
def imports(path: str, tree: ast.Module, *, typing: bool = True) -> tuple[tuple[int, str], ...]:
    """Return everything a file imports, at any depth of its code: line and absolute dotted name.

    What only a type checker sees is left out unless `typing`.
    """
    walked = nodes(tree) if typing else _executed(tree)
    return tuple((getattr(node, "lineno", 0), name) for node in walked for _, name in bound(path, node))


def bound(path: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield what an import statement binds: the name that is known in the file, and its absolute dotted name."""
    if isinstance(node, ast.Import):
        yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = path.removesuffix(".py").removesuffix("/__init__").split("/")
        if not path.endswith("__init__.py"):
            package = package[:-1]
        start = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*start, *([node.module] if node.module else [])])
        yield from ((alias.asname or alias.name, f"{base}.{alias.name}") for alias in node.names)


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from _executed(child)


def adapters(root: Path) -> set[tuple[str, str]]:
    """Return module and function of the `adapter` of every trigger."""
    path = root / "infra" / "function_table.py"
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
