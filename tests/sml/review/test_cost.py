from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from sml.review.cost import Cost
from sml.review.report import Line

UNITS = ("thousand_predictions", "training_run", "job", "idle_month", "month")


def figure(usd: float | None, grams: float | None) -> dict[str, Any]:
    spread = None if grams is None else {"low": grams / 2, "central": grams, "high": grams * 2}
    return {"usd": usd, "kwh": spread, "operational_grams": spread, "embodied_grams": spread, "grams": spread}


def estimate(usd: float | None = 41, grams: float | None = 1200, **more: Any) -> dict[str, Any]:
    """An estimate in format 1, as `python -m localcloud estimate --json` prints it."""
    row = {
        "component": "predict",
        "name": "predict-function",
        "type": "cloud:a/b:Function",
        "month": figure(usd, grams),
    }
    return {
        "format": 1,
        "prices": {"base": "over-there", "read_on": "2026-11-29", "standing_in": ["api.request"], "old": []},
        "grid": {"said": "three publications", "readings": [{"source": "a grid", "grams": 403.0, "year": 2024}]},
        "assumptions": ["predictions a second: 1", "training runs a month: 4", "1,000 bytes of logs for a call"],
        "boundary": "functions",
        "remarks": [],
        "figures": {unit: figure(usd, grams) for unit in UNITS},
        "standing_usd": 1.0,
        "usage_usd": None if usd is None else usd - 1,
        "resources": [{**row, "standing_usd": 0.0, "usage_usd": usd}],
        "free_tiers": [],
        "not_priced": [],
        "alternatives": [],
        **more,
    }


def words(lines: Iterable[Line]) -> list[str]:
    return ["".join(line) for line in lines]


def rows(cost: Cost, title: str) -> list[str]:
    tables = [section.table for section in cost.sections() if section.title.startswith(title) and section.table]
    return [" | ".join("".join(line) for cell in row for line in cell) for table in tables for row in table.rows]


def test_the_first_line_says_both_sides_and_the_range() -> None:
    cost = Cost(base=estimate(), head=estimate(44.004, 1300))
    assert words(cost.first()) == ["USD/month 41.00 -> 44.00", "1.2 -> 1.3 kgCO2e/month (0.65-2.6)"]
    assert cost.differ
    assert not Cost(base=estimate(), head=estimate()).differ


def test_of_little_carbon_grams_are_told() -> None:
    assert words(Cost(base=estimate(), head=estimate(0.0123, 44.31)).first())[1] == (
        "1,200 -> 44.3 gCO2e/month (22.2-88.6)"
    )


def test_what_does_not_differ_is_told_once() -> None:
    assert words(Cost(base=estimate(), head=estimate()).first()) == [
        "USD/month 41.00",
        "1.2 kgCO2e/month (0.6-2.4)",
    ]
    assert rows(Cost(base=estimate(), head=estimate()), "Cost and carbon of each") == []
    folded = {
        section.title.partition(",")[0]: section.folded for section in Cost(base=estimate(), head=estimate()).sections()
    }
    assert folded["Cost and carbon"]
    assert not next(iter(Cost(base=estimate(), head=estimate(40)).sections())).folded


def test_what_nobody_knows_is_never_nothing() -> None:
    cost = Cost(base=estimate(), head=estimate(None, None))
    assert words(cost.first()) == ["USD/month 41.00 -> not known", "1,200 -> not known gCO2e/month"]
    assert "a month | 41.00 -> not known | 1,200 (600-2,400) -> not known" in rows(cost, "Cost and carbon, at")
    assert words(Cost(base=estimate(None), head=estimate()).first())[0] == "USD/month not known -> 41.00"


def test_how_much_more_is_told_beside_the_figures_with_what_was_assumed() -> None:
    cost = Cost(base=estimate(), head=estimate(38, remarks=["tariffs are old"]))
    (section, *_) = cost.sections()
    assert words(section.lines) == [
        "assumed: predictions a second: 1",
        "assumed: training runs a month: 4",
        "note: tariffs are old",
        "note: 1 price of over-there, for want of this region's",
    ]
    found = rows(cost, "Cost and carbon, at")
    assert "1,000 predictions | 41.00 -> 38.00 (-3.00) | 1,200 (600-2,400)" in found
    assert "of that standing, also when nobody asks | 41.00 -> 38.00 (-3.00) | 1,200 (600-2,400)" in found
    assert "of that by usage, at the traffic above | 40.00 -> 37.00 | " in found


def test_a_resource_whose_figures_do_not_differ_as_they_are_shown_has_no_row() -> None:
    assert rows(Cost(base=estimate(), head=estimate(41.0001)), "Cost and carbon of each") == []


def test_a_resource_that_one_side_has_alone_costs_nothing_on_the_other() -> None:
    cost = Cost(base=estimate(resources=[]), head=estimate())
    assert rows(cost, "Cost and carbon of each") == [
        "predict-function Function | none -> 0.00 | none -> 41.00 | none -> 1,200 (600-2,400)"
    ]


def test_a_base_that_nobody_estimated_leaves_the_head_alone() -> None:
    cost = Cost(base={}, head=estimate())
    assert words(cost.first()) == ["USD/month 41.00", "1.2 kgCO2e/month (0.6-2.4)"]
    assert words(cost.not_analysed()) == ["Cost and carbon of the base: not estimated."]
    assert not cost.differ


@pytest.mark.parametrize("head", [{}, {"format": 1, "figures": {}, "remarks": ["nobody has said what nimbus charges"]}])
def test_a_head_without_an_estimate_says_so(head: dict[str, Any]) -> None:
    cost = Cost(base=estimate(), head=head)
    assert (list(cost.first()), list(cost.sections())) == ([], [])
    assert words(cost.not_analysed()) == ["Cost and carbon: not estimated by this commit.", *head.get("remarks", [])]


def test_what_is_not_priced_is_listed_by_name_and_the_rest_is_counted() -> None:
    missing = {"what": "cloud:a/b:Topic", "names": ["a", "b", "c", "d", "e"], "why": "no price"}
    cost = Cost(base=estimate(), head=estimate(not_priced=[missing]))
    assert words(cost.not_analysed()) == ["Not priced: cloud:a/b:Topic a b c and 2 more: no price"]


def test_an_alternative_says_what_it_saves_and_under_which_condition() -> None:
    other = {
        "setting": "memory_mb",
        "now": "1769",
        "other": "512",
        "usd": 0.7,
        "grams": -11.1,
        "condition": "if it fits",
    }
    (section,) = [
        one for one in Cost(base={}, head=estimate(alternatives=[other])).sections() if "greener" in one.title
    ]
    assert words(section.lines) == ["memory_mb 1769 -> 512: 0.7 USD less, 11.1 gCO2e more a month, if it fits"]


def test_the_last_line_has_the_dates() -> None:
    assert "".join(Cost(base={}, head=estimate()).dates()) == (
        "; prices as read on 2026-11-29; grid intensities of 2024"
    )
