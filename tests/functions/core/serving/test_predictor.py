"""Who answers while a challenger is on its way, and what is kept of it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.registry.pointer import begin_shadow, promote
from functions.core.serving.predictor import hash_percent
from tests.functions.serving import BENIGN, FEATURES, MALIGNANT, MODEL, POISON, Bench, model_bytes, said

WRONG = model_bytes(slope=-1.0)
CALLERS = [f"caller {number}" for number in range(200)]


@given(st.text(), st.text())
def test_a_caller_has_one_place_in_a_release(caller: str, version: str) -> None:
    assert 0 <= hash_percent(caller, version) < 100
    assert hash_percent(caller, version) == hash_percent(caller, version)


def test_places_are_spread_evenly_and_anew_in_every_release() -> None:
    places = [hash_percent(f"caller {number}", "v1") for number in range(10_000)]
    shares = Counter(int(at // 10) for at in places)
    assert all(900 < shares[tenth] < 1100 for tenth in range(10))
    both = sum(hash_percent(f"caller {n}", "v1") < 10 and hash_percent(f"caller {n}", "v2") < 10 for n in range(10_000))
    assert 50 < both < 150


def test_the_challenger_gets_its_share_of_the_callers_and_always_the_same_ones() -> None:
    bench = Bench()
    bench.champion()
    challenger = bench.challenger(WRONG, weight=30)
    first = {caller: said(bench.predict(caller=caller))["variant"] for caller in CALLERS}
    assert {caller: said(bench.predict(caller=caller))["variant"] for caller in CALLERS} == first
    expected = {caller: "challenger" if hash_percent(caller, challenger) < 30 else "champion" for caller in CALLERS}
    assert first == expected
    assert 30 < list(first.values()).count("challenger") < 90


def test_a_challengers_caller_is_answered_by_it_and_the_champion_is_asked_too() -> None:
    bench = Bench()
    champion = bench.champion()
    challenger = bench.challenger(WRONG)
    response = bench.predict(BENIGN, [5.0, 5.0])
    assert said(response)["predictions"][0]["label"] == "malignant"
    assert response.headers["x-model-version"] == challenger
    assert response.headers["x-model-variant"] == "challenger"
    [record] = bench.captured()
    assert (record["variant"], record["version"], record["status"], record["rows"]) == (
        "challenger",
        challenger,
        200,
        2,
    )
    assert record["champion"]["version"] == champion
    assert record["agreed"] == 1  # they differ on the first row; both call a draw benign
    assert "inputs" not in record
    assert bench.caller not in json.dumps(record["caller"])


def learnt(*towns: str) -> list[dict[str, Any]]:
    return [FEATURES[0], {"name": "town", "kind": "category", "learn": True, "categories": list(towns)}]


def by_number(bench: Bench) -> str:
    """Ask by tensor, and return in which role a version answered."""
    body = {"inputs": [{"name": "X", "shape": [1, 2], "datatype": "FP32", "data": [5, 4]}]}
    response = bench.send("POST", f"/v2/models/{MODEL}/infer", body)
    assert response.status == 200, response.body
    return response.headers["x-model-variant"]


@pytest.mark.parametrize(
    ("towns", "variant"),
    [
        ("abcdefghij", "challenger"),
        ("abcdefghijk", "challenger"),
        ("Aabcdefghij", "champion"),
        ("bacdefghij", "champion"),
    ],
    ids=["the same", "one more after them", "one more before them", "another order"],
)
def test_who_tells_a_category_by_its_number_means_the_champions(towns: str, variant: str) -> None:
    bench = Bench()
    bench.champion(features=learnt(*"abcdefghij"))
    bench.challenger(WRONG, features=learnt(*towns))
    assert by_number(bench) == variant
    assert said(bench.predict({"mean_radius": 5.0, "town": "e"}))["variant"] == "challenger", "by name nothing changes"
    bench.live.change(lambda pointer: promote(pointer, bench.clock(), "seen"))
    bench.clock.forward(3600)
    assert by_number(bench) == "champion"


def test_a_shadow_is_not_asked_about_numbers_that_it_would_take_for_other_categories() -> None:
    bench = Bench()
    bench.champion(features=learnt(*"abcdefghij"))
    version = bench.register(WRONG, learnt(*"bacdefghij"))
    bench.live.change(lambda pointer: begin_shadow(pointer, version, "second", 100, bench.clock()))
    assert by_number(bench) == "champion"
    assert "shadow" not in {record["variant"] for record in bench.captured()}


def shadow(bench: Bench, onnx: bytes, share: int = 100) -> str:
    version = bench.register(onnx)
    bench.live.change(lambda pointer: begin_shadow(pointer, version, "second", share, bench.clock()))
    return version


def test_next_to_a_shadow_the_champion_answers_and_what_the_shadow_says_is_only_captured() -> None:
    bench = Bench(capture_inputs=1.0)
    champion = bench.champion()
    challenger = shadow(bench, WRONG)
    response = bench.predict(BENIGN, [5.0, 5.0])
    assert [row["label"] for row in said(response)["predictions"]] == ["benign", "benign"]
    assert (response.headers["x-model-version"], response.headers["x-model-variant"]) == (champion, "champion")
    assert challenger not in json.dumps(said(response)) + str(response.headers)
    [record] = bench.captured()
    assert (record["variant"], record["version"], record["status"]) == ("shadow", challenger, 200)
    assert (record["answered_by"], record["rows"], record["agreed"]) == (champion, 2, 1)
    assert record["champion"]["version"] == champion
    assert record["outputs"][0] != said(response)["predictions"][0]["probabilities"]


def test_a_shadow_is_asked_about_its_share_of_the_requests() -> None:
    bench = Bench()
    bench.champion()
    challenger = shadow(bench, WRONG, share=30)
    for caller in CALLERS:
        bench.predict(caller=caller)
        bench.clock.forward(1)
    asked = {record["request"] for record in bench.captured() if record["variant"] == "shadow"}
    assert asked == {f"r-{caller}" for caller in CALLERS if hash_percent(f"r-{caller}", challenger) < 30}
    assert 30 < len(asked) < 90
    assert len(bench.captured()) == len(CALLERS)


@pytest.mark.parametrize(
    ("onnx", "damage", "error"),
    [(model_bytes(fails=True), False, "failed"), (WRONG, True, "not loaded")],
)
def test_a_shadow_that_fails_is_counted_and_no_caller_notices(onnx: bytes, damage: bool, error: str) -> None:
    bench = Bench()
    champion = bench.champion()
    challenger = shadow(bench, onnx)
    if damage:
        bench.models.put(bench.registry.key(challenger, "model.onnx"), b"damaged")
    response = bench.predict(POISON)
    assert (response.status, response.headers["x-model-version"]) == (200, champion)
    [record] = bench.captured()
    assert (record["variant"], record["version"], record["error"]) == ("shadow", challenger, error)


def test_what_the_champion_refuses_or_fails_on_is_answered_as_without_a_shadow() -> None:
    bench = Bench()
    bench.champion(model_bytes(fails=True))
    shadow(bench, model_bytes(slope=2.0))
    for caller in CALLERS[:8]:  # whoever is asked first
        assert bench.predict({"mean_radius": 1.0}, caller=caller).status == 400
        assert bench.predict(POISON, caller=caller).status == 500
    assert {record["variant"] for record in bench.captured()} == {"champion"}


@pytest.mark.parametrize("onnx", [model_bytes(fails=True), model_bytes(infinite=True)])
def test_a_challenger_that_fails_is_stood_in_for_by_the_champion(onnx: bytes) -> None:
    bench = Bench()
    champion = bench.champion()
    challenger = bench.challenger(onnx)
    response = bench.predict(POISON)
    assert response.status == 200
    assert said(response)["predictions"][0]["label"] == "malignant"
    assert (response.headers["x-model-version"], response.headers["x-model-variant"]) == (champion, "champion")
    [record] = bench.captured()
    assert (record["variant"], record["version"], record["error"]) == ("challenger", challenger, "failed")
    assert record["answered_by"] == champion


def test_a_challenger_that_does_not_load_is_stood_in_for_and_counted() -> None:
    bench = Bench()
    champion = bench.champion()
    challenger = bench.challenger(WRONG)
    bench.models.put(bench.registry.key(challenger, "model.onnx"), b"damaged")
    response = bench.predict()
    assert response.headers["x-model-version"] == champion
    [record] = bench.captured()
    assert (record["variant"], record["version"], record["error"]) == ("challenger", challenger, "not loaded")


def test_a_challenger_that_refuses_what_the_champion_takes_is_counted() -> None:
    bench = Bench()
    champion = bench.champion()
    bench.challenger(WRONG, features=[{**FEATURES[0], "maximum": 3.0}, FEATURES[1]])
    assert bench.predict(BENIGN).headers["x-model-variant"] == "challenger"
    response = bench.predict(MALIGNANT)
    assert (response.status, response.headers["x-model-version"]) == (200, champion)
    bench.clock.forward(2)
    bench.predict(BENIGN)
    assert [record.get("error") for record in bench.captured()] == [None, "refused", None]


def test_what_both_refuse_is_the_callers_fault() -> None:
    bench = Bench()
    bench.champion()
    bench.challenger(WRONG)
    assert bench.predict({"mean_radius": 1.0}).status == 400
    assert bench.captured() == []


def test_what_only_the_champion_refuses_the_challenger_answers() -> None:
    bench = Bench()
    bench.champion(features=[{**FEATURES[0], "maximum": 3.0}, FEATURES[1]])
    challenger = bench.challenger(WRONG)
    assert bench.predict(MALIGNANT).headers["x-model-version"] == challenger
    [record] = bench.captured()
    assert "error" not in record
    assert "agreed" not in record


def test_a_champion_that_fails_is_a_500_and_a_record() -> None:
    bench = Bench()
    champion = bench.champion(model_bytes(fails=True))
    assert bench.predict(POISON).status == 500
    [record] = bench.captured()
    assert (record["variant"], record["version"], record["status"]) == ("champion", champion, 500)


def test_when_both_fail_the_caller_gets_the_champions_failure() -> None:
    bench = Bench()
    champion = bench.champion(model_bytes(fails=True))
    bench.challenger(model_bytes(infinite=True))
    assert bench.predict(POISON).status == 500
    assert [(record["variant"], record["version"]) for record in bench.captured()] == [("champion", champion)]


def test_a_version_asked_for_by_name_is_no_evidence_for_a_release() -> None:
    bench = Bench()
    bench.champion()
    challenger = bench.challenger(WRONG)
    body = {"inputs": [{"name": "X", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 9.0]}]}
    bench.send("POST", f"/v2/models/{MODEL}/versions/{challenger}/infer", body)
    assert [record["variant"] for record in bench.captured()] == ["pinned"]


def test_the_record_holds_both_durations() -> None:
    bench = Bench()
    bench.champion()
    challenger = bench.challenger(WRONG)
    bench.predict()
    serving = bench.model_cache.current()
    assert serving.challenger is not None
    slow(bench, serving.challenger, 0.040)
    slow(bench, serving.champion, 0.010)
    bench.clock.forward(2)
    bench.predict()
    record = bench.captured()[-1]
    assert record["version"] == challenger
    assert (record["ms"], record["champion"]["ms"]) == (pytest.approx(40, abs=0.1), pytest.approx(10, abs=0.1))


def test_champion_and_challenger_take_turns_in_being_asked_first() -> None:
    bench = Bench()
    bench.champion()
    challenger = bench.challenger(WRONG)
    serving = bench.model_cache.current()
    order: list[str] = []
    for name in ("champion", "challenger"):
        noted(getattr(serving, name), name, order)
    for caller in CALLERS:
        if hash_percent(caller, challenger) < 99:
            bench.predict(caller=caller)
    first = Counter(order[at] for at in range(0, len(order), 2) if order[at] != order[at + 1])
    assert min(first["champion"], first["challenger"]) > 60


def noted(classifier: Any, name: str, order: list[str]) -> None:
    answer = classifier.answer

    def note(tensor: Any) -> Any:
        order.append(name)
        return answer(tensor)

    classifier.answer = note


def slow(bench: Bench, classifier: Any, seconds: float) -> None:
    answer = classifier.answer

    def late(tensor: Any) -> Any:
        bench.clock.forward(seconds)
        return answer(tensor)

    classifier.answer = late


def test_inputs_and_answers_are_kept_for_the_share_that_was_asked_for() -> None:
    whole, half = Bench(capture_inputs=1.0), Bench(capture_inputs=0.5)
    for bench in (whole, half):
        bench.champion()
        for caller in CALLERS:
            bench.predict(BENIGN, caller=caller)
            bench.clock.forward(2)
    kept = [record for record in whole.captured() if "inputs" in record]
    assert len(kept) == len(CALLERS)
    assert kept[0]["inputs"] == [[1.0, 9.0]]
    assert kept[0]["outputs"] == [list(said(whole.predict(BENIGN))["predictions"][0]["probabilities"].values())]
    assert 60 < sum("inputs" in record for record in half.captured()) < 140


def test_a_missing_value_is_kept_as_null_and_only_the_first_rows_are() -> None:
    bench = Bench(capture_inputs=1.0)
    bench.champion(model_bytes(forgiving=True), features=[{"name": "a", "missing": "keep"}, {"name": "b"}])
    assert bench.predict({"b": 1.0}).status == 200
    bench.clock.forward(2)
    bench.predict(*[[1.0, 9.0]] * 150)
    first, second = bench.captured()
    assert first["inputs"] == [[None, 1.0]]
    assert (second["rows"], len(second["inputs"]), len(second["outputs"])) == (150, 100, 100)
