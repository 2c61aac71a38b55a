"""A healthy model is hardly ever called drifted, and the page has what years of it come to."""

from __future__ import annotations

import re

import pytest

from bench import healthy_year
from bench.healthy_year import Case, simulate


@pytest.mark.parametrize("case", healthy_year.CASES[:2], ids=lambda case: case.name)
def test_in_a_year_of_a_healthy_model_nobody_is_told_anything(case: Case) -> None:
    found = simulate(case, years=1, columns=5)
    assert found.drifted <= 0.01
    assert found.told == 0


def test_rows_of_few_callers_that_are_alike_are_called_drifted_as_the_page_says() -> None:
    """The simulation can find false alarms: here the rows are not independent, as the bound takes requests to be."""
    alike = Case(trained=1_000, requests=500, callers=3, likeness=0.6)
    assert simulate(alike, years=1, columns=5).drifted > 0.1


def test_the_page_has_a_row_for_each_case() -> None:
    page = healthy_year.PAGE.read_text(encoding="utf-8")
    block = re.search(r"<!-- bench.healthy_year: healthy -->\n(.*?)<!-- end -->", page, re.DOTALL)
    assert block is not None
    named = [line.split("|")[1].strip() for line in block[1].splitlines()[2:]]
    assert named == [case.name for case in healthy_year.CASES]
