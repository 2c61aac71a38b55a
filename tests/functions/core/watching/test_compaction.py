"""However compaction goes, and whenever one looks, each captured request is there once."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from arro3.io import read_parquet

from functions.core.registry import usage_records
from functions.core.registry.daily_usage import DailyUsage
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Conflict, Objects, Unreadable, canonical
from functions.core.watching.captured_day import Moved, again
from functions.core.watching.compaction import Compaction
from functions.core.watching.counted import CountedDay
from tests.functions.core.watching.rows import CARD, DAY, MODEL, VERSION, Service, named

USED = {
    VERSION: Usage(calls=3, seconds=0.5, gb_seconds=0.5, usd=1e-6, kwh=1e-7, grams_operational=0.1),
    "none": Usage(1),
}
CHANGING = ("put", "create_json", "replace_json", "remove")


class Failing:
    """A store of which a call that changes something fails, before or after it has."""

    def __init__(self, objects: Objects, at: int, *, late: bool) -> None:
        self.objects, self.at, self.late, self.calls = objects, at, late, 0

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.objects, name)
        if name not in CHANGING:
            return operation

        def guarded(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self.at and not self.late:
                raise OSError("gone")
            result = operation(*arguments)
            if self.calls == self.at:
                raise OSError("gone")
            return result

        return guarded


def filled() -> Service:
    """Return a service with a day of every kind of capture, in many objects."""
    service = Service()
    for number in range(8):
        service.ask(0, 5, rows=1 + number % 3, caller=f"c{number}", redacted=("age",) if number == 5 else ())
    service.ask(0, 2, version="f" * 16)
    known = {"request": "r", "caller": "c", "model": MODEL, "variant": "challenger", "time": DAY.timestamp() + 0.25}
    compared = {"champion": {"version": VERSION, "ms": 1.5}, "ms": 2.5, "rows": 1, "status": 200, "agreed": 1}
    failed = {"error": "failed", "inputs": [[1.0, 0.0, 1.0, 3.0]], "outputs": [[0.5, 0.5]]}
    service.write(0, [{**known, **compared, "version": VERSION}, {**known, **failed, "version": "0" * 16}])
    service.write(0, [{**known, "version": VERSION, "inputs": [[1.0]], "outputs": [[0.5, 0.5]]}])
    place = f"{MODEL}/{named(0)}/13/0000-used{usage_records.written(USED)}.jsonl"
    service.captures.put(place, b"")
    return service


def compaction(service: Service, captures: Any = None, *, at_once: int = 20) -> Compaction:
    return Compaction(captures or service.captures, MODEL, service.checks.columns, at_once=at_once)


def seen(service: Service) -> tuple[Any, ...]:
    """Return all that can be read of the day."""
    counted = CountedDay(service.checks.captured(named(0)), service.checks.reference).read()
    records = again(service.checks.captured(named(0)).records)
    told = Counter(
        canonical({key: value for key, value in one.items() if key not in ("inputs", "outputs", "redacted")})
        for one in records
    )
    usage = DailyUsage(model=MODEL, models=service.models, captures=service.captures, jobs=Objects.in_memory()).sums(
        [named(0)]
    )
    versions = {name: one.document() for name, one in counted.versions.items()}
    return counted.unread, versions, told, usage[named(0)].document()


def left(service: Service) -> Counter[str]:
    return Counter(key.split("/")[1] for key in service.captures.keys(MODEL))


def test_what_was_in_many_objects_is_in_a_few_files_and_reads_the_same() -> None:
    service = filled()
    before, objects = seen(service), left(service)[named(0)]
    assert before[0] == 3
    assert compaction(service).days(named(1)) == [named(0)]
    assert compaction(service).compact(named(0)) == objects
    assert left(service) == {"files": 5, "index": 1}
    assert seen(service) == before
    assert compaction(service).days(named(1)) == []


def test_compacted_twice_is_compacted_once() -> None:
    service = filled()
    compaction(service).compact(named(0))
    before = seen(service), left(service)
    assert compaction(service).compact(named(0)) == 0
    assert (seen(service), left(service)) == before


@pytest.mark.parametrize("late", [False, True])
def test_a_call_that_is_cut_off_anywhere_loses_nothing_and_the_next_one_carries_it_on(late: bool) -> None:
    whole = filled()
    before, calls = seen(whole), Failing(whole.captures, 0, late=late)
    compaction(whole, calls).compact(named(0))
    assert calls.calls >= 13
    for at in range(1, calls.calls + 1):
        service = filled()
        with pytest.raises(OSError, match="gone"):
            compaction(service, Failing(service.captures, at, late=late)).compact(named(0))
        assert seen(service) == before, at
        compaction(service).compact(named(0))
        assert seen(service) == before, at
        assert left(service) == left(whole), at


def test_of_two_calls_at_once_the_first_one_ends_and_removes_nothing_more() -> None:
    for at in range(1, 20):
        service = filled()
        before, other = seen(service), compaction(service, at_once=15)
        overtaken = Overtaken(service.captures, at, lambda other=other: other.compact(named(0)))
        try:
            compaction(service, overtaken).compact(named(0))
        except Conflict:
            assert overtaken.calls >= at
        assert seen(service) == before, at
        compaction(service).compact(named(0))
        assert seen(service) == before, at


class Overtaken(Failing):
    """A store in which another call compacts the day before a call that changes something."""

    def __init__(self, objects: Objects, at: int, other: Callable[[], object]) -> None:
        super().__init__(objects, at, late=False)
        self.other = other

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.objects, name)
        if name not in CHANGING:
            return operation

        def guarded(*arguments: Any) -> Any:
            self.calls += 1
            if self.calls == self.at:
                self.other()
            return operation(*arguments)

        return guarded


def test_a_day_that_is_compacted_while_it_is_read_is_read_anew() -> None:
    service = filled()
    before, reading = seen(service), service.checks.captured(named(0))
    rows = reading.rows()
    next(rows)
    compaction(service).compact(named(0))
    with pytest.raises(Moved):
        list(rows)
    assert seen(service) == before


def test_what_is_written_late_is_a_file_more() -> None:
    service = filled()
    compaction(service).compact(named(0))
    files = left(service)["files"]
    service.ask(0, 3)
    before = seen(service)
    assert compaction(service).compact(named(0)) == 1
    assert (seen(service), left(service)) == (before, {"files": files + 1, "index": 1})


def test_a_file_has_a_line_for_each_row_and_columns_that_can_be_asked_for_by_name() -> None:
    service = Service()
    service.ask(0, 2, rows=2, redacted=("colour",))
    record = {"time": DAY.timestamp(), "request": "r1", "caller": "c", "variant": "champion", "version": VERSION}
    service.write(0, [{**record, "status": 200, "ms": 0.5, "rows": 1}])
    compaction(service).compact(named(0))
    [key] = [key for key in service.captures.keys(MODEL) if key.endswith(".parquet")]
    assert key.startswith(f"{MODEL}/files/version={VERSION}/day={named(0)}/")
    table = read_parquet(io.BytesIO(service.captures.get(key))).read_all()
    assert set(table.schema.names) >= {
        "_time",
        "_request",
        "_row",
        "size",
        "visits",
        "age",
        "_answer_yes",
        "_hash_colour",
    }
    assert "colour" not in table.schema.names
    assert table["_row"].to_pylist() == [0, 1, 0, 1, None]
    assert table["_time"].to_pylist()[-1] == DAY
    assert table["_hash_colour"].to_pylist() == ["d1"] * 4 + [None]


def test_a_column_whose_name_the_file_gives_to_something_else_keeps_its_values() -> None:
    service = Service()
    features = [{"name": name} for name in ("_time", "day", "version", "__row")]
    folder = f"{MODEL}/versions/{VERSION}"
    service.models.put_json(f"{folder}/card.json", {**CARD, "features": features})
    row = {"version": VERSION, "variant": "champion", "inputs": [[1.0, 2.0, 3.0, 4.0]], "outputs": [[0.5, 0.5]]}
    service.write(0, [row])
    compaction(service).compact(named(0))
    [(_, rows)] = service.checks.captured(named(0)).rows()
    assert {name: values.tolist() for name, values in rows.inputs.items()} == {
        "_time": [1.0], "day": [2.0], "version": [3.0], "__row": [4.0],
    }  # fmt: skip


def test_a_file_that_was_cut_short_is_a_sentence_and_no_end_of_the_process() -> None:
    service = filled()
    compaction(service).compact(named(0))
    key = next(key for key in service.captures.keys(f"{MODEL}/files"))
    whole = service.captures.get(key)
    for content in (b"", whole[:-1], whole[: len(whole) // 2], whole[-12:]):
        service.captures.put(key, content)
        with pytest.raises(Unreadable, match="a file of captures is damaged"):
            list(service.checks.captured(named(0)).rows())


def test_days_are_told_by_their_names_and_today_is_left_alone() -> None:
    service = Service()
    for day in range(3):
        service.ask(day, 1)
    service.captures.put(f"{MODEL}/notes/{named(0)}.txt", b"a person's own")
    assert compaction(service).days(named(2)) == [named(0), named(1)]
