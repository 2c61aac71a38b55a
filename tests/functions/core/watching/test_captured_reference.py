"""A version whose training nobody knows is compared with its first captured rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functions.core.watching.captured_reference import ROWS, described
from functions.core.watching.compaction import Compaction
from functions.core.watching.counted import Counted
from functions.core.watching.drift import compare, worst
from functions.core.watching.reference import Reference
from tests.functions.core.watching.rows import MODEL, OTHER, Service, as_captured, drawn, named

WITH = "its first 2,000 captured rows, of"


@pytest.fixture
def service() -> Service:
    found = Service()
    found.finish(OTHER)
    return found


def states(check: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in check["columns"]}


def test_the_first_rows_are_taken_once_and_frozen_and_each_check_says_so(service: Service) -> None:
    service.ask_finished(0, 1_200)
    service.ask_finished(1, 900)
    service.ask_finished(2, 700)
    assert not service.checks.refer(OTHER, named(1))
    assert service.check(0, OTHER)["said"].endswith("what later ones are compared with; none so far")
    assert service.check(1, OTHER)["said"].endswith("what later ones are compared with; 1,200 so far")
    assert service.checks.refer(OTHER, named(3))
    assert not service.checks.refer(OTHER, named(3))
    check = service.check(2, OTHER)
    assert set(states(check)) == {"x[0]", "x[1]", "said", "answer no", "answer yes"}
    told = f"700 rows of 700 requests: as in the first captured rows; compared with {WITH} {named(0)} to {named(1)}"
    assert (check["state"], check["said"]) == ("steady", told)
    assert service.check(1, OTHER)["said"] == f"this day is among {WITH} {named(0)} to {named(1)}"


def test_a_shift_of_a_column_is_seen_in_it_and_in_the_answers_and_confirmed_by_a_second_window(
    service: Service,
) -> None:
    service.ask_finished(0, 2_500)
    service.checks.refer(OTHER, named(1))
    for day in (1, 2):
        service.ask_finished(day, 800, shift=1.0)
    first, second = service.check(1, OTHER), service.check(2, OTHER)
    assert (first["state"], first["confirmed"]) == ("drifted", [])
    assert sorted(second["confirmed"]) == ["answer no", "answer yes", "x[0]"]
    assert (states(second)["x[1]"], states(second)["said"]) == ("steady", "steady")
    assert "of the rows, 10.0% in the first captured rows" in second["said"]


def test_no_more_than_the_first_rows_are_taken_and_no_file_takes_their_order(service: Service) -> None:
    service.ask_finished(0, 1_000, rows=3)
    Compaction(service.captures, MODEL, service.checks.columns, at_once=100).compact(named(0))
    assert service.checks.refer(OTHER, named(1))
    document = service.models.get_json(f"{MODEL}/references/{OTHER}.json")
    assert (document["rows"], document["requests"], document["from"]) == (2_001, 667, named(0))
    categories = document["features"]["said"]["categories"]
    assert categories == ["often", "(other)"]


def test_reference_and_rows_of_requests_of_many_rows_prove_less(service: Service) -> None:
    service.ask_finished(0, 20, rows=100)
    service.checks.refer(OTHER, named(1))
    service.ask_finished(1, 600)
    chance = {one["name"]: one["chance"] for one in service.check(1, OTHER)["columns"]}
    assert chance["x[0]"] > 0.5


def test_what_has_no_columns_is_never_a_reference(service: Service) -> None:
    image = {"datatype": "FP32", "shape": [1, 3, 8, 8], "data": [0.0] * 192}
    record = {"version": OTHER, "variant": "champion", "rows": 1, "inputs": {"image": image}, "outputs": {"y": image}}
    service.write(0, [record] * 3)
    check = service.check(0, OTHER)
    assert (check["unread"], check["state"], service.checks.refer(OTHER, named(1))) == (3, "few", False)


def test_the_windows_of_a_healthy_finished_model_hardly_ever_raise_an_alarm() -> None:
    """However its first rows happened to be: of 60 references and 10 windows each one in a hundred may be false."""
    rng = np.random.default_rng(5)
    drifted = []
    for _ in range(60):
        document = described(OTHER, as_captured(*drawn(rng, ROWS)), (named(0), named(0)))
        reference = Reference.of_captured(document)
        for _ in range(10):
            cells = reference.count(as_captured(*drawn(rng, 500)))
            counted = Counted(requests=500, callers={"": 500}, cells=cells)
            drifted.append(worst(compare(reference, counted)) == "drifted")
    assert np.mean(drifted) <= 0.01
