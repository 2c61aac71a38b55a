"""A preview examines finished models as admission does, in a process of its own, and refuses with its words."""

from __future__ import annotations

import json
import sys
from typing import Any

import pulumi
import pytest

from localcloud.commands.finished_models import examine
from localcloud.commands.progress import Progress

pytestmark = pytest.mark.integration


def says(*found: dict[str, Any], then: str = "") -> list[str]:
    """Return a command that finds this, and does something more."""
    lines = "".join(f"print({json.dumps(json.dumps(one))}, flush=True);" for one in found)
    return [sys.executable, "-c", f"import sys; {lines} {then}"]


def check(name: str, detail: str = "", *, passed: bool = True) -> dict[str, Any]:
    return {"name": name, "passed": passed, "detail": detail}


def test_the_finished_model_of_this_project_is_accepted_by_admission_itself(capsys: pytest.CaptureFixture[str]) -> None:
    examine(Progress(), ["file_type"])
    assert "1 finished: admission accepts them" in capsys.readouterr().out


def test_every_check_that_failed_is_told_with_the_file() -> None:
    found = says(
        {"model": "a", "checks": [check("opens"), check("answers", "none", passed=False)]},
        {"model": "b", "checks": [check("opens", "keeps weights elsewhere", passed=False)]},
    )
    with pytest.raises(pulumi.RunError) as refused:
        examine(Progress(), ["a", "b"], found)
    assert str(refused.value).splitlines() == [
        "models/a/model.onnx: answers: none",
        "models/b/model.onnx: opens: keeps weights elsewhere",
    ]


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("sys.exit('Traceback:\\nMemoryError')", "models/b/model.onnx: cannot be examined: MemoryError"),
        ("import os; os.kill(os.getpid(), 9)", "models/b/model.onnx: cannot be examined: the process ended with -9"),
    ],
)
def test_a_file_that_ends_the_process_is_named_and_not_those_before_it(then: str, told: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        examine(Progress(), ["a", "b", "c"], says({"model": "a", "checks": [check("opens")]}, then=then))
    assert str(refused.value) == told


def test_a_file_that_never_answers_is_given_up() -> None:
    with pytest.raises(pulumi.RunError, match="no answer within 0 seconds"):
        examine(Progress(), ["a"], says(then="sys.stdin.read()"), seconds=0)


def test_a_stack_without_finished_models_starts_no_process() -> None:
    examine(Progress(), [], ["no such program"])
