"""A person's word on a page: the dialog says what will happen, and the command does it."""

from __future__ import annotations

from tests.sml.console.browser import Browser
from tests.sml.staged import MODEL, Staged
from tests.sml.test_approvals import RUN, decisions, waiting


def test_the_console_asks_once_and_decides_as_the_commands_do(staged: Staged, browser: Browser) -> None:
    waiting(staged, "v2")
    for page in (f"/models/{MODEL}", f"/models/{MODEL}/runs/{RUN}"):
        assert f"/models/{MODEL}/ask/approve?of=v2" in browser.get(page).html
    assert "in place of v1" in " ".join(browser.get(f"/models/{MODEL}/ask/approve?of=v2").text.split())
    assert "ends as refused" in browser.get(f"/models/{MODEL}/ask/reject?of=v2").text
    assert "a rejection says why" in browser.post(f"/models/{MODEL}/do/reject", {"of": "v2"}).text
    assert staged.started == []
    done = browser.post(f"/models/{MODEL}/do/approve", {"of": "v2", "reason": "good"})
    assert (done.status, "is approved, and its release has begun" in done.text) == (200, True)
    assert decisions(staged, "v2")[0]["reason"] == "good"
    assert browser.post(f"/models/{MODEL}/do/reject", {"of": "v2", "reason": "bad"}).status == 200
    assert [one["decision"] for one in decisions(staged, "v2")] == ["approved", "rejected"]
