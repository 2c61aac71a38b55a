"""A release from its first caller to its end, with a clock that only the test moves."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from functions.core.registry.executions import Executions
from functions.core.registry.pointer import NotPossible
from functions.core.release.rollout import Rollout
from functions.core.serving.predictor import hash_percent
from functions.core.storage.objects import Objects
from functions.core.storage.tag import Tag
from interface.rollout import RolloutPlan
from models.light import replace
from models.section import RolloutThresholds
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, POISON, Bench, model_bytes

ALIKE = model_bytes(slope=2.0)
WRONG = model_bytes(slope=-1.0)
BAKE = 60


@pytest.fixture
def bench() -> Bench:
    return Bench()


def registered(bench: Bench, onnx: bytes, run: str = "second") -> str:
    version = bench.register(onnx)
    bench.registry.write_run(run, {"run": run, "status": "registered", "version": version})
    return version


def act(bench: Bench, action: str, run: str = "second") -> dict[str, Any]:
    return bench.rollout.act({"action": action, "model": MODEL, "run": run})


def record(bench: Bench, run: str = "second") -> dict[str, Any]:
    found = bench.registry.read_run(run)
    assert found is not None
    return found


def bake(bench: Bench, answer: dict[str, Any], *rows: Any, requests: int = 10) -> None:
    """Let the time of a bake pass, with some requests of the challenger's callers."""
    version = bench.live.read().challenger
    weight = bench.live.read().weight
    bench.clock.forward(6)
    callers = (f"caller {n}" for n in range(100_000) if version and hash_percent(f"caller {n}", version) < weight)
    for _, caller in zip(range(requests), callers, strict=False):
        bench.predict(*(rows or [BENIGN, MALIGNANT]), caller=caller)
        bench.clock.forward(1.1)
    bench.clock.forward(max(0, answer["wait_seconds"] - 6 - 1.1 * requests) + 0.01)


def events(bench: Bench) -> list[str]:
    return [entry.event for entry in bench.live.read().history]


def test_the_first_version_ever_is_promoted_at_once(bench: Bench) -> None:
    version = registered(bench, model_bytes(), "first")
    assert act(bench, "release", "first") == {"status": "promoted", "wait_seconds": 0}
    pointer = bench.live.read()
    assert (pointer.champion, pointer.challenger) == (version, None)
    assert record(bench, "first")["status"] == "promoted"
    assert act(bench, "release", "first") == {"status": "promoted", "wait_seconds": 0}
    assert bench.live.read() == pointer


def test_a_good_challenger_rises_step_by_step_and_is_promoted(bench: Bench) -> None:
    first = bench.champion()
    second = registered(bench, ALIKE)
    answer = act(bench, "release")
    assert answer == {"status": "canary", "wait_seconds": BAKE}
    assert (bench.live.read().challenger, bench.live.read().weight) == (second, 10)
    assert record(bench)["status"] == "canary"
    bake(bench, answer)
    answer = act(bench, "judge")
    assert answer == {"status": "canary", "wait_seconds": BAKE}
    assert bench.live.read().weight == 50
    bake(bench, answer)
    assert act(bench, "judge") == {"status": "promoted", "wait_seconds": 0}
    pointer = bench.live.read()
    assert (pointer.champion, pointer.previous, pointer.challenger) == (second, first, None)
    assert events(bench) == ["promoted", "canary", "advanced", "promoted"]
    assert pointer.history[-1].reason.startswith("10 requests, 0 errors, agreement 1.000")
    assert record(bench)["status"] == "promoted"
    assert record(bench)["rollout"]["evidence"]["requests"] == 10
    assert act(bench, "judge")["status"] == "promoted"


def test_evidence_is_of_the_whole_release_and_each_request_counts_once(bench: Bench) -> None:
    bench.plan(shadow=100)
    bench.champion()
    registered(bench, ALIKE)
    watched(bench, act(bench, "release"))
    asked, weighing = [], {}
    for action in ("judge", "judge", "judge"):
        answer = act(bench, action)
        weighing = record(bench)["rollout"]["evidence"]["weighing"]
        asked.append(weighing["questions"]["errors"]["outcomes"])
        counted = bench.live.read().counted
        if counted is not None:
            assert counted["asked"] == counted["compared"] == asked[-1]
            bake(bench, answer)
    assert asked == [10, 20, 30]
    assert weighing["against_needed"] == weighing["in_favour_needed"] == 20
    assert weighing["in_favour"] >= 20
    assert weighing["against"] < 1
    assert events(bench) == ["promoted", "shadow", "advanced", "advanced", "promoted"]
    assert bench.live.read().counted is None
    assert "shown: errors below 25 %" in bench.live.read().history[-1].reason


def test_a_prolonged_step_counts_what_came_since_the_last_look(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    answer = act(bench, "release")
    for asked in (1, 2):
        bake(bench, answer, requests=1)
        answer = act(bench, "judge")
        assert (bench.live.read().counted or {})["asked"] == asked


@pytest.mark.parametrize(("without_evidence", "status"), [("promote", "promoted"), ("roll_back", "rolled_back")])
def test_the_last_step_waits_for_evidence_until_patience_is_over(without_evidence: str, status: str) -> None:
    bench = Bench(
        thresholds=RolloutThresholds.model_validate({"minimum_requests": 5, "without_evidence": without_evidence})
    )
    bench.champion()
    registered(bench, ALIKE)
    for _ in range(2):
        bake(bench, act(bench, "release" if bench.live.read().release is None else "judge"))
    for _ in range(2):
        bake(bench, act(bench, "judge"))
        assert bench.live.read().weight == 50
        assert record(bench)["rollout"]["reason"].startswith("not enough evidence: ")
    assert act(bench, "judge")["status"] == status
    assert (
        bench.live.read()
        .history[-1]
        .reason.startswith(
            f"not enough evidence: 40 requests show an error rate of at most 7.66 %, 1 % is allowed; "
            f"without evidence: {without_evidence}; 30 requests, 0 errors"
        )
    )


@pytest.mark.parametrize("counted", [None, "garbage", {"asked": "many", "since": 1}, {"asked": 3}])
def test_what_was_not_counted_is_counted_from_the_step_on(counted: Any, bench: Bench) -> None:
    """By an older program, or by one that was rolled back, nothing is; a hand may damage it."""
    bench.champion()
    registered(bench, ALIKE)
    bake(bench, act(bench, "release"))
    answer = act(bench, "judge")
    bake(bench, answer)
    bench.live.change(lambda pointer: replace(pointer, counted=counted))
    assert act(bench, "judge")["status"] in ("canary", "promoted")
    known = 3 if counted == {"asked": 3} else 0
    assert record(bench)["rollout"]["evidence"]["weighing"]["questions"]["errors"]["outcomes"] == 10 + known


def watched(bench: Bench, answer: dict[str, Any], *rows: Any) -> None:
    """Let the time of a bake of a shadow pass, with ten requests of anybody."""
    bench.clock.forward(6)
    for _ in range(10):
        bench.predict(*(rows or [BENIGN, MALIGNANT]))
        bench.clock.forward(1.1)
    bench.clock.forward(answer["wait_seconds"])


def test_a_good_challenger_is_watched_as_a_shadow_before_it_gets_a_caller(bench: Bench) -> None:
    bench.plan(shadow=100)
    first = bench.champion()
    second = registered(bench, ALIKE)
    answer = act(bench, "release")
    assert answer == {"status": "canary", "wait_seconds": BAKE}
    pointer = bench.live.read()
    assert (pointer.challenger, pointer.weight, pointer.shadow) == (second, 0, 100)
    assert record(bench)["rollout"]["reason"] == "100 % as a shadow"
    watched(bench, answer)
    assert act(bench, "judge")["status"] == "canary"
    assert record(bench)["rollout"]["evidence"]["agreement"] == 1.0
    pointer = bench.live.read()
    assert (pointer.champion, pointer.challenger, pointer.weight, pointer.shadow) == (first, second, 10, 0)
    assert events(bench) == ["promoted", "shadow", "advanced"]


@pytest.mark.parametrize(
    ("onnx", "row", "reason"),
    [(WRONG, BENIGN, "agreement with the champion: 0.000"), (model_bytes(fails=True), POISON, "errors: 10 of 10")],
)
def test_a_challenger_that_is_no_good_is_found_out_as_a_shadow(
    onnx: bytes, row: Any, reason: str, bench: Bench
) -> None:
    bench.plan(shadow=100)
    first = bench.champion()
    registered(bench, onnx)
    watched(bench, act(bench, "release"), row)
    assert act(bench, "judge")["status"] == "rolled_back"
    pointer = bench.live.read()
    assert (pointer.champion, pointer.challenger, pointer.shadow) == (first, None, 0)
    assert pointer.history[-1].reason.startswith(reason)
    assert events(bench) == ["promoted", "shadow", "rolled_back"]
    assert {entry["variant"] for entry in bench.captured()} == {"shadow"}


@pytest.mark.parametrize(
    ("onnx", "row", "reason"),
    [
        (WRONG, BENIGN, "agreement with the champion: 0.000 on 10 requests"),
        (model_bytes(fails=True), POISON, "errors: 10 of 10 requests"),
        (model_bytes(infinite=True), POISON, "errors: 10 of 10 requests"),
    ],
)
def test_a_challenger_that_answers_wrongly_is_rolled_back(onnx: bytes, row: Any, reason: str, bench: Bench) -> None:
    first = bench.champion()
    registered(bench, onnx)
    bake(bench, act(bench, "release"), row)
    assert act(bench, "judge") == {"status": "rolled_back", "wait_seconds": 0}
    pointer = bench.live.read()
    assert (pointer.champion, pointer.challenger, pointer.weight) == (first, None, 0)
    assert events(bench) == ["promoted", "canary", "rolled_back"]
    assert pointer.history[-1].reason.startswith(reason)
    assert record(bench)["status"] == "rolled_back"
    assert record(bench)["cause"].startswith(reason)
    assert act(bench, "judge")["status"] == "rolled_back"


def test_a_slow_challenger_is_rolled_back(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    answer = act(bench, "release")
    serving = bench.model_cache.current()
    assert serving.challenger is not None
    quick = serving.challenger.answer

    def slowly(inputs: Any) -> Any:
        bench.clock.forward(0.2)
        return quick(inputs)

    serving.challenger.answer = slowly
    slow_champion(bench, 0.02)
    bake(bench, answer)
    assert act(bench, "judge")["status"] == "rolled_back"
    assert bench.live.read().history[-1].reason.startswith("latency: median 200.0 ms, 10.0 times")


def slow_champion(bench: Bench, seconds: float) -> None:
    champion: Any = bench.model_cache.current().champion
    answer = champion.answer

    def slowly(inputs: Any) -> Any:
        bench.clock.forward(seconds)
        return answer(inputs)

    champion.answer = slowly


def test_too_few_requests_prolong_a_step_until_patience_is_over(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    for bakes in range(3):
        answer = act(bench, "release" if bakes == 0 else "judge")
        assert answer == {"status": "canary", "wait_seconds": BAKE}
        assert bench.live.read().weight == 10
        bake(bench, answer, requests=1)
    reason = "2 of at least 5 requests so far; evidence against: 0.33 of 20 needed"
    assert record(bench)["rollout"]["reason"] == reason
    act(bench, "judge")
    assert bench.live.read().weight == 50


@pytest.mark.parametrize(("without_traffic", "status"), [("promote", "canary"), ("roll_back", "rolled_back")])
def test_without_traffic_the_contract_decides(without_traffic: str, status: str) -> None:
    bench = Bench(
        thresholds=RolloutThresholds.model_validate({"minimum_requests": 5, "without_traffic": without_traffic})
    )
    bench.champion()
    registered(bench, ALIKE)
    for action in ("release", "judge", "judge"):
        bake(bench, act(bench, action), requests=0)
    assert act(bench, "judge")["status"] == status


def test_a_judge_that_comes_twice_judges_once(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    bake(bench, act(bench, "release"))
    act(bench, "judge")
    pointer = bench.live.read()
    bench.clock.forward(10)
    assert act(bench, "judge") == {"status": "canary", "wait_seconds": BAKE - 10}
    assert act(bench, "release") == {"status": "canary", "wait_seconds": BAKE - 10}
    assert bench.live.read() == pointer


def test_two_judges_at_once_make_one_step(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    bake(bench, act(bench, "release"))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: act(bench, "judge"), range(4)))
    assert {answer["status"] for answer in answers} == {"canary"}
    assert events(bench) == ["promoted", "canary", "advanced"]


def test_releasing_what_is_live_changes_nothing(bench: Bench) -> None:
    version = bench.champion()
    bench.registry.write_run("again", {"run": "again", "status": "registered", "version": version})
    before = bench.live.read()
    assert act(bench, "release", "again") == {"status": "promoted", "wait_seconds": 0}
    assert bench.live.read() == before


@pytest.mark.parametrize("damage", ["bytes", "golden"])
def test_a_version_that_fails_its_golden_test_is_never_put_up(damage: str, bench: Bench) -> None:
    bench.champion()
    version = registered(bench, ALIKE)
    break_version(bench, version, damage)
    before = bench.live.read()
    assert act(bench, "release") == {"status": "refused", "wait_seconds": 0}
    assert bench.live.read() == before
    assert record(bench)["status"] == "refused"
    assert "golden test" in record(bench)["cause"]


@pytest.mark.parametrize("damage", ["bytes", "golden"])
def test_a_challenger_that_fails_its_golden_test_during_the_canary_is_rolled_back(damage: str, bench: Bench) -> None:
    bench.champion()
    version = registered(bench, ALIKE)
    answer = act(bench, "release")
    bake(bench, answer)
    break_version(bench, version, damage)
    assert act(bench, "judge")["status"] == "rolled_back"
    assert "golden test" in bench.live.read().history[-1].reason


def break_version(bench: Bench, version: str, damage: str) -> None:
    if damage == "bytes":
        bench.models.put(bench.registry.key(version, "model.onnx"), WRONG)
    else:
        golden = bench.registry.load(version).golden
        bench.models.put_json(bench.registry.key(version, "golden.json"), {**golden, "probabilities": [[0.5, 0.5]] * 3})


def test_a_second_release_waits_for_the_first_and_then_has_its_turn(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    third = registered(bench, model_bytes(slope=3.0), "third")
    answer = act(bench, "release")
    assert act(bench, "release", "third") == {"status": "canary", "wait_seconds": BAKE}
    assert record(bench, "third")["status"] == "registered"
    bake(bench, answer)
    answer = act(bench, "judge")
    assert act(bench, "judge", "third") == {"status": "canary", "wait_seconds": BAKE}
    bake(bench, answer)
    assert act(bench, "judge")["status"] == "promoted"
    assert act(bench, "judge", "third") == {"status": "canary", "wait_seconds": BAKE}
    assert bench.live.read().challenger == third
    assert record(bench, "third")["status"] == "canary"
    assert bench.live.read().waiting == ()


def test_a_run_that_was_rolled_back_before_waits_for_its_second_turn(bench: Bench) -> None:
    bench.champion()
    second = registered(bench, ALIKE)
    act(bench, "release")
    bench.live.withdraw(bench.clock(), "a mistake")
    registered(bench, model_bytes(slope=3.0), "third")
    act(bench, "release", "third")
    assert act(bench, "release") == {"status": "canary", "wait_seconds": BAKE}
    assert act(bench, "judge") == {"status": "canary", "wait_seconds": BAKE}
    bench.live.withdraw(bench.clock(), "another mistake")
    act(bench, "judge")
    assert bench.live.read().challenger == second


def test_a_release_that_nothing_judges_is_withdrawn_by_the_next(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    third = registered(bench, model_bytes(slope=3.0), "third")
    act(bench, "release")
    act(bench, "release", "third")
    bench.clock.forward(BAKE + BAKE * 3 + 60)
    assert act(bench, "judge", "third") == {"status": "canary", "wait_seconds": BAKE}
    assert bench.live.read().challenger != third
    bench.clock.forward(1)
    act(bench, "judge", "third")
    assert bench.live.read().challenger == third
    assert events(bench) == ["promoted", "canary", "rolled_back", "canary"]
    assert act(bench, "judge")["status"] == "rolled_back"


def arrived(bench: Bench, run: str, source: str, slope: float, at: str = "2026-11-30T00:00:00+00:00") -> None:
    """Have a run register a version that was made of a file that arrived at `at`."""
    version = bench.register(model_bytes(slope=slope))
    facts = {"status": "registered", "version": version, "arrived": at, "source": source}
    bench.registry.write_run(run, {"run": run, **facts})


def test_of_files_of_one_second_the_one_with_the_greatest_number_is_the_newest(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    act(bench, "release")
    for number in (9, 10, 2):
        arrived(bench, f"run {number}", f"{MODEL}/incoming/d{number}.csv", 2.0 + number)
    answers = {number: act(bench, "release", f"run {number}")["status"] for number in (9, 10, 2)}
    assert answers == {9: "canary", 10: "canary", 2: "superseded"}
    assert act(bench, "judge", "run 9")["status"] == "superseded"
    assert record(bench, "run 9")["superseded_by"] == "run 10"
    assert record(bench, "run 9")["cause"] == "newer data came before it had its turn: run run 10"
    assert [turn.run for turn in bench.live.read().waiting] == ["run 10"]


def test_older_data_that_comes_late_is_superseded_also_after_newer_was_rolled_back(bench: Bench) -> None:
    bench.champion()
    arrived(bench, "newer", "b.csv", -1.0, "2026-11-30T00:00:01+00:00")
    bake(bench, act(bench, "release", "newer"), BENIGN)
    assert act(bench, "judge", "newer")["status"] == "rolled_back"
    arrived(bench, "older", "a.csv", 2.0)
    assert act(bench, "release", "older") == {"status": "superseded", "wait_seconds": 0}
    assert record(bench, "newer")["status"] == "rolled_back"
    assert events(bench) == ["promoted", "canary", "rolled_back"]


def test_a_version_that_is_asked_for_by_name_waits_and_is_not_superseded(bench: Bench) -> None:
    bench.champion()
    answer = None
    arrived(bench, "tried", "a.csv", 2.0)
    answer = act(bench, "release", "tried")
    registered(bench, model_bytes(slope=5.0), "wish")
    act(bench, "release", "wish")
    arrived(bench, "newer", "b.csv", 3.0)
    act(bench, "release", "newer")
    assert [turn.run for turn in bench.live.read().waiting] == ["wish", "newer"]
    for _ in range(2):
        bake(bench, answer)
        answer = act(bench, "judge", "tried")
        assert act(bench, "judge", "newer")["status"] == "canary"
    assert bench.live.read().release is None
    act(bench, "judge", "wish")
    release = bench.live.read().release
    assert release is not None
    assert release.run == "wish"


def test_who_was_first_in_line_and_is_gone_does_not_keep_the_next_from_its_turn(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    act(bench, "release")
    for run, slope in (("gone", 5.0), ("next", 6.0)):
        registered(bench, model_bytes(slope=slope), run)
        act(bench, "release", run)
    bench.live.withdraw(bench.clock(), "a mistake")
    assert act(bench, "judge", "next")["status"] == "canary"
    assert bench.live.read().release is None, "it is not its turn"
    bench.clock.forward(BAKE + BAKE * 3 + 60 + 1)
    act(bench, "judge", "next")
    release = bench.live.read().release
    assert release is not None
    assert release.run == "next"


def test_ten_releases_at_once_make_one_line_of_history(bench: Bench) -> None:
    versions = {f"run {n}": registered(bench, model_bytes(slope=1.0 + n), f"run {n}") for n in range(10)}
    everyone_has_read = Barrier(10)

    class Simultaneous(Objects):
        """Nobody gets the pointer to write it before all have read it."""

        def read(self, key: str, *, at_most: int | None = None) -> tuple[bytes, Tag] | None:
            found = super().read(key, at_most=at_most)
            if key == bench.live.key and found is None:
                with contextlib.suppress(BrokenBarrierError):
                    everyone_has_read.wait(timeout=5)
            return found

    bench.rollout._models = Simultaneous(bench.models._store)
    with ThreadPoolExecutor(10) as pool:
        answers = dict(zip(versions, pool.map(lambda run: act(bench, "release", run), versions), strict=True))
    assert sorted(answer["status"] for answer in answers.values()) == ["canary"] * 9 + ["promoted"]
    pointer = bench.live.read()
    assert events(bench) == ["promoted", "canary"]
    assert answers[pointer.history[0].run or ""]["status"] == "promoted"
    assert pointer.champion == versions[pointer.history[0].run or ""]
    assert pointer.challenger == versions[pointer.history[1].run or ""]
    assert [record(bench, run)["status"] for run in versions].count("registered") == 8


def test_an_operators_rollback_ends_the_release(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    for action in ("release", "judge"):
        bake(bench, act(bench, action))
    act(bench, "judge")
    registered(bench, model_bytes(slope=3.0), "third")
    answer = act(bench, "release", "third")
    bench.live.roll_back(bench.clock(), "complaints")
    bench.clock.forward(answer["wait_seconds"])
    assert act(bench, "judge", "third")["status"] == "rolled_back"
    assert "operator" in record(bench, "third")["cause"]


def back(bench: Bench, execution: str = "execution-1") -> dict[str, Any]:
    payload = {"action": "rollback", "model": MODEL, "execution": execution, "reason": "complaints"}
    return bench.rollout.act(payload)


def test_an_operator_gets_the_champion_before_back_and_the_history_says_why(bench: Bench) -> None:
    first = bench.champion()
    second = registered(bench, ALIKE)
    for action in ("release", "judge", "judge"):
        bake(bench, act(bench, action))
    assert bench.live.read().champion == second
    assert back(bench) == {"status": "rolled_back", "version": first}
    pointer = bench.live.read()
    assert (pointer.champion, pointer.previous, pointer.release) == (first, None, None)
    entry = pointer.history[-1]
    assert (entry.event, entry.version, entry.run) == ("rolled_back", second, "execution-1")
    assert entry.reason == f"back to {first}: complaints"
    bench.clock.forward(5)
    assert bench.predict().headers["x-model-version"] == first


def test_a_request_for_a_rollback_that_is_delivered_again_rolls_back_once(bench: Bench) -> None:
    bench.champion()
    for run, slope in (("second", 2.0), ("third", 3.0)):
        registered(bench, model_bytes(slope=slope), run)
        for action in ("release", "judge", "judge"):
            bake(bench, act(bench, action, run))
    first = back(bench)
    after = bench.live.read()
    assert back(bench) == first
    assert bench.live.read() == after
    with pytest.raises(NotPossible, match="no earlier version"):
        back(bench, "execution-2")


def test_without_an_earlier_version_there_is_no_way_back(bench: Bench) -> None:
    first = bench.champion()
    with pytest.raises(NotPossible, match="no earlier version"):
        back(bench)
    assert bench.live.read().champion == first


def noted(bench: Bench, **facts: Any) -> None:
    Executions(bench.models, MODEL).note("execution-1", **facts)


def abandon(bench: Bench, **changes: Any) -> dict[str, Any]:
    payload = {
        "action": "abandon",
        "execution": "execution-1",
        "input": {"source": f"{MODEL}/incoming/a.csv"},
        "cause": '{"Error": "States.Timeout"}',
    }
    return bench.rollout.act({**payload, **changes})


def test_a_failed_workflow_is_recorded_in_its_run_and_its_challenger_is_withdrawn(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    noted(bench, run="second")
    act(bench, "release")
    for _ in range(2):
        assert abandon(bench) == {"run": "second"}
        assert bench.live.read().challenger is None
        assert events(bench) == ["promoted", "canary", "rolled_back"]
        assert "States.Timeout" in bench.live.read().history[-1].reason
        assert record(bench)["status"] == "failed"
        assert "States.Timeout" in record(bench)["cause"]


def test_a_failed_workflow_is_recorded_although_the_pointer_is_unreadable(bench: Bench) -> None:
    bench.registry.write_run("second", {"run": "second", "status": "canary"})
    noted(bench, run="second")
    bench.models.put(f"{MODEL}/live.json", b"garbage")
    assert abandon(bench) == {"run": "second"}
    assert record(bench)["status"] == "failed"
    assert bench.models.get(f"{MODEL}/live.json") == b"garbage"


def test_a_failure_of_one_run_leaves_the_release_of_another_alone(bench: Bench) -> None:
    bench.champion()
    registered(bench, ALIKE)
    act(bench, "release")
    bench.registry.write_run("third", {"run": "third", "status": "training"})
    noted(bench, run="third")
    before = bench.live.read()
    assert abandon(bench, input={"model": MODEL}) == {"run": "third"}
    assert bench.live.read() == before
    assert record(bench, "third")["status"] == "failed"
    assert record(bench)["status"] == "canary"


@pytest.mark.parametrize("status", ["promoted", "rolled_back", "refused", "rejected"])
def test_a_run_that_is_over_is_not_failed_afterwards(status: str, bench: Bench) -> None:
    bench.registry.write_run("second", {"run": "second", "status": status})
    noted(bench, run="second")
    assert abandon(bench) == {"run": "second"}
    assert record(bench)["status"] == status


def test_a_run_that_was_promoted_before_its_record_said_so_is_promoted(bench: Bench) -> None:
    registered(bench, ALIKE)
    act(bench, "release")
    bench.registry.update_run("second", lambda found: {**found, "status": "registered"})
    noted(bench, run="second")
    abandon(bench)
    assert record(bench)["status"] == "promoted"


@pytest.mark.parametrize(
    "given", [{}, None, "text", {"source": "../../x"}, {"model": "Nobody"}, {"source": 7}, {"model": MODEL}]
)
def test_a_failure_before_there_was_a_run_is_no_failure_of_its_own(given: Any, bench: Bench) -> None:
    assert abandon(bench, input=given) == {"run": None}


@pytest.mark.parametrize("payload", [{}, {"action": "release"}, {"action": "other", "model": MODEL, "run": "r"}])
def test_a_payload_that_is_not_understood_says_what_is(payload: dict[str, Any], bench: Bench) -> None:
    with pytest.raises(ValueError, match="accepted: release or judge"):
        bench.rollout.act(payload)


def test_a_run_that_registered_nothing_cannot_be_released(bench: Bench) -> None:
    with pytest.raises(ValueError, match="registered no version"):
        act(bench, "release", "nobody")


def test_the_reason_of_a_killed_judge_is_written_by_the_next(bench: Bench) -> None:
    """Killed between the pointer and the record: the pointer is the truth, and the record follows."""
    bench.champion()
    registered(bench, WRONG)
    bake(bench, act(bench, "release"))

    class Killed(Objects):
        def replace(self, key: str, data: bytes, tag: Tag) -> None:
            if key.endswith("run.json"):
                raise OSError("killed")
            super().replace(key, data, tag)

    dying = Rollout(
        Killed(bench.models._store),
        bench.captures,
        plan=RolloutPlan(steps=(10, 50), bake_seconds=BAKE, patience=3),
        thresholds=lambda _: bench.thresholds,
        clock=bench.clock,
    )
    with pytest.raises(OSError, match="killed"):
        dying.act({"action": "judge", "model": MODEL, "run": "second"})
    assert events(bench)[-1] == "rolled_back"
    assert record(bench)["status"] == "canary"
    assert act(bench, "judge") == {"status": "rolled_back", "wait_seconds": 0}
    assert record(bench)["cause"].startswith("agreement")
