from __future__ import annotations

import builtins
from pathlib import Path

import pytest

from tests.architecture import ROOMS
from tests.docs.exceptions import OUTSIDE, Raisable, defined, tree
from tests.docs.page import blocks, rows
from tests.root import ROOT

PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")


def drawn() -> list[tuple[str, str]]:
    return tree(next(block.text for block in blocks(PAGE) if block.text.startswith("Exception\n")))


def is_ours(name: str) -> bool:
    return name not in OUTSIDE and not hasattr(builtins, name)


def test_every_exception_is_in_the_tree_below_its_base_and_no_other() -> None:
    ours = sorted((name, base) for name, base in drawn() if is_ours(name))
    assert ours == sorted((one.name, one.base) for one in defined(ROOT))


def test_the_tree_is_that_of_the_language_where_it_is_not_ours() -> None:
    for name, base in drawn():
        if base and not is_ours(name) and name not in OUTSIDE:
            assert issubclass(getattr(builtins, name), getattr(builtins, base)), name


def test_every_exception_has_a_row_that_says_who_raises_catches_and_sees_it() -> None:
    found = rows(TEXT, "exception")
    assert all(len(row) == 5 and all(row) for row in found)
    listed = sorted((row[0].strip("`"), row[1].strip("`")) for row in found)
    assert listed == sorted((one.name, one.path) for one in defined(ROOT))


def test_every_room_has_a_row_in_the_order_of_imports() -> None:
    assert [row[0] for row in rows(TEXT, "room")] == [f"`functions/core/{room}/`" for room in ROOMS]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class Bad(ValueError): ...", {"Bad"}),
        ("class Bad(KeyError): ...\nclass Worse(Bad): ...", {"Bad", "Worse"}),
        ("import pulumi\nclass Bad(pulumi.RunError): ...", {"Bad"}),
        ("class Good(dict): ...\nclass Better: ...", set()),
        ("def f():\n    class Inner(Exception): ...", {"Inner"}),
    ],
)
def test_an_exception_is_found_wherever_it_is_defined(source: str, names: set[str], tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "some.py").write_text(source, encoding="utf-8")
    assert {one.name for one in defined(tmp_path)} == names
    assert all(isinstance(one, Raisable) and one.path == "functions/some.py" for one in defined(tmp_path))


def test_a_tree_is_read_by_its_indentation() -> None:
    assert tree("A\n    B\n        C\n    D\n") == [("A", ""), ("B", "A"), ("C", "B"), ("D", "A")]
