from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from functions.core.watching.counted import Counted
from functions.core.watching.drift import compare, worst
from functions.core.watching.reference import Reference
from tests.functions.core.watching.rows import FEATURES, OTHER, VERSION, Service, as_captured, drawn, named, profile


def states(check: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in check["columns"]}


def test_rows_like_those_of_the_training_are_steady() -> None:
    service = Service()
    service.ask(0, 2_000)
    check = service.check(0)
    assert set(states(check).values()) == {"steady"}
    assert "probability of yes" in states(check)
    assert check["state"] == "steady"
    assert check["said"] == "2,000 rows of 2,000 requests: as in training"
    assert check["window"] == {"from": named(0), "to": named(0), "rows": 2_000, "requests": 2_000}


def test_a_shift_is_named_with_what_moved_and_confirmed_by_a_second_window() -> None:
    service = Service()
    service.ask(0, 2_000, shift=1.0)
    first = service.check(0)
    assert (first["state"], first["confirmed"]) == ("drifted", [])
    assert (states(first)["size"], states(first)["visits"]) == ("drifted", "steady")
    assert states(first)["probability of yes"] == "drifted"
    assert first["said"].startswith("2,000 rows of 2,000 requests: drifted: ")
    assert "and more: " in first["said"]
    assert "of the rows, 10.0% in training" in first["said"]
    service.ask(1, 2_000, shift=1.0)
    second = service.check(1)
    assert sorted(second["confirmed"]) == ["probability of yes", "size"]
    assert second["said"].endswith("a second time: the window before had drifted, too")


def test_a_window_as_in_training_takes_the_suspicion_back() -> None:
    service = Service()
    for day, shift in enumerate((1.0, 0.0, 1.0)):
        service.ask(day, 2_000, shift=shift)
    assert [service.check(day)["confirmed"] for day in range(3)] == [[], [], []]


@pytest.mark.parametrize(
    ("how", "column", "cell"), [({"lost": 0.25}, "age", "missing"), ({"other": 0.2}, "colour", "(other)")]
)
def test_values_that_are_missing_or_unseen_far_more_often_are_drift(
    how: dict[str, Any], column: str, cell: str
) -> None:
    service = Service()
    service.ask(0, 1_000, **how)
    found = next(one for one in service.check(0)["columns"] if one["name"] == column)
    assert found["state"] == "drifted"
    assert found["said"].startswith(f"{cell}: ")


def test_a_small_shift_of_very_many_rows_is_no_drift() -> None:
    reference = Reference.of(profile(*drawn(np.random.default_rng(1), 50_000)), FEATURES)
    rows = drawn(np.random.default_rng(2), 200_000, shift=0.02)
    found = compare(
        reference, Counted(requests=200_000, callers={"": 200_000}, cells=reference.count(as_captured(*rows)))
    )
    size = next(one for one in found if one.name == "size")
    assert size.index > size.chance / 10
    assert worst(found) == "steady"


def test_few_rows_say_nothing_and_those_of_the_days_before_are_added() -> None:
    service = Service()
    for day in range(4):
        service.ask(day, 200, shift=2.0)
    found = [service.check(day) for day in range(4)]
    assert [check["state"] for check in found] == ["few", "few", "drifted", "few"]
    assert found[0]["said"] == "200 rows of 200 requests: too few to tell; 500 rows are the least"
    assert found[2]["window"] == {"from": named(0), "to": named(2), "rows": 600, "requests": 600}
    assert found[3]["window"]["from"] == named(3)
    for day in (4, 5):
        service.ask(day, 200, shift=2.0)
    assert [sorted(service.check(day)["confirmed"]) for day in (4, 5)] == [[], ["probability of yes", "size"]]


def test_rows_of_more_than_two_weeks_ago_are_not_added() -> None:
    service = Service()
    service.ask(0, 400)
    service.check(0)
    service.ask(14, 400)
    assert service.check(14)["window"]["rows"] == 400
    service.ask(13, 400)
    assert service.check(13)["window"]["rows"] == 800


def test_a_few_requests_of_many_rows_prove_less_than_as_many_rows_of_requests_of_their_own() -> None:
    alone, together = Service(seed=4), Service(seed=4)
    alone.ask(0, 1_000, shift=0.6)
    together.ask(0, 10, rows=100, shift=0.6)
    assert alone.check(0)["state"] == "drifted"
    check = together.check(0)
    assert check["state"] == "steady"
    wanted = "; 10 requests are too few to tell whether more than chance moved size, probability of yes"
    assert check["said"] == f"1,000 rows of 10 requests: as in training{wanted}"


def test_a_day_without_a_captured_row_says_so() -> None:
    service = Service()
    service.write(0, [{"version": VERSION, "variant": "champion", "rows": 1}])
    check = service.check(0)
    assert (check["state"], check["said"], check["columns"]) == ("few", "no row was captured", [])


def test_what_nearly_all_rows_have_in_common_is_told_where_it_is_their_caller() -> None:
    service = Service()
    service.ask(0, 950, caller="busy")
    service.ask(0, 50)
    assert service.check(0)["said"].endswith("as in training; 95% of them came from one caller")


def test_a_promotion_begins_anew_with_what_the_new_version_learnt_from() -> None:
    service = Service()
    service.ask(0, 1_000, shift=2.0)
    assert service.check(0)["state"] == "drifted"
    service.learn(OTHER, shift=2.0)
    assert service.checks.check(named(0), OTHER)["said"] == (
        "no row was captured of this version yet, and 1,000 of others on this day"
    )
    service.ask(1, 600, shift=2.0)
    service.ask(1, 600, shift=2.0, version=OTHER)
    check = service.check(1, OTHER)
    assert (check["state"], check["window"]["rows"]) == ("steady", 600)
    assert check["versions"].keys() == {VERSION, OTHER}
    service.ask(2, 1_000, version=OTHER)
    assert (service.check(2, OTHER)["state"], service.check(2, OTHER)["confirmed"]) == ("drifted", [])


def test_captures_of_a_version_that_is_gone_or_of_other_columns_are_counted_as_unread() -> None:
    service = Service()
    service.ask(0, 3, version="f" * 16)
    service.write(0, [{"version": VERSION, "inputs": [[1.0]], "outputs": [[0.5, 0.5]]}])
    service.ask(0, 600)
    check = service.check(0)
    assert (check["unread"], check["window"]["rows"]) == (4, 600)


def test_objects_that_were_cut_off_are_passed_over() -> None:
    service = Service()
    service.ask(0, 500)
    key = next(iter(service.captures.keys("tumour")))
    whole = service.captures.get(key)
    service.captures.put(key.replace(".jsonl", "2.jsonl"), whole[: len(whole) // 2])
    assert 740 <= service.check(0)["window"]["rows"] <= 750


def test_without_a_champion_or_with_one_that_is_gone_the_check_says_why_there_is_none() -> None:
    service = Service()
    service.ask(0, 600)
    assert service.check(0, None)["said"] == "no version is live"
    assert service.check(0, "f" * 16)["said"].startswith("the live version is gone from the registry")


def test_a_check_is_stored_as_json_and_the_same_however_often_it_is_made() -> None:
    service = Service()
    service.ask(0, 700, rows=3)
    first = service.check(0)
    assert service.check(0) == first == json.loads(json.dumps(first, allow_nan=False))
    assert service.checks.read(named(0)) == first
    assert service.checks.days() == [named(0)]


def test_the_windows_of_a_healthy_model_hardly_ever_raise_an_alarm() -> None:
    """Of a thousand daily windows one in a hundred may be false at most, and none is confirmed by the next."""
    rng = np.random.default_rng(11)
    reference = Reference.of(profile(*drawn(rng, 2_000)), FEATURES)
    drifted = []
    for _ in range(1_000):
        cells = reference.count(as_captured(*drawn(rng, 500)))
        drifted.append(worst(compare(reference, Counted(requests=500, callers={"": 500}, cells=cells))) == "drifted")
    assert np.mean(drifted) <= 0.01
    assert not any(one and other for one, other in pairwise(drifted))


def test_of_a_prediction_with_an_interval_the_prediction_is_looked_at() -> None:
    rng = np.random.default_rng(2)
    inputs, _ = drawn(rng, 600)
    values = rng.normal(size=600)
    document = profile(inputs, values[:, None])
    document["answers"] |= {"of": "prediction", "at": 0}
    reference = Reference.of(document, FEATURES)
    answered = np.column_stack([values, values - 9, values + 9])
    counted = Counted(requests=600, callers={"": 600}, cells=reference.count(as_captured(inputs, answered)))
    assert worst(compare(reference, counted)) == "steady"


def test_a_redacted_column_is_not_compared_and_that_is_said() -> None:
    service = Service()
    service.ask(0, 1_000, redacted=("age", "colour"))
    service.ask(0, 200)
    check = service.check(0)
    assert set(states(check)) == {"size", "visits", "probability of yes"}
    assert check["redacted"] == ["age", "colour"]
    assert check["said"] == "1,200 rows of 1,200 requests: as in training"


def test_a_window_with_a_day_of_redacted_captures_does_not_compare_the_column() -> None:
    service = Service()
    service.ask(0, 400, redacted=("age",))
    service.check(0)
    service.ask(1, 400)
    check = service.check(1)
    assert check["window"]["rows"] == 800
    assert check["redacted"] == ["age"]
    assert "age" not in states(check)
