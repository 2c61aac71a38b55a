from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.release.cause import plain

SAID = 'none of 8 experiments succeeded; e0: IndexError: "x" is\nno index {at all}'


@pytest.mark.parametrize(
    "wrapped",
    [
        "select: NothingTrained: "
        + json.dumps({"errorMessage": SAID, "errorType": "NothingTrained", "stackTrace": []}),
        "select: Runtime.HandlerError: " + json.dumps({"errorMessage": SAID}),
        "select: HTTP server responded with error code 500: " + json.dumps({"error": SAID}, separators=(",", ":")),
        ("select: NothingTrained: " + json.dumps({"errorMessage": SAID, "stackTrace": ["x" * 100]}))[:-50],
    ],
)
def test_what_a_step_said_is_told_without_what_it_was_wrapped_in(wrapped: str) -> None:
    assert plain(wrapped) == f"select: {SAID}"


@pytest.mark.parametrize(
    "cause",
    [
        "",
        "the execution took too long",
        'prepare: States.Timeout: {"Error": "States.Timeout"}',
        '{"Error": "States.Timeout"}',
        'select: X: {"errorMessage": "cut off',
        "train: connection reset",
    ],
)
def test_a_cause_of_another_form_stays_as_it_is(cause: str) -> None:
    assert plain(cause) == cause


@given(st.text())
def test_no_text_is_too_much_for_it(text: str) -> None:
    assert isinstance(plain(f"train: {text}"), str)
    assert plain("train: X: " + json.dumps({"errorMessage": text})) == f"train: {text}"
