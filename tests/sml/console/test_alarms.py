"""Alarms in the console."""

from __future__ import annotations

from sml.console.source import Source
from tests.sml.console.browser import Browser
from tests.sml.staged import Staged
from tests.sml.test_alarms import here


def test_alarms_are_listed_with_what_they_tell(staged: Staged, source: Source, browser: Browser) -> None:
    del source
    staged.alarms = [here("errors"), here("drift", firing=True)]
    shown = browser.get("/alarms")
    assert shown.text.index("drift firing") < shown.text.index("errors quiet")
    assert "about drift" in shown.text
    assert '<span class="badge bad">firing</span>' in shown.html


def test_a_stack_without_alarms_says_why(staged: Staged, source: Source, browser: Browser) -> None:
    del staged, source
    assert "alerts: {alarms: false}" in browser.get("/alarms").text
