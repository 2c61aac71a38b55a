from __future__ import annotations

import threading

from tests.loop import versions
from tests.loop.running import MODEL, Running
from tests.loop.test_training import CASES


def test_a_challenger_that_answers_wrongly_is_rolled_back_and_no_caller_sees_an_error(running: Running) -> None:
    champion = running.live()["champion"]
    with running.callers(CASES) as callers:
        record = running.over(running.release(running.register(versions.wrong())))
    assert record["status"] == "rolled_back", record
    assert "agreement" in record["cause"]
    live = running.live()
    assert (live["champion"], live["challenger"], live["weight"]) == (champion, None, 0)
    assert live["history"][-1]["event"] == "rolled_back"
    assert callers.variants["challenger"] > 0
    assert not callers.failures


def test_a_challenger_that_answers_wrongly_is_found_out_as_a_shadow_and_no_caller_ever_gets_it(
    running: Running,
) -> None:
    champion, before = running.live()["champion"], len(running.live()["history"])
    with (
        running.with_settings({"rollout": {"shadow": 100}}),
        running.callers(CASES) as callers,
    ):
        record = running.over(running.release(running.register(versions.wrong())))
    assert record["status"] == "rolled_back", record
    assert "agreement" in record["cause"]
    live = running.live()
    assert (live["champion"], live["challenger"], live["shadow"]) == (champion, None, 0)
    assert [entry["event"] for entry in live["history"][before:]] == ["shadow", "rolled_back"]
    assert set(callers.variants) == {"champion"}
    assert not callers.failures


def test_a_challenger_that_answers_slowly_is_rolled_back(running: Running) -> None:
    champion = running.live()["champion"]
    with running.callers(CASES) as callers:
        record = running.over(running.release(running.register(versions.slow(rounds=150))))
    assert record["status"] == "rolled_back", record
    assert "latency" in record["cause"]
    assert running.live()["champion"] == champion
    assert not callers.failures


def test_a_version_whose_file_was_changed_never_answers(running: Running) -> None:
    champion = running.live()["champion"]
    version = running.register(versions.right(c=3.0))
    key = f"{MODEL}/versions/{version}/model.onnx"
    running.models.put(key, versions.wrong())
    record = running.over(running.release(version))
    assert record["status"] == "refused"
    assert running.live()["champion"] == champion
    assert running.get(f"/v2/models/{MODEL}/ready")[0] == 200


def test_two_releases_at_once_leave_one_linear_history(running: Running) -> None:
    before = len(running.live()["history"])
    candidates = [running.register(versions.right(c=c)) for c in (0.3, 0.4)]
    runs: list[str] = []
    with running.callers(CASES) as callers:
        threads = [threading.Thread(target=lambda v=v: runs.append(running.release(v))) for v in candidates]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        running.idle()
    assert not callers.failures
    live = running.live()
    revisions = [entry["revision"] for entry in live["history"]]
    assert revisions == sorted(set(revisions))
    assert live["challenger"] is None
    events = [(entry["event"], entry["version"]) for entry in live["history"][before:]]
    for version in candidates:
        of_version = [event for event, changed in events if changed == version]
        assert of_version.count("promoted") + of_version.count("rolled_back") <= 1, events
    promoted = [changed for event, changed in events if event == "promoted"]
    assert promoted
    assert live["champion"] == promoted[-1]
