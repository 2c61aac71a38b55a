"""Which files a module reads by a path that is written out in its text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

READERS = frozenset({"open", "read_text", "read_bytes", "read_csv", "read_parquet", "read_json", "load", "loadtxt"})
"""Calls that read the file that their first argument names, or that they are called on."""
FILE = "__file__"
SAME = frozenset({"resolve", "absolute", "Path", "PurePath", "str", "abspath", "realpath", "fspath"})


@dataclass(frozen=True, kw_only=True)
class Read:
    """One path in a module's text."""

    line: int
    path: str
    """With slashes; relative to the module's folder, or else to the working directory."""
    beside: bool
    """Whether it begins at the module's own file."""


def reads(tree: ast.Module, nodes: Iterable[ast.AST]) -> Iterator[Read]:
    """Yield the paths that begin at `__file__`, and the relative ones that are opened for reading, of all its nodes.

    Names at the top of the module that stand for such a path are followed.
    """
    known: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            path = _path(node.value, known)
            if path is not None:
                known[node.targets[0].id] = path
    for node in nodes:
        if isinstance(node, (ast.BinOp, ast.Call)):
            path = _path(node, known)
            if path is not None:
                yield Read(line=node.lineno, path=path, beside=True)
            elif isinstance(node, ast.Call) and (plain := _opened(node)) is not None:
                yield Read(line=node.lineno, path=plain, beside=False)


def _path(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """Return the path that an expression stands for, from the folder of `__file__`; None for any other expression.

    "" is that folder, and `__file__` the module's own file.
    """
    if isinstance(node, ast.Name):
        return FILE if node.id == FILE else known.get(node.id)
    if isinstance(node, ast.Attribute):
        return _parent(_path(node.value, known)) if node.attr == "parent" else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _joined(_path(node.left, known), [_text(node.right)])
    if isinstance(node, ast.Call):
        return _of_call(node, known)
    return None


def _of_call(node: ast.Call, known: Mapping[str, str]) -> str | None:
    function = node.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    on = _path(function.value, known) if isinstance(function, ast.Attribute) else None
    first = _path(node.args[0], known) if node.args else None
    if name in SAME:
        return first if node.args else on
    if name == "dirname":
        return _parent(first)
    if name == "join":
        return _joined(first, [_text(argument) for argument in node.args[1:]])
    if name == "joinpath":
        return _joined(on, [_text(argument) for argument in node.args])
    if name == "with_name" and node.args:
        return _joined(_parent(on), [_text(node.args[0])])
    return None


def _opened(node: ast.Call) -> str | None:
    """Return the relative path that a call reads, where it is written out in it."""
    function = node.func
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name not in READERS:
        return None
    mode = next((_text(keyword.value) for keyword in node.keywords if keyword.arg == "mode"), None)
    mode = mode or (_text(node.args[1]) if name == "open" and len(node.args) > 1 else None)
    if mode and set(mode) & set("wax+"):
        return None
    named = node.args[0] if node.args else None
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call) and function.value.args:
        made = function.value.func
        if isinstance(made, ast.Name) and made.id == "Path":
            named = function.value.args[0]
    text = _text(named)
    return text if text and not text.startswith(("/", "~")) and "://" not in text else None


def _parent(path: str | None) -> str | None:
    if path is None:
        return None
    if path == FILE:
        return ""
    head, _, tail = path.rpartition("/")
    return head if tail and tail != ".." else f"{path}/..".removeprefix("/")


def _joined(base: str | None, parts: list[str | None]) -> str | None:
    if base is None or base == FILE or not parts or None in parts:
        return None
    return "/".join(part for part in (base, *parts) if part)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
