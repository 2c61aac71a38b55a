"""A release that waits for a person's word, by the commands that a person types, on a stack that is up."""

from __future__ import annotations

import json
from typing import Any

from tests.loop import versions
from tests.loop.running import MODEL, Running


def test_a_version_waits_for_a_persons_word_and_is_released_or_ends_by_it(running: Running) -> None:
    champion = running.live()["champion"]
    good, bad = (running.register(versions.right(c=c)) for c in (0.6, 0.7))
    with running.with_settings({"rollout": {"models": {MODEL: {"approval": True}}}}):
        waiting = running.over(running.release(good))
        assert (waiting["status"], waiting["version"]) == ("awaiting_approval", good)
        running.over(running.release(bad))
        live = running.live()
        assert (live["champion"], live["challenger"]) == (champion, None)
        listed = running.sml("approvals", "--json").document
        assert [(one["version"], one["run"]) for one in listed] == [(good, waiting["run"]), (bad, listed[1]["run"])]

        assert running.sml("reject", f"{MODEL}@{bad}", "--reason", "unfair").code == 0
        assert became(running, listed[1]["run"], "refused")["cause"].endswith("unfair")
        said = running.sml("approve", f"{MODEL}@{good}", "--reason", "seen", "--json")
        assert (said.code, said.document["decision"], said.document["known_by"]) == (0, "approved", "login name")
        assert became(running, waiting["run"], "canary")["approval"]["reason"] == "seen"
        assert running.sml("withdraw", MODEL).code == 0
    running.over(waiting["run"])
    told = [(entry["event"], entry["version"]) for entry in running.sml("history", MODEL, "--json").document]
    assert [("canary", good), ("approved", good), ("rejected", bad)] == [
        one for one in told if one[0] in ("canary", "approved", "rejected")
    ][:3]


def became(running: Running, run: str, state: str) -> Any:
    """Wait until a run is in a state, which may come after one in which it waited, and return its record."""

    def look() -> Any:
        record = json.loads(running.models.get(f"{MODEL}/runs/{run}/run.json"))
        return record if record["status"] == state else None

    return running.wait(look, f"run {run} to be {state}")
