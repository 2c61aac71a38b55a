from __future__ import annotations

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.aws.cron import aws_cron


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("* * * * *", "cron(* * * * ? *)"),
        ("30 4 1 * *", "cron(30 4 1 * ? *)"),
        ("0 0 1,15 * *", "cron(0 0 1,15 * ? *)"),
        ("0 0 1 1 *", "cron(0 0 1 1 ? *)"),
        ("*/15 * * * *", "cron(0,15,30,45 * * * ? *)"),
        ("5-8 9-17/4 * * *", "cron(5-8 9,13,17 * * ? *)"),
        ("0 3 * * 0", "cron(0 3 ? * 1 *)"),
        ("0 3 * * 7", "cron(0 3 ? * 1 *)"),
        ("0 3 * * 1", "cron(0 3 ? * 2 *)"),
        ("0 3 * * 6", "cron(0 3 ? * 7 *)"),
        ("0 3 * * 1-5", "cron(0 3 ? * 2-6 *)"),
        ("0 3 * * 5-7", "cron(0 3 ? * 1,6,7 *)"),
        ("0 3 * * 0-7", "cron(0 3 * * ? *)"),
        ("0 3 * * */2", "cron(0 3 ? * 1,3,5,7 *)"),
        ("0 3 * 6-8 1,3", "cron(0 3 ? 6-8 2,4 *)"),
        ("0 3 1-31 * 1", "cron(0 3 ? * 2 *)"),
    ],
)
def test_five_fields_become_six(text: str, expected: str) -> None:
    assert aws_cron(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 3 1 * 1", "day of month and day of week are both restricted"),
        ("0 3 * *", "4 fields"),
        ("60 3 * * *", "minute: 60 is not a number from 0 to 59"),
        ("0 24 * * *", "hour: 24 is not a number from 0 to 23"),
        ("0 3 0 * *", "day of month: 0 is not a number from 1 to 31"),
        ("0 3 * 13 *", "month: 13 is not a number from 1 to 12"),
        ("0 3 * * 8", "day of week: 8 is not a number from 0 to 7"),
        ("*/0 3 * * *", "minute: */0: a step is a whole number from 1"),
        ("*/ 3 * * *", "minute: */: a step is a whole number from 1"),
        ("5/10 3 * * *", "minute: 5/10: a step follows * or a range"),
        ("9-5 3 * * *", "minute: 9-5: a range rises"),
        ("1,,2 3 * * *", "minute: nothing is not a number"),
        ("-5 3 * * *", "minute: nothing is not a number"),
        ("MON 3 * * *", "minute: MON is not a number"),
    ],
)
def test_what_aws_cannot_say_is_refused_with_the_field(text: str, problem: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        aws_cron(text)
    assert problem in str(refused.value)
    assert f'cron "{text}"' in str(refused.value)


@given(st.sets(st.integers(min_value=0, max_value=59), min_size=1))
def test_lists_of_minutes_mean_the_same_minutes(minutes: set[int]) -> None:
    converted = aws_cron(f"{','.join(map(str, minutes))} 3 * * *").removeprefix("cron(").split()[0]
    spelt: set[int] = set()
    for part in ("0-59" if converted == "*" else converted).split(","):
        first, _, last = part.partition("-")
        spelt |= set(range(int(first), int(last or first) + 1))
    assert spelt == minutes


@given(st.integers(min_value=0, max_value=7))
def test_a_day_of_the_week_is_counted_from_sunday_as_one(day: int) -> None:
    assert aws_cron(f"0 3 * * {day}") == f"cron(0 3 ? * {day % 7 + 1} *)"
