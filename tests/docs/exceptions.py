"""The exceptions that our own modules define, read from their sources."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.architecture import PACKAGES, files


class Raisable(NamedTuple):
    """An exception class: its name, the name of its base as it is written there, and its file."""

    name: str
    base: str
    path: str


OUTSIDE: Final = {"pulumi.RunError"}
"""Exceptions of packages, from which ours derive."""


def defined(root: Path) -> set[Raisable]:
    """Every class below infra/, functions/, models/ and localcloud/ that derives from an exception, at any depth."""
    classes = [
        Raisable(node.name, ast.unparse(base), path)
        for path, tree in files(root, *PACKAGES)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    ]
    found: set[Raisable] = set()
    while more := set(_deriving(classes, {raisable.name for raisable in found})) - found:
        found |= more
    return found


def _deriving(classes: list[Raisable], known: set[str]) -> Iterator[Raisable]:
    for one in classes:
        kind = getattr(builtins, one.base, None)
        if one.base in OUTSIDE | known or (isinstance(kind, type) and issubclass(kind, BaseException)):
            yield one


def tree(text: str) -> list[tuple[str, str]]:
    """The names of an indented tree, four spaces a level, each with the name it stands below; "" at the top."""
    above: list[str] = []
    found = []
    for line in text.splitlines():
        level, name = (len(line) - len(line.lstrip())) // 4, line.strip()
        del above[level:]
        found.append((name, above[-1] if above else ""))
        above.append(name)
    return found
