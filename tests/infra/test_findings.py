from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from infra import sources
from infra.findings import FILE, MOST, Findings
from infra.sources import EVERY, ROOT, module

NUMBERS = TypeAdapter(dict[str, list[int]])


@pytest.fixture
def code(tmp_path: Path) -> Path:
    file = tmp_path / "code.py"
    file.write_text("the rules\n", encoding="utf-8")
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "not" / "there yet"


def run(folder: Path, code: Path, *texts: str) -> list[str]:
    """Look into texts as one run does, and return those that no run before has looked into."""
    findings, new = Findings(NUMBERS, [str(code)]), []
    with findings.kept(folder):
        for text in texts:
            name = findings.name("a.py", text)
            if findings.get(name) is None:
                new.append(text)
                findings.put(name, [len(text)])
            assert findings.get(name) in (None, [len(text)])
    return new


def test_a_text_is_looked_into_once(folder: Path, code: Path) -> None:
    assert run(folder, code, "one", "two") == ["one", "two"]
    assert run(folder, code, "two", "three", "one") == ["three"]
    assert run(folder, code, "one", "two", "three") == []
    assert [file.name for file in folder.iterdir()] == [FILE]


def test_a_text_is_looked_into_again_by_other_code_and_in_another_file(folder: Path, code: Path) -> None:
    findings = Findings(NUMBERS, [str(code)])
    assert findings.name("a.py", "one") != findings.name("b.py", "one")
    run(folder, code, "one")
    code.write_text("other rules\n", encoding="utf-8")
    assert run(folder, code, "one") == ["one"]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"x": "no list"}', b"\xff"], ids=["empty", "cut", "other", "bytes"])
def test_a_damaged_file_is_as_good_as_none(folder: Path, code: Path, damage: bytes) -> None:
    run(folder, code, "one")
    (folder / FILE).write_bytes(damage)
    assert run(folder, code, "one") == ["one"]
    assert run(folder, code, "one") == []


def test_where_nothing_can_be_kept_a_run_ends_as_anywhere(folder: Path, code: Path) -> None:
    folder.parent.write_text("no folder", encoding="utf-8")
    assert run(folder, code, "one") == ["one"]


def test_the_last_that_were_used_are_kept(folder: Path, code: Path) -> None:
    run(folder, code, *map(str, range(MOST)))
    run(folder, code, "0", "new")
    assert run(folder, code, "0", "new", str(MOST - 1)) == []
    assert run(folder, code, "1") == ["1"]


def test_what_is_kept_of_a_module_is_what_its_text_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every module that may be in an archive, with imports of every kind and files that are read."""
    files = sorted(file for part in sources.OURS for file in (ROOT / part).rglob("*.py"))
    kinds = tmp_path / "kinds.py"
    kinds.write_text(
        "try:\n    import a\nexcept ImportError:\n    from b import c\nHERE = open('x.csv')\ndef f() -> int: ...\n"
    )
    said = []
    for _ in range(2):
        sources._module.cache_clear()
        monkeypatch.setattr(sources, "FINDINGS", Findings(EVERY, ()))
        with sources.FINDINGS.kept(tmp_path):
            said.append([*(module(file) for file in files), module(kinds, tmp_path)])
        monkeypatch.setattr(ast, "parse", lambda *_: pytest.fail("it was parsed before"))
    assert said[0] == said[1]
    assert [len(said[1][-1].wanted), len(said[1][-1].reads), dict(said[1][-1].functions)] == [2, 1, {"f": "int"}]
    sources._module.cache_clear()
