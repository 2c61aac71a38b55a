from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from functions.core.registry.captures import LONG, MOST, Captures, folder, written_at
from functions.core.runtime.log import Log
from functions.core.storage.objects import Objects
from tests.functions.serving import Away, Clock


class Written:
    def __init__(self) -> None:
        self.objects = Objects.in_memory()
        self.away = Away(self.objects)
        self.clock = Clock()
        self.lines = io.StringIO()
        store: Any = self.away
        self.captures = Captures(store, "tumour", Log(stream=self.lines), clock=self.clock)

    def add(self, record: dict[str, Any]) -> None:
        """Do as a request does that is captured."""
        self.captures.add(record)
        self.captures.write()

    @property
    def keys(self) -> list[str]:
        return sorted(self.objects.keys("tumour"))

    @property
    def numbers(self) -> list[int]:
        return [json.loads(line)["n"] for key in self.keys for line in self.objects.get(key).splitlines()]


@pytest.fixture
def written() -> Written:
    return Written()


def test_the_key_of_an_object_tells_when_it_was_written_to_the_second(written: Written) -> None:
    for seconds in (0, 59.9, 3600, 86_400):
        written.clock.forward(seconds)
        before = set(written.keys)
        written.add({"n": 1})
        written.clock.forward(2)
        (key,) = set(written.keys) - before
        assert written_at(key) == int(written.clock() - 2)


@pytest.mark.parametrize(
    "key", ["", "notes.txt", "tumour/2026-11-30/10/notes.txt", "tumour/2026-11-30/10/9960-a.jsonl"]
)
def test_another_key_tells_no_time(key: str) -> None:
    assert written_at(key) is None


def test_the_first_record_is_written_at_once_and_the_next_ones_once_a_second(written: Written) -> None:
    for number in range(10):
        written.add({"n": number})
        written.clock.forward(0.25)
    assert written.numbers == [0, *range(1, 5), *range(5, 9)]
    assert len(written.keys) == 3


def test_a_long_buffer_does_not_wait(written: Written) -> None:
    for number in range(LONG + 1):
        written.add({"n": number})
    assert sorted(written.numbers) == list(range(LONG + 1))
    assert len(written.keys) == 2


def test_an_object_lies_in_its_hour_and_begins_with_its_second(written: Written) -> None:
    written.add({"n": 0})
    [key] = written.keys
    assert re.fullmatch(r"tumour/2026-09-21/14/1320-[0-9a-f]{32}\.jsonl", key)
    assert key.startswith(folder("tumour", written.clock()))


def test_a_store_that_is_away_costs_no_request_and_no_record(written: Written) -> None:
    written.away.broken = lambda *_: True
    for number in range(5):
        written.add({"n": number})
        written.clock.forward(1)
    assert written.lines.getvalue().count("captures not written") == 1
    written.away.broken = lambda *_: False
    written.clock.forward(10)
    written.add({"n": 5})
    assert written.numbers == list(range(6))
    written.clock.forward(1)
    written.add({"n": 6})
    assert sorted(written.numbers) == list(range(7))


def test_a_store_that_cannot_be_reached_fills_no_memory(written: Written) -> None:
    written.away.broken = lambda *_: True
    for number in range(MOST + 500):
        written.add({"n": number})
    assert written.lines.getvalue().count("captures not written") == 1
    written.away.broken = lambda *_: False
    written.clock.forward(60)
    written.add({"n": MOST + 500})
    assert written.numbers == list(range(501, MOST + 501))
    for number in range(LONG):
        written.add({"n": number})
    assert len(written.numbers) == MOST + LONG


def test_a_record_that_is_not_json_is_ignored(written: Written) -> None:
    written.add({"n": float("nan")})
    assert written.keys == []
    assert "captures not written" in written.lines.getvalue()
