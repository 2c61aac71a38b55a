"""Truths are told by the API: each is taken or refused by itself, with a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.core.registry.truths import KEY, REQUEST, Row, Truths
from functions.core.runtime.digest import pseudonym
from tests.functions.bring_your_own import pair
from tests.functions.core.serving.test_onnx_model import serve
from tests.functions.serving import BENIGN, MODEL, Bench, said

FEEDBACK = f"/v2/models/{MODEL}/feedback"
TODAY = "2026-09-21"
"""The day of the bench's clock."""


@pytest.fixture(scope="module")
def shared() -> Bench:
    bench = Bench(capture_inputs=1.0)
    bench.champion()
    return bench


@pytest.fixture
def bench() -> Bench:
    bench = Bench(capture_inputs=1.0)
    bench.champion()
    return bench


def tell(bench: Bench, *truths: Any) -> Any:
    response = bench.send("POST", FEEDBACK, {"truths": list(truths)})
    assert response.status == 200, response.body
    return said(response)


def told(bench: Bench) -> dict[Row, Any]:
    """Return the last truth of each row."""
    found = sorted(Truths(bench.captures, MODEL).of([TODAY]), key=lambda one: one[1].at)
    return {row: one.truth for row, one in found}


def test_a_truth_is_told_by_the_id_of_a_request_or_by_the_callers_own_key(bench: Bench) -> None:
    answer = tell(bench, {"request": "r-1", "truth": "benign"}, {"key": "order 17", "row": 3, "truth": "malignant"})
    assert answer == {"model": MODEL, "taken": 2, "refused": []}
    assert told(bench) == {
        Row(REQUEST, "r-1", 0): "benign",
        Row(KEY, pseudonym("order 17", 32), 3): "malignant",
    }
    [key] = bench.captures.keys(f"{MODEL}/truths")
    assert b"order 17" not in bench.captures.get(key)


def test_the_key_that_comes_with_a_request_is_captured_as_its_pseudonym(bench: Bench) -> None:
    sent = {"instances": [BENIGN]}
    assert bench.send("POST", "/predict", sent, headers={"x-feedback-key": " order 17 "}).status == 200
    bench.clock.forward(2)
    bench.predict()
    first, second = bench.captured()
    assert (first["key"], "key" in second) == (pseudonym("order 17", 32), False)
    for key in ("", " ", "x" * 129, "\u00c4rger 17", "a\tb"):
        refused = bench.send("POST", "/predict", sent, headers={"x-feedback-key": key})
        assert (refused.status, "1 to 128 characters" in said(refused)["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("item", "field", "why"),
    [
        ({"request": "r", "truth": "bening"}, "truth", "is not one of benign, malignant"),
        ({"request": "r", "truth": None}, "truth", "is missing; accepted: one of benign, malignant"),
        ({"request": "r"}, "truth", "is missing"),
        ({"request": "r", "truth": ["benign"]}, "truth", "is not one of benign, malignant"),
        ({"truth": "benign"}, "request", "is missing; accepted: it, or key"),
        ({"request": "r", "key": "k", "truth": "benign"}, "request", "is one of two names; accepted: it, or key"),
        ({"request": "", "truth": "benign"}, "request", "is not a text of 1 to 128 characters of ASCII"),
        ({"key": 17, "truth": "benign"}, "key", "is not a text of 1 to 128 characters of ASCII"),
        ({"key": "\u00c4rger 17", "truth": "benign"}, "key", "is not a text of 1 to 128 characters of ASCII"),
        ({"request": "r", "row": 100, "truth": "benign"}, "row", "is not a whole number from 0 to 99"),
        ({"request": "r", "row": True, "truth": "benign"}, "row", "is not a whole number"),
        ({"request": "r", "label": "benign", "truth": "benign"}, "label", "is not part of a truth"),
        ("benign", "", "is not an object"),
    ],
)
def test_an_item_that_does_not_fit_is_refused_with_its_place_and_the_others_are_taken(
    shared: Bench, item: Any, field: str, why: str
) -> None:
    answer = tell(shared, {"request": "fits", "truth": "benign"}, item)
    [refused] = answer["refused"]
    assert (answer["taken"], refused["item"], refused["field"]) == (1, 1, field)
    assert refused["message"].startswith(why)


def test_a_batch_that_is_sent_again_is_one_object_and_keeps_its_time(bench: Bench) -> None:
    batch = [{"request": "r-1", "truth": "benign"}]
    tell(bench, *batch)
    bench.clock.forward(60)
    tell(bench, {"request": "r-1", "truth": "malignant"})
    bench.clock.forward(60)
    tell(bench, *batch)
    assert len(list(bench.captures.keys(f"{MODEL}/truths"))) == 2
    assert told(bench) == {Row(REQUEST, "r-1", 0): "malignant"}


def test_of_two_truths_of_a_row_in_one_batch_the_last_one_counts(bench: Bench) -> None:
    answer = tell(bench, {"request": "r", "truth": "benign"}, {"request": "r", "truth": "malignant"})
    assert (answer["taken"], told(bench)) == (2, {Row(REQUEST, "r", 0): "malignant"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"truths": []}, 400),
        ({"truths": {}}, 400),
        ({}, 400),
        ([], 400),
        ({"truths": [1], "more": 1}, 400),
        (b"{", 400),
        ({"truths": [0] * 10_001}, 413),
    ],
)
def test_what_is_no_list_of_truths_is_refused_as_a_whole_in_the_protocols_words(
    shared: Bench, body: Any, status: int
) -> None:
    response = shared.send("POST", FEEDBACK, body)
    assert (response.status, list(said(response))) == (status, ["error"])


def test_a_stack_that_captures_no_rows_says_that_truths_are_of_no_use() -> None:
    bench = Bench()
    bench.champion()
    assert "capture.inputs" in tell(bench, {"request": "r", "truth": "benign"})["warning"]


def test_before_a_version_is_live_nobody_knows_its_classes() -> None:
    response = Bench().send("POST", FEEDBACK, {"truths": [{"request": "r", "truth": "benign"}]})
    assert (response.status, "retry-after" in response.headers) == (503, True)


def test_a_finished_model_without_classes_has_no_truths() -> None:
    response = serve(pair()).send("POST", FEEDBACK, {"truths": [{"request": "r", "truth": "benign"}]})
    assert (response.status, "names no classes" in said(response)["error"]) == (400, True)


def test_another_model_is_not_told(shared: Bench) -> None:
    assert shared.send("POST", "/v2/models/other/feedback", {"truths": []}).status == 404


def test_batches_that_are_damaged_are_passed_over(bench: Bench) -> None:
    for count in range(3):
        tell(bench, {"request": f"r-{count}", "truth": "benign"})
    bench.captures.put(f"{MODEL}/truths/{TODAY}/damaged.json", b"{")
    bench.captures.put(f"{MODEL}/truths/{TODAY}/other.json", json.dumps({"truths": [[1]], "at": 1}).encode())
    strange = [["request", ["r"], {}, "benign"]], [["request", "r", 0, ["benign"]]]
    for at, truths in enumerate(strange):
        bench.captures.put_json(f"{MODEL}/truths/{TODAY}/strange-{at}.json", {"at": 1, "truths": truths})
    assert len(told(bench)) == 3


def test_a_batch_that_is_sent_again_on_a_later_day_counts_as_of_the_first(bench: Bench) -> None:
    for day in range(2):
        tell(bench, {"request": "r-1", "truth": "benign"})
        if not day:
            tell(bench, {"request": "r-1", "truth": "malignant"})
            bench.clock.forward(86_400)
    found = Truths(bench.captures, MODEL).of([TODAY, "2026-09-22"])
    assert sorted(one.truth for _, one in found) == ["benign", "malignant"]


def test_of_very_many_batches_an_even_share_is_read_by_the_digests_that_name_them(bench: Bench) -> None:
    for number in range(9):
        tell(bench, {"request": f"r-{number}", "truth": "benign"})
    truths = Truths(bench.captures, MODEL)
    assert [len(list(truths.of([TODAY], most))) for most in (None, 9, 5, 4, 1)] == [9, 9, 5, 3, 1]
    assert list(truths.of([TODAY], 4)) == list(truths.of([TODAY], 4))
