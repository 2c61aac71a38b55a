"""What a tuning prints, as a table, as JSON and as a page."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

from sml.tune.chart import Point, chart
from sml.tune.measured import Measured
from sml.tune.report import COLUMNS, Tuned, render
from sml.tune.trial import Call
from tests.sml.tune.samples import measured, size


def tuned(*sizes: Measured) -> Tuned:
    return Tuned(
        function="predict",
        model="penguins",
        version="v1",
        where="stack dev, eu-west-1",
        proves="what <it> shows",
        measured=sizes,
        purpose="cost",
        calls=50,
    )


WHOLE = tuned(
    Measured(size=size(128), problem="out of memory"),
    measured(
        512, 20, 40, cold=[Call(status=200, ms=900)], batch=[Call(status=200, ms=80, memory_mb=97)], batch_rows=100
    ),
    measured(1024, 30, 40),
    measured(1769, 9, 10, deployed=True),
)


def test_a_row_has_its_figures_and_what_it_is_marked_as() -> None:
    small, first, second, third = WHOLE.rows()
    assert (small["mark"], "p95_ms" in small) == ("out of memory", False)
    assert (first["mark"], second["mark"], third["mark"]) == ("best, pareto", "", "pareto, deployed")
    assert (first["p50_ms"], first["p95_ms"], first["cold_ms"], first["batch_ms"], first["used_mb"]) == (
        20,
        40,
        900,
        80,
        97,
    )
    assert set(first) - {"deployed"} <= set(COLUMNS)


def test_json_says_all_of_it() -> None:
    document = json.loads(json.dumps(WHOLE.document()))
    assert (document["best_mb"], document["purpose"], document["batch_rows"]) == (512, "cost", 100)
    assert [one["pareto"] for one in document["sizes"]] == [False, True, False, True]
    assert document["sizes"][0]["problem"] == "out of memory"
    assert document["advice"].startswith("512 MB instead of 1,769: ")
    assert "2026-11-24" in document["bill"]


def test_the_page_needs_no_other_file_and_shows_each_size_in_both_charts() -> None:
    page = render(WHOLE).decode()
    drawn = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(drawn) == 2
    for one in drawn:
        root = ElementTree.fromstring(one)  # noqa: S314 - it is our own
        titles = [node.text or "" for node in root.iter("title")]
        assert [title.partition(":")[0] for title in titles] == ["512 MB", "1,024 MB", "1,769 MB"]
    assert "what &lt;it&gt; shows" in page
    assert not re.search(r'(?:src|href)="', page)
    assert "out of memory" in page


def test_without_prices_there_is_no_chart_and_it_is_said() -> None:
    page = render(tuned(Measured(size=size(512, priced=False), warm=measured(512, 10).warm))).decode()
    assert "<svg" not in page
    assert "no price for the region" in page


def test_where_no_size_fits_there_is_a_page_too() -> None:
    whole = tuned(Measured(size=size(128), problem="out of memory"))
    assert (whole.chosen, "No size fits" in render(whole).decode()) == (None, True)


def test_of_two_points_at_one_place_the_names_do_not_meet() -> None:
    points = [Point(x=1.0, y=2.0, name=f"{at},000", title="t", good=True, deployed=False) for at in range(3)]
    places = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" style', chart(points, "USD", "ms"))
    assert len(set(places)) == 3


def test_points_lie_within_the_drawing_however_far_they_are_apart() -> None:
    points = [
        Point(x=x, y=y, name="n", title="t", good=True, deployed=True) for x, y in ((0.001, 400), (5, 1), (0.1, 9))
    ]
    root = ElementTree.fromstring(chart(points, "USD", "ms"))  # noqa: S314 - it is our own
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    dots = [(float(node.attrib["cx"]), float(node.attrib["cy"])) for node in root.iter("circle")]
    assert len(dots) == 6
    assert all(0 < x < width and 0 < y < height for x, y in dots)
