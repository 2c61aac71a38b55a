from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.page import rows
from tests.root import ROOT

ROWS = rows((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), "word")


def names(source: str) -> Iterator[str]:
    """What a module defines at its top level: its classes, functions and constants."""
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def complaint(code: str, root: Path) -> str | None:
    """What is wrong with a code name `path: name`; None if it is there."""
    path, _, name = code.strip("`").partition(": ")
    if not (root / path).is_file():
        return f"{path} does not exist"
    if name not in set(names((root / path).read_text(encoding="utf-8"))):
        return f"{path} defines no {name!r}"
    return None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_word_is_where_the_glossary_says(row: list[str]) -> None:
    word, meaning, code = row
    assert word
    assert meaning
    assert complaint(code, ROOT) is None


def test_words_are_in_order_and_each_is_listed_once() -> None:
    words = [row[0].lower() for row in ROWS]
    assert len(words) > 50
    assert words == sorted(set(words))


def test_a_name_that_is_gone_is_seen(tmp_path: Path) -> None:
    text = "class A:\n    x = 1\n    def f(self):\n        y = 2\nB: int = 1\nC = 2\ndef g():\n    z = 3\n"
    (tmp_path / "some.py").write_text(text, encoding="utf-8")
    assert [complaint(f"`some.py: {name}`", tmp_path) for name in ("A", "B", "C", "g")] == [None] * 4
    for name in ("f", "x", "y", "z"):
        assert complaint(f"`some.py: {name}`", tmp_path) == f"some.py defines no {name!r}"
    assert complaint("`some.py: D`", tmp_path) == "some.py defines no 'D'"
    assert complaint("`some.py`", tmp_path) == "some.py defines no ''"
    assert complaint("`other.py: A`", tmp_path) == "other.py does not exist"
