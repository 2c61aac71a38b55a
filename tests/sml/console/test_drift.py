"""Drift in the console: what was checked, and what was captured today."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from sml.console.captured import Captured
from sml.console.source import Source
from tests.functions.core.watching.rows import DAY, VERSION, Service, named
from tests.functions.core.watching.rows import MODEL as TUMOUR
from tests.functions.core.watching.told import Callers, contract
from tests.sml.console.browser import Browser
from tests.sml.staged import MODEL, Staged

PAGE = f"/models/{TUMOUR}/drift"


@pytest.fixture
def watched(staged: Staged, source: Source) -> Service:
    del source
    staged.outputs["models"][TUMOUR] = staged.outputs["models"][MODEL]
    Live(staged.registry, TUMOUR).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))
    return Service(models=staged.registry, captures=staged.stores["s3://captures-1"])


def test_the_newest_check_is_shown_with_each_column_drawn(watched: Service, browser: Browser) -> None:
    for day in range(2):
        watched.ask(day, 600, shift=2.0)
        watched.check(day)
    shown = browser.get(PAGE)
    assert f"Drift drifted confirmed day today, so far {named(1)} {named(0)} Show {named(1)}" in shown.text
    assert "600 rows of 600 requests: drifted: " in shown.text
    assert shown.html.count('<svg class="pairs"') == 5
    assert "and more: 10.0% in training, " in shown.html
    assert "confirmed" not in browser.get(f"{PAGE}?day={named(0)}").text


def test_what_was_captured_today_is_compared_on_the_spot(watched: Service, browser: Browser) -> None:
    watched.ask((datetime.now(UTC).date() - DAY.date()).days, 600)
    assert "600 rows of 600 requests: as in training" in browser.get(f"{PAGE}?day=now").text
    assert watched.checks.days() == []


def test_before_the_first_check_and_without_rows_the_page_says_so(watched: Service, browser: Browser) -> None:
    empty = browser.get(PAGE)
    assert "No day of tumour was checked yet" in empty.text
    assert f'<a href="{PAGE}?day=now">' in empty.html
    assert "Rows are captured of the share of requests that the setting capture.inputs names" in (
        browser.get(f"{PAGE}?day=now").text
    )
    missing = browser.get(f"{PAGE}?day=2026-01-01")
    assert (missing.status, "2026-01-01 was not checked" in missing.text) == (409, True)


def test_the_quality_of_a_day_stands_beside_what_the_holdout_promised(watched: Service, browser: Browser) -> None:
    callers = Callers(service=watched, contract=contract({"minimum": 0.8}))
    callers.tell(0, callers.truths(watched.ask(0, 120), wrong=0.5))
    callers.qualities.settle(named(0))
    callers.checks.write(named(0), callers.checks.check(named(0), VERSION))
    shown = browser.get(PAGE)
    assert "Quality below" in shown.text
    assert "beyond its floor of 0.8, and by more than chance" in shown.text
    assert "metric callers 95 of 100 holdout 95 of 100 roc_auc 0." in shown.text
    assert "0.98 to 1" in shown.text


def test_truths_and_labelled_rows_are_no_captured_requests(watched: Service) -> None:
    callers = Callers(service=watched)
    callers.tell(0, callers.truths(watched.ask(0, 60)))
    callers.qualities.settle(named(0))
    newest = Captured(watched.captures).newest(TUMOUR, 100)
    assert len(newest) == 60
    assert {one["variant"] for one in newest} == {"champion"}


def test_a_redacted_column_is_named_as_not_compared(watched: Service, browser: Browser) -> None:
    watched.ask(0, 600, redacted=("age",))
    watched.check(0)
    assert "Not compared, as captures leave it out or hold a digest of it: age." in browser.get(PAGE).text
