from __future__ import annotations

import pytest

from models.feature import Feature, UnacceptableValue
from models.moment import moment_of, part_of
from models.terms import counts_of, read

DAY = Feature(name="day", kind="date", parts=("year",))
MOMENT = Feature(name="moment", kind="datetime", parts=("year",))
GERMAN = Feature(name="day", kind="date", parts=("year",), format="%d.%m.%Y")
AMERICAN = Feature(name="moment", kind="datetime", parts=("year",), format="%m/%d/%Y %H:%M")


def seconds(feature: Feature, text: str) -> float:
    found = read(feature, text)
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize(
    ("feature", "text", "iso"),
    [
        (DAY, "2026-11-30", "2026-11-30T00:00:00+00:00"),
        (DAY, " 2024-02-29 00:00:00 ", "2024-02-29T00:00:00+00:00"),
        (MOMENT, "2026-11-30T08:15:00Z", "2026-11-30T08:15:00+00:00"),
        (MOMENT, "2026-11-30 08:15", "2026-11-30T08:15:00+00:00"),
        (MOMENT, "2026-11-30T08:15:00.123456789+05:30", "2026-11-30T02:45:00.123456+00:00"),
        (MOMENT, "1969-12-31T23:00:00-0200", "1970-01-01T01:00:00+00:00"),
        (MOMENT, "2026-11-30", "2026-11-30T00:00:00+00:00"),
        (GERMAN, "1.2.2026", "2026-02-01T00:00:00+00:00"),
        (AMERICAN, "03/04/2026 17:05", "2026-03-04T17:05:00+00:00"),
    ],
)
def test_a_date_is_read_as_it_is_written_and_a_time_without_an_offset_is_in_utc(
    feature: Feature, text: str, iso: str
) -> None:
    assert moment_of(seconds(feature, text)).isoformat() == iso


@pytest.mark.parametrize(
    ("feature", "value", "why"),
    [
        (DAY, "2026-02-30", "is no day or time that there is; accepted: a date such as 2026-11-30"),
        (DAY, "0000-01-01", "is no day or time that there is"),
        (MOMENT, "2026-11-30T25:00:00", "is no day or time that there is; accepted: a date and time such as"),
        (DAY, "11-30", "has no year; accepted: a date such as 2026-11-30"),
        (GERMAN, "30.11.", "has no year; accepted: a date written as %d.%m.%Y"),
        (DAY, "30.11.2026", "is written otherwise than ISO 8601 says, and a column is written in one way"),
        (GERMAN, "2026-11-30", "is written otherwise than its format says, and a column is written in one way"),
        (DAY, "2026-11-30T08:15:00Z", "has a time of day, which kind: datetime takes"),
        (DAY, "soon", "is not a date such as 2026-11-30"),
        (DAY, 20787, "is not a date such as 2026-11-30"),
        (DAY, "", "is missing; accepted: a date such as 2026-11-30"),
        (DAY, "\u0662026-11-30", "is written otherwise"),
    ],
)
def test_what_is_no_date_is_a_sentence_that_never_repeats_it(feature: Feature, value: object, why: str) -> None:
    with pytest.raises(UnacceptableValue) as refused:
        read(feature, value)
    assert why in str(refused.value)


def test_the_parts_of_a_moment_are_those_of_the_calendar() -> None:
    moment = moment_of(seconds(MOMENT, "2027-01-01T23:59:58Z"))
    parts = ("year", "month", "week", "day", "day_of_year", "weekday", "hour", "minute")
    assert [part_of(moment, part) for part in parts] == [2027, 1, 53, 1, 1, 4, 23, 59]


def test_words_are_counted_alike_in_any_case_and_however_their_letters_are_composed() -> None:
    assert counts_of("Zu\u0308rich late, LATE", 64) == counts_of("zürich Late late!", 64)
    assert sum(counts_of("a b a", 7)) == 3
    assert counts_of("late", 8) == [0, 0, 0, 0, 0, 1, 0, 0], "a hash that is another one reads old versions wrongly"
