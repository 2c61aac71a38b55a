from __future__ import annotations

import io
import json
import math
from xml.etree import ElementTree

import pytest
from rich.console import Console

from bench import report
from bench.chart import MISSED, REACHED, chart
from bench.measure import Spread
from bench.row import Missing, Row

FAST = Row(
    group="cold start",
    name="time",
    against="a peer & more",
    figure=Spread(median=0.4, low=0.3, high=0.5, n=12),
    target=0.45,
    value=Spread(median=91.23456, low=80, high=120, n=12),
    control=1.013,
)
SLOW = Row(
    group="cold start", name="fetch", against="a peer", figure=Spread(median=1.2, low=1.1, high=1.3, n=8), target=1.05
)
ADDED = Row(
    group="warm",
    name="1 row",
    against="raw",
    figure=Spread(median=22, low=20, high=30, n=15),
    unit="us",
    target=25,
    noise=-0.3,
)
GONE = Missing(group="cold start", name="TensorFlow", reason="no wheel for this platform")


def test_a_record_says_what_the_table_says() -> None:
    record = FAST.record()
    assert {"name", "ratio", "target", "median", "min", "max", "n", "control"} <= set(record)
    assert (record["ratio"], record["median"], record["of"], record["reached"]) == (0.4, 91.23, "ms", True)
    assert SLOW.record()["reached"] is False
    assert ADDED.record()["of"] == "us"


def test_the_table_names_a_peer_that_is_missing_and_every_verdict() -> None:
    console = Console(file=io.StringIO(), width=150)
    console.print(report.table([FAST, SLOW, GONE, ADDED]))
    printed = console.file.getvalue() if isinstance(console.file, io.StringIO) else ""
    assert "missing: no wheel for this platform" in printed
    assert printed.count("reached") == 2
    assert printed.count("missed") == 1
    assert "+22 us" in printed
    assert "-0.3 us" in printed


def test_the_page_and_the_document_carry_machine_versions_and_every_row() -> None:
    document = report.document([FAST, GONE, ADDED])
    assert json.loads(json.dumps(document)) == document
    assert set(document["versions"]) == {"python", *report.VERSIONS}
    page = report.page(document)
    assert [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")][2:] == [
        "| **cold start**",
        "| time",
        "| TensorFlow",
        "| **warm**",
        "| 1 row",
    ]
    assert "benchmarks.svg" in page


def test_the_chart_is_well_formed_and_draws_each_ratio_in_its_verdicts_colour() -> None:
    root = ElementTree.fromstring(chart([row.record() for row in (FAST, SLOW, GONE, ADDED)]))  # noqa: S314 - our own
    bars = [element for element in root.iter("{http://www.w3.org/2000/svg}rect") if float(element.get("x") or 0) > 400]
    assert [bar.get("fill") for bar in bars] == [REACHED, MISSED]
    widths = [float(bar.get("width") or 0) for bar in bars]
    shares = [abs(math.log(row.figure.median)) for row in (FAST, SLOW)]
    assert widths[1] / widths[0] == pytest.approx(shares[1] / shares[0], rel=0.01)
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"time / a peer & more", "cold start", "1, the same"} <= set(texts)
