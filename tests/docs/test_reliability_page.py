from __future__ import annotations

import inspect
import re

from functions.core.release import damage, supervisor
from tests.root import ROOT

PAGE = ROOT / "docs" / "reliability.md"
TEXT = PAGE.read_text(encoding="utf-8")
TEST = re.compile(r"`(test_\w+)(?:\[[^`]*\])?`")
METRIC = re.compile(r"`([A-Z][a-z]+[A-Z][A-Za-z]+)`")


def test_every_test_that_the_page_names_is_there() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    named = TEST.findall(TEXT)
    assert len(named) > 25
    assert [name for name in named if f"def {name}(" not in sources] == []


def test_every_row_of_what_happens_names_its_test() -> None:
    rows = [line for line in TEXT[TEXT.index("## Executions that end") :].splitlines() if line.startswith("|")]
    told = [row for row in rows if "| test |" not in row and not row.startswith("| --- |")]
    assert [row for row in told if not TEST.search(row)] == []


def test_every_metric_of_the_supervisor_is_on_the_page_and_no_other() -> None:
    sources = "".join(inspect.getsource(module) for module in (damage, supervisor))
    logged = set(re.findall(r'"([A-Z][a-z]+[A-Z]\w+)"', sources))
    assert logged <= set(METRIC.findall(TEXT))
    section = TEXT[TEXT.index("## The supervisor") : TEXT.index("## Executions that end")]
    assert set(METRIC.findall(section)) == logged
