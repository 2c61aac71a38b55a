"""The canary as it goes, and the requests that were captured."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from functions.core.registry.pointer import advance, begin, begin_shadow, promote
from functions.core.watching.compaction import Compaction
from sml.console.source import Source
from tests.sml.console.browser import Browser
from tests.sml.console.recorded import capture, first, live
from tests.sml.staged import MODEL, Staged


def canary(staged: Staged, now: float) -> None:
    for number in range(20):
        at = now - 30 + number
        capture(staged, at, variant="champion", version="v1", ms=2.0)
        capture(
            staged, at + 0.5, variant="challenger", version="v2", ms=4.0, agreed=1, champion={"version": "v1", "ms": 2}
        )
    capture(staged, now - 5, variant="challenger", version="v2", error="failed", champion={"version": "v1", "ms": 2})


def test_a_canary_is_shown_as_it_goes_from_what_was_captured(staged: Staged, source: Source, browser: Browser) -> None:
    del source
    now = time.time()
    canary(staged, now)
    live(staged, advance(begin(first(), "v2", "bb02", 10, now - 40), 50, now - 20, "10 requests agree"))
    shown = browser.get(f"/models/{MODEL}/canary")
    assert "The canary of penguins 50 % of the callers" in shown.text
    assert "10 requests agree" in shown.text
    assert shown.html.count('<svg class="chart"') == 3
    assert "50 % of the rows" in shown.text
    assert "errors 1," in shown.text
    assert 'class="path champion"' in shown.html
    assert "evidence" not in shown.text


def test_the_evidence_of_the_last_look_is_shown_with_the_canary_and_with_its_run(
    staged: Staged, browser: Browser
) -> None:
    weighing = {"against": 0.4, "against_needed": 20.0, "in_favour": 3.1, "in_favour_needed": 20.0}
    staged.run("bb02", status="canary", rollout={"reason": "so far", "evidence": {"weighing": weighing}})
    live(staged, begin(first(), "v2", "bb02", 10, time.time() - 40))
    for page in ("canary", "runs/bb02"):
        assert "evidence against 0.4 of 20 needed, for 3.1 of 20 needed" in browser.get(f"/models/{MODEL}/{page}").text


def test_a_shadow_and_a_release_that_is_over_are_shown_too(staged: Staged, source: Source, browser: Browser) -> None:
    del source
    now = time.time()
    canary(staged, now)
    live(staged, begin_shadow(first(), "v2", "bb02", 20, now - 40))
    assert "shadow, 20 % of the requests" in browser.get(f"/models/{MODEL}/canary").text
    live(staged, promote(begin(first(), "v2", "bb02", 10, now - 40), now, "40 requests agree"))
    assert "The last release of penguins promoted" in browser.get(f"/models/{MODEL}/canary").text
    live(staged, first())
    assert "went by canary yet" in browser.get(f"/models/{MODEL}/canary").text


def test_a_canary_without_traffic_says_so(staged: Staged, browser: Browser) -> None:
    live(staged, begin(first(), "v2", "bb02", 10, time.time() - 40))
    assert "No request was captured" in browser.get(f"/models/{MODEL}/canary").text


def test_captured_requests_are_listed_the_newest_first_with_their_latency(
    staged: Staged, source: Source, browser: Browser
) -> None:
    del source
    assert "No request was captured" in browser.get(f"/models/{MODEL}/requests").text
    canary(staged, time.time())
    shown = browser.get(f"/models/{MODEL}/requests")
    assert "The newest 41" in shown.text
    assert "failed" in shown.text
    assert "1 of 2" in shown.text
    assert 'class="dot challenger"' in shown.html


def test_without_a_store_of_captures_the_page_says_what_brings_it(staged: Staged, browser: Browser) -> None:
    del staged.outputs["captures_url"]
    shown = browser.get(f"/models/{MODEL}/requests")
    assert (shown.status, "run `pulumi up`" in shown.text) == (409, True)


def test_captures_that_are_in_files_are_shown_as_those_in_objects_are(
    staged: Staged, source: Source, browser: Browser
) -> None:
    del source
    now = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0).timestamp() - 86_400
    canary(staged, now)
    live(staged, promote(begin(first(), "v2", "bb02", 10, now - 40), now, "40 requests agree"))
    pages = [f"/models/{MODEL}/canary", f"/models/{MODEL}/requests"]
    before = [browser.get(page).text for page in pages]
    Compaction(staged.stores["s3://captures-1"], MODEL, lambda _: None).compact(f"{now_as_day(now)}")
    assert not [key for key in staged.stores["s3://captures-1"].keys(MODEL) if key.endswith(".jsonl")]
    assert [browser.get(page).text for page in pages] == before
    assert "errors 1," in before[0]


def now_as_day(now: float) -> str:
    return f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"
