"""On both embedded clouds: the rows of a day are captured, and compared with what the live version learnt from."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from functions.core.dataset.profile import describe
from models.contract import Contract
from tests.loop import versions
from tests.loop.running import MODEL, PREDICT, Running, rows
from tests.loop.scheduled import called

AT_ONCE = 100


def test_the_rows_of_a_day_are_captured_and_compared_with_what_the_live_version_learnt_from(running: Running) -> None:
    version, (x, _) = running.live()["champion"], versions.cases()
    features = Contract.load(MODEL).features
    profile = {"features": {one.name: describe(one, x[:, at]) for at, one in enumerate(features)}}
    running.models.put(f"{MODEL}/versions/{version}/profile.json", json.dumps(profile).encode())

    captures, today = running.stack.store(running.stack.outputs["captures_url"]), datetime.now(UTC)
    before = set(captures.keys(f"{MODEL}/"))
    cases = [{name: case[name] for name in (one.name for one in features)} for case in rows(0, len(x))]
    for start in range(0, len(cases), AT_ONCE):
        assert running.post(PREDICT, {"instances": cases[start : start + AT_ONCE]})[0] == 200

    def captured() -> list[tuple[str, bytes]] | None:
        # A copy writes what it holds with the next answer.
        running.post(PREDICT, {"instances": cases[:1]})
        found = [(key, captures.get(key)) for key in sorted(set(captures.keys(f"{MODEL}/")) - before)]
        written = [json.loads(line) for _, content in found for line in content.splitlines()]
        return found if sum(one.get("rows", 0) for one in written) >= len(cases) else None

    yesterday = f"{today - timedelta(days=1):%Y-%m-%d}"
    for number, (_, content) in enumerate(running.wait(captured, "the rows to be captured")):
        captures.put(f"{MODEL}/{yesterday}/12/{number:04}.jsonl", content)

    assert called(running, "watch")["checked"][MODEL] == "steady"
    assert called(running, "watch") == {"checked": {}}
    said = running.sml("drift", MODEL)
    assert (said.code, yesterday in said.out, "as in training" in said.out) == (0, True, True)
