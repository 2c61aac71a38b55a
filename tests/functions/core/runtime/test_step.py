from __future__ import annotations

import io
import json
from typing import Any

import pytest

from functions.core.runtime.log import Log
from functions.core.runtime.step import LARGEST_ANSWER, Step


def step(act: Any, lines: io.StringIO | None = None) -> Step:
    return Step(name="train", act=act, log=Log(stream=lines or io.StringIO()))


def test_a_step_answers_with_plain_json_and_logs_it() -> None:
    lines = io.StringIO()
    assert step(lambda payload: {"got": payload["a"]}, lines).run({"a": 1}, "r-1") == {"got": 1}
    line = json.loads(lines.getvalue())
    assert (line["event"], line["step"], line["answer"], line["request"]) == ("step", "train", {"got": 1}, "r-1")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [({"big": "x" * LARGEST_ANSWER}, "travel between steps"), ({"nan": float("nan")}, "JSON compliant")],
)
def test_an_answer_that_no_workflow_could_carry_is_a_failure_here(answer: dict[str, Any], problem: str) -> None:
    lines = io.StringIO()
    with pytest.raises(ValueError, match=problem):
        step(lambda _: answer, lines).run({}, None)
    assert json.loads(lines.getvalue())["level"] == "ERROR"


@pytest.mark.parametrize("payload", [None, [], "x"])
def test_a_payload_that_is_no_object_is_a_failure(payload: object) -> None:
    with pytest.raises(TypeError, match="train: the payload is not a JSON object"):
        step(lambda _: {}).run(payload, None)


def test_what_the_act_raises_goes_on_and_is_logged_with_its_trace() -> None:
    lines = io.StringIO()

    def act(_: Any) -> dict[str, Any]:
        raise LookupError("there is no such run")

    with pytest.raises(LookupError, match="no such run"):
        step(act, lines).run({}, "r-1")
    line = json.loads(lines.getvalue())
    assert (line["error"], line["request"]) == ("LookupError", "r-1")
    assert "there is no such run" in line["trace"]
