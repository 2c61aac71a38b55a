from __future__ import annotations

import pytest

from interface.window import Window, seconds_of_day

DAY, HOUR = 86_400, 3_600


def window(between: str | None = None, **changes: float) -> Window:
    return Window(**{"deadline_seconds": 12 * HOUR, "run_seconds": HOUR, "between": between, **changes})  # ty: ignore[invalid-argument-type]


def test_a_window_comes_out_of_json_as_it_went_in() -> None:
    whole = window("22:00-06:00")
    assert Window.from_json(whole.to_json()) == whole
    assert Window.from_json(window().to_json()) == window()


@pytest.mark.parametrize("text", ["22-06", "24:00-06:00", "22:00-06:60", "22:00", "", "22:00-06:00 ", "6:00-7:00"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="two times of the day"):
        seconds_of_day(text)


def test_hours_that_begin_when_they_end_are_refused() -> None:
    with pytest.raises(ValueError, match="begin when they end"):
        seconds_of_day("06:00-06:00")


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        pytest.param(20 * HOUR, 32 * HOUR, [(22 * HOUR, 30 * HOUR)], id="over midnight"),
        pytest.param(23 * HOUR, 25 * HOUR, [(23 * HOUR, 25 * HOUR)], id="inside"),
        pytest.param(2 * HOUR, 23 * HOUR, [(2 * HOUR, 6 * HOUR), (22 * HOUR, 23 * HOUR)], id="two nights"),
        pytest.param(6 * HOUR, 7 * HOUR, [(6 * HOUR, 6 * HOUR)], id="its last moment"),
        pytest.param(7 * HOUR, 21 * HOUR, [], id="by day"),
        pytest.param(9 * HOUR, 8 * HOUR, [], id="backwards"),
    ],
)
def test_the_parts_of_a_window_are_its_hours_between_two_times(
    begin: float, end: float, expected: list[tuple[float, float]]
) -> None:
    later = 20_000 * DAY
    found = window("22:00-06:00").parts(later + begin, later + end)
    assert [(first - later, last - later) for first, last in found] == expected


def test_without_hours_it_is_the_whole_time() -> None:
    assert window().parts(5.0, 6.0) == [(5.0, 6.0)]
