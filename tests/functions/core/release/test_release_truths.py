"""A release of a model whose truths come back while it is under way."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.release.outcomes import Outcomes
from functions.core.release.release_truths import ReleaseTruths, usual_error
from functions.core.serving.predictor import hash_percent
from models.labels import Labels
from models.section import RolloutThresholds
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, Bench, model_bytes, said

OTHERWISE = model_bytes(slope=-1.0)
SOON = Labels(horizon_minutes=1)
TRUTHS = {"right": ["malignant", "benign"], "wrong": ["benign", "malignant"], "one class": ["malignant", "malignant"]}


@pytest.fixture
def bench() -> Bench:
    bench = Bench(capture_inputs=1.0)
    bench.plan(labels=SOON)
    bench.champion()
    version = bench.register(OTHERWISE)
    bench.registry.write_run("second", {"run": "second", "status": "registered", "version": version})
    return bench


def judged(bench: Bench, truths: list[str] | None, requests: int = 12) -> tuple[str, str]:
    """Let a bake pass with some requests, and their truths; return what the judge says, and why."""
    answer = bench.rollout.act({"action": "release", "model": MODEL, "run": "second"})
    pointer = bench.live.read()
    version, weight = str(pointer.challenger), pointer.weight
    bench.clock.forward(6)
    callers = (f"caller {n}" for n in range(100_000) if hash_percent(f"caller {n}", version) < weight)
    for _, caller in zip(range(requests), callers, strict=False):
        bench.predict(BENIGN, MALIGNANT, caller=caller)
        if truths is not None:
            tell(bench, f"r-{caller}", truths)
        bench.clock.forward(1.1)
    bench.clock.forward(max(0.0, answer["wait_seconds"] - 6 - 1.1 * requests) + 0.01)
    answer = bench.rollout.act({"action": "judge", "model": MODEL, "run": "second"})
    return answer["status"], reason(bench, "second")


def reason(bench: Bench, run: str) -> str:
    return str((bench.registry.read_run(run) or {})["rollout"]["reason"])


def tell(bench: Bench, request: str, truths: list[str]) -> None:
    items = [{"request": request, "row": place, "truth": truth} for place, truth in enumerate(truths)]
    answer = said(bench.send("POST", f"/v2/models/{MODEL}/feedback", {"truths": items}))
    assert answer["taken"] == len(truths), answer


def test_both_answers_of_a_request_are_captured_where_rows_are(bench: Bench) -> None:
    judged(bench, None, requests=3)
    records = [one for one in bench.captured() if one["variant"] == "challenger"]
    assert {tuple(one["said"]) for one in records} == {("malignant", "benign")}
    assert {tuple(one["champion"]["said"]) for one in records} == {("benign", "malignant")}
    bare = Bench()
    bare.champion()
    bare.challenger(OTHERWISE)
    bare.predict(BENIGN)
    bare.clock.forward(2)
    bare.predict(BENIGN)
    assert all("said" not in one and "said" not in one["champion"] for one in bare.captured())


def test_one_that_is_right_where_it_answers_otherwise_is_promoted(bench: Bench) -> None:
    status, why = judged(bench, TRUTHS["right"])
    assert status == "canary"
    assert why.startswith("agreement with the champion: 0.000 on 12 requests, at least 0.9 is accepted; truths are")
    assert why.endswith("waited for, which say who is right: none came in time of requests that both answered")
    for _ in range(4):
        status, why = judged(bench, TRUTHS["right"])
        if status != "canary":
            break
    assert status == "promoted"
    assert "right more often than the champion where it answers otherwise" in why
    assert "a loss by truths below 5 %" in why


@pytest.mark.parametrize(
    ("truths", "told"),
    [
        ("wrong", "12 worse and 0 better than the champion in 12 labelled requests, a loss of 100 %; evidence against"),
        ("one class", "all truths are of the class malignant, which speaks for no version"),
        (None, "none came in time of requests that both answered; evidence against"),
    ],
)
def test_one_that_is_not_is_withdrawn_and_it_is_said_what_truths_came(
    bench: Bench, truths: str | None, told: str
) -> None:
    for _ in range(4):
        status, why = judged(bench, None if truths is None else TRUTHS[truths])
        if status != "canary":
            break
    assert status == "rolled_back"
    assert told in why


def test_without_a_horizon_in_minutes_disagreement_is_not_waited_for(bench: Bench) -> None:
    bench.plan(labels=Labels())
    status, why = judged(bench, TRUTHS["right"])
    assert status == "rolled_back"
    assert "and no truths show that it is right more often: none came in time" in why


def test_what_is_known_of_a_request_does_not_depend_on_when_one_looks(bench: Bench) -> None:
    judged(bench, TRUTHS["right"], requests=30)
    begun, end = bench.live.read().release, bench.clock() + 600
    assert begun is not None
    version = begun.version
    truths = ReleaseTruths(bench.captures, bench.registry, MODEL, SOON)

    def looked(*moments: float) -> Outcomes:
        counted = Outcomes(since=begun.since, until=begun.since)
        for now in moments:
            counted = truths.counted(version, now, counted, RolloutThresholds())
        return counted

    once = looked(end)
    assert (once.labelled, once.better, once.one_class) == (30, 30.0, "")
    assert looked(*[begun.since + second for second in range(0, 200, 7)], end) == once
    assert looked(begun.since + 60).labelled == 0


def test_a_clock_that_is_off_is_told(bench: Bench) -> None:
    judged(bench, None)
    bench.clock.forward(-7200)
    for n in range(100_000):
        if hash_percent(f"caller {n}", str(bench.live.read().challenger)) < 10:
            tell(bench, f"r-caller {n}", TRUTHS["right"])
            break
    bench.clock.forward(7200)
    for _ in range(4):
        status, why = judged(bench, None)
        if status != "canary":
            break
    assert "came before their requests: a clock is off, or a key is in use again" in why


def test_requests_of_one_caller_only_are_told(bench: Bench) -> None:
    bench.plan()
    bench.challenger(model_bytes(slope=2.0), weight=10, run="third")
    bench.registry.write_run("third", {"run": "third", "status": "registered", "version": bench.live.read().challenger})
    bench.clock.forward(6)
    for _ in range(9):
        bench.predict(BENIGN, MALIGNANT)
        bench.clock.forward(1.1)
    bench.clock.forward(60)
    bench.rollout.act({"action": "judge", "model": MODEL, "run": "third"})
    assert "all of one caller" in reason(bench, "third")


@pytest.mark.parametrize(
    ("card", "usual"),
    [({"metrics": {"holdout": {"mae": 2.5}}}, 2.5), ({"metrics": {"holdout": {}}}, 0.0), ({}, 0.0), (None, 0.0)],
)
def test_the_usual_error_is_that_of_the_holdout(card: dict[str, Any] | None, usual: float) -> None:
    assert usual_error(card) == usual
