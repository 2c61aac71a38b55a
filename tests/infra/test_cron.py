from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import clouds
from infra.aws import cron as aws
from infra.cron import parse
from infra.gcp import cron as gcp

Expression = Callable[[str], str]
EXPRESSIONS = (aws.expression, gcp.expression)
every_cloud = pytest.mark.parametrize(
    "expression", EXPRESSIONS, ids=lambda expression: expression.__module__.split(".")[1]
)


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
def test_five_fields_become_six_on_aws(text: str, expected: str) -> None:
    assert aws.expression(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 3 * * 1", "0 3 * * 1"),
        ("*/15 9-17/4 * * *", "0,15,30,45 9,13,17 * * *"),
        ("0 0 1-31 6-8 7", "0 0 * 6-8 0"),
        ("0 3 * * 0-7", "0 3 * * *"),
        ("30 4 1,15 * *", "30 4 1,15 * *"),
    ],
)
def test_five_fields_stay_five_on_gcp_spelt_out(text: str, expected: str) -> None:
    assert gcp.expression(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0 3 1 * 1", "day of month and day of week are both restricted"),
        ("0 3 * *", "five fields are needed, found 4"),
        ("every day", "five fields are needed, found 2"),
        ("60 3 * * *", "minute: 60 is not a number from 0 to 59"),
        ("0 24 * * *", "hour: 24 is not a number from 0 to 23"),
        ("0 3 0 * *", "day of month: 0 is not a number from 1 to 31"),
        ("0 3 * 13 *", "month: 13 is not a number from 1 to 12"),
        ("0 3 31 2 *", "day of month: 31 is in no month of 2: it would never be due"),
        ("0 3 31 4,6 *", "day of month: 31 is in no month of 4,6: it would never be due"),
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
def test_what_is_no_cron_is_refused_with_the_field(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse(text)


def meant(field: str, lowest: int, highest: int) -> set[int]:
    """Return the values that a field allows, read back from a cloud's text."""
    if field == "*":
        return set(range(lowest, highest + 1))
    pairs = [part.partition("-") for part in field.split(",")]
    return {value for first, _, last in pairs for value in range(int(first), int(last or first) + 1)}


@given(st.sets(st.integers(min_value=0, max_value=59), min_size=1))
@every_cloud
def test_lists_of_minutes_mean_the_same_minutes(expression: Expression, minutes: set[int]) -> None:
    field = expression(f"{','.join(map(str, minutes))} 3 * * *").removeprefix("cron(").split()[0]
    assert meant(field, 0, 59) == minutes


@given(st.sampled_from([f"{first}-{last}/{step}" for first in (1, 5) for last in (9, 12) for step in (1, 2, 5)]))
@every_cloud
def test_a_step_begins_at_the_start_of_its_range(expression: Expression, span: str) -> None:
    first, last, step = map(int, span.replace("/", "-").split("-"))
    field = expression(f"0 0 1 {span} *").removeprefix("cron(").split()[3]
    assert meant(field, 1, 12) == set(range(first, last + 1, step))


@given(st.integers(min_value=0, max_value=7))
def test_a_day_of_the_week_is_counted_from_sunday(day: int) -> None:
    assert aws.expression(f"0 3 * * {day}") == f"cron(0 3 ? * {day % 7 + 1} *)"
    assert gcp.expression(f"0 3 * * {day}") == f"0 3 * * {day % 7}"


def test_every_cloud_says_when() -> None:
    assert {expression.__module__.split(".")[1] for expression in EXPRESSIONS} == set(clouds.names())
