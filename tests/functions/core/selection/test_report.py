from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from functions.core.training.processor import processor
from tests.functions.bench import CONTRACT, MODEL, Bench, csv, rows


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(folder=tmp_path)
    found.write_model()
    return found


class Page(HTMLParser):
    """Which elements and attributes a page has, and whether every element is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_file_and_every_text_is_escaped(bench: Bench) -> None:
    _, answer = bench.run_through(csv())
    text = bench.models.get(f"{MODEL}/versions/{answer['version']}/report.html").decode()
    page = Page(text)
    assert page.open == []
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}
    assert not {name for name, _ in page.attributes} & {"src", "href", "onclick", "onload", "onerror"}
    assert "url(" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert {"h1", "h2", "table", "caption", "svg", "title", "dl"} <= page.tags
    assert ("scope", "row") in page.attributes
    assert ("lang", "en") in page.attributes


def test_the_report_shows_the_split_and_what_may_be_a_leak(bench: Bench) -> None:
    features = [*CONTRACT["features"], {"name": "sold", "kind": "boolean"}]
    bench.write_model(features=features)
    content = [[*row, row[3] == "yes"] for row in rows()]
    _, answer = bench.run_through(csv(content, ("size", "weight", "colour", "ripe", "sold")))
    text = bench.models.get(f"{MODEL}/versions/{answer['version']}/report.html").decode()
    assert "<dt>split</dt><dd>at random: 18 of 90 rows kept out; 3 folds of 24 rows</dd>" in text
    assert "<dt>look at</dt><dd>sold is a copy of ripe</dd>" in text


def test_the_report_shows_data_experiments_gate_and_holdout(bench: Bench) -> None:
    _, answer = bench.run_through(csv(rows(90) + rows(4)))
    text = bench.models.get(f"{MODEL}/versions/{answer['version']}/report.html").decode()
    for said in (answer["version"], "passed the gate", "margin over the champion", "colour = red", "ridge=0.1"):
        assert said in text
    assert f"<dt>computed on</dt><dd>{processor()['architecture']}" in text
    assert "<dt>copies of other rows</dt><dd>4</dd>" in text
    assert "ROC curve with an area of" in text
    assert {"Precision by recall", "Calibration", "Partial dependence on size"} <= set(
        re.findall("<title>(.*?)</title>", text)
    )
    assert re.search(
        r"<h2>Model card</h2>.*<dt>measured</dt><dd>roc_auc 0\.\d+ \(0\.\d+ to [01][.\d]*\)", text, re.DOTALL
    )
    importances = re.findall(
        r'<th scope="row">(\w+)</th><td class="n">[-\d.e]+</td><td class="n">[\d.e-]+</td><td><svg', text
    )
    assert sorted(importances) == ["colour", "size", "weight"]
    assert importances[0] == "size"
