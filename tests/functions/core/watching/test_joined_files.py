"""A day is joined with its truths wherever it is: in objects, in files, in both, and while its files are made."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

from functions.core.registry.truths import KEY, REQUEST, Row
from functions.core.storage.objects import Objects
from functions.core.watching.captured_columns import columns_of
from functions.core.watching.compaction import Compaction
from functions.core.watching.labelled import LabelledDays
from functions.core.watching.qualities import Qualities
from interface import layout
from models.catalogue import load
from tests.functions.core.watching.rows import DAY, MODEL, VERSION, named
from tests.functions.core.watching.told import Callers, by_key, register

CHALLENGER, GONE = "c" * 16, "f" * 16


def compact(callers: Callers, *, at_once: int = 20) -> None:
    checks = callers.service.checks
    Compaction(checks.captures, MODEL, checks.columns, at_once=at_once).compact(named(0))


def card(callers: Callers, version: str) -> dict[str, Any] | None:
    return callers.service.models.find_json(f"{MODEL}/{layout.VERSIONS}{version}/card.json")


def joined(callers: Callers, captures: Any = None) -> Any:
    """Return what a day comes to, and its labelled rows."""
    days = LabelledDays(captures or callers.service.captures, callers.answered, MODEL, lambda one: card(callers, one))
    found, rows = days.join(named(0), named(0))
    return found.document(), [row.document() for row in rows]


def trained() -> Callers:
    """Return callers who tell the truths of requests of every kind, by id and by key."""
    callers = Callers()
    service = callers.service
    register(service, CHALLENGER)
    asked = [
        *service.ask(0, 12, rows=3),
        *service.ask(0, 5, version=CHALLENGER),
        *service.ask(0, 5, redacted=("age",)),
        *service.ask(0, 2, version=GONE),
    ]
    failed, keyed = service.ask(1, 4, version=CHALLENGER), service.ask(1, 2)
    for at, record in enumerate([*failed, *keyed]):
        record["time"] = DAY.timestamp() + at / 8
    for record in failed:
        record |= {"error": "failed", "answered_by": VERSION, "rows": 1}
    rows = [by_key(record, "k" * 32) for record in keyed]
    shapeless = {**keyed[0], "request": "shapeless", "inputs": [[1.0]], "key": "s" * 32}
    service.write(0, failed[:2])
    service.write(0, [*failed[2:], *keyed, shapeless, {"request": "none", "version": VERSION, "variant": "champion"}])
    truths = callers.truths([*asked, *failed])
    callers.tell(0, {**truths, rows[0]: "yes", Row(KEY, "s" * 32, 0): "yes", Row(REQUEST, "nobody", 0): "no"})
    return callers


def finished() -> Callers:
    """Return callers of a finished model with classes, which takes tables, and sometimes pictures."""
    contract = load("file_type")
    scores = list(Callers(contract=contract).answered.truth.categories)  # ty: ignore[invalid-argument-type]
    callers = Callers(contract=contract)  # ty: ignore[invalid-argument-type]
    facts = {"task": "finished", "scores": {"output": "out", "classes": scores}, "columns": {}}
    for version in (VERSION, CHALLENGER):
        callers.service.models.put_json(f"{MODEL}/{layout.VERSIONS}{version}/card.json", facts)
    records = []
    for at in range(12):
        numbers = callers.service.rng.random((2, len(scores))).astype("float32").astype(float)
        picture = {"datatype": "FP32", "shape": [2, 2, 2], "data": [0.5] * 8}
        table = {"datatype": "FP32", "shape": [2, 2], "data": [0.5, 1.5, 2.5, at]}
        out = {"datatype": "FP32", "shape": list(numbers.shape), "data": numbers.ravel().tolist()}
        records.append(
            {
                "time": DAY.timestamp() + at,
                "request": f"r{at}",
                "version": VERSION if at % 3 else CHALLENGER,
                "rows": 2,
                "inputs": {"x": picture if at % 4 == 1 else table},
                "outputs": {"out": out},
            }
        )
    records[0] |= {"error": "failed", "answered_by": VERSION}
    callers.service.write(0, records[:5])
    callers.service.write(0, records[5:])
    callers.tell(0, {Row(REQUEST, f"r{at}", row): scores[at % 3] for at in range(11) for row in range(2)})
    return callers


@pytest.mark.parametrize(
    ("made", "rows", "captured"),
    [(trained, 51, {VERSION: 47, CHALLENGER: 5}), (finished, 22, {VERSION: 18, CHALLENGER: 6})],
)
def test_a_day_in_files_is_joined_to_the_same_rows_as_in_objects(
    made: Callable[[], Callers], rows: int, captured: dict[str, int]
) -> None:
    callers = made()
    in_objects = joined(callers)
    assert (len(in_objects[1]), in_objects[0]["captured"]) == (rows, captured)
    compact(callers)
    assert not list(callers.service.captures.keys(f"{MODEL}/{named(0)}"))
    assert joined(callers) == in_objects


def test_what_nobody_can_read_is_told_alike_of_objects_and_files() -> None:
    callers = trained()
    found = joined(callers)[0]
    assert (found["gone"], found["unknown"], found["lacks"]) == (3, 4, ("age",))
    compact(callers)
    assert joined(callers)[0] == found


def test_a_day_half_of_which_is_in_files_has_each_row_once() -> None:
    callers = trained()
    whole = joined(callers)
    content = {key: callers.service.captures.get(key) for key in callers.service.captures.keys(f"{MODEL}/{named(0)}")}
    late = sorted(content)[::2]
    callers.service.captures.remove(late)
    compact(callers)
    for key in late:
        callers.service.captures.put(key, content[key])
    assert joined(callers) == whole


class Moving:
    """A store in which the files of a day are made while it is read."""

    def __init__(self, objects: Objects, move: Callable[[], None], at: int) -> None:
        self._objects, self._move, self._at, self.calls = objects, move, at, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def find(self, key: str) -> bytes | None:
        self.calls += 1
        if self.calls == self._at:
            self._move()
        return self._objects.find(key)


def test_files_that_are_made_while_a_day_is_joined_change_nothing() -> None:
    calls = Moving(trained().service.captures, lambda: None, 0)
    whole = joined(trained(), calls)
    assert calls.calls > 12
    for at in range(1, calls.calls + 1, 3):
        callers = trained()
        moving = Moving(callers.service.captures, lambda callers=callers: compact(callers), at)
        assert joined(callers, moving) == whole, at


def test_what_was_redacted_is_empty_in_the_table_and_a_reason_to_learn_nothing_from_it() -> None:
    callers = Callers()
    records = callers.service.ask(0, 40, redacted=("age", "colour"))
    callers.tell(0, callers.truths(records))
    compact(callers)
    callers.quality(0)
    lines = list(csv.DictReader(io.StringIO(callers.table(0))))
    assert {(line["age"], line["colour"]) for line in lines} == {("", "")}
    assert [float(line["size"]) for line in lines] == [
        pytest.approx(record["inputs"][0][0], rel=1e-6) for record in records
    ]
    place = f"{MODEL}/{layout.LABELLED}{named(0)}"
    assert callers.service.captures.get_json(f"{place}/joined.json")["lacks"] == ["colour", "age"]
    assert b"d1" not in callers.service.captures.get(f"{place}/rows.jsonl")


def test_a_card_of_another_kind_of_model_has_no_rows_that_can_be_joined() -> None:
    callers = Callers()
    callers.tell(0, callers.truths(callers.service.ask(0, 3)))
    kind = {"task": "finished", "columns": {}, "outputs": []}
    callers.service.models.put_json(f"{MODEL}/{layout.VERSIONS}{VERSION}/card.json", kind)
    assert columns_of(kind) is not None
    found, rows = joined(callers)
    assert (found["gone"], rows) == (3, [])
    compact(callers)
    assert joined(callers) == (found, [])


def test_the_quality_of_now_is_the_same_before_and_after_the_night() -> None:
    callers = trained()
    qualities = Qualities(callers.service.models, callers.service.captures, MODEL, callers.answered)
    before = qualities.now(named(0), VERSION)
    compact(callers)
    assert qualities.now(named(0), VERSION) == before
