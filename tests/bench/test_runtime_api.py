"""The Runtime API against functions that call it as Lambda's runtime client does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench.environments import Unavailable, interpreter
from bench.runtime_api import Failed, ended, first_answer

pytestmark = pytest.mark.integration

CLIENT = """
import json, os, sys, time, urllib.request
base = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"
with urllib.request.urlopen(f"{base}/invocation/next") as answer:
    event, request = json.load(answer), answer.headers["Lambda-Runtime-Aws-Request-Id"]
def post(path, body):
    urllib.request.urlopen(urllib.request.Request(f"{base}/{path}", json.dumps(body).encode(), method="POST"))
"""
ANSWERS = CLIENT + 'post(f"invocation/{request}/response", {"statusCode": event["status"]})\ntime.sleep(60)\n'
FAILS = CLIENT + 'post("init/error", {"errorMessage": "no such module"})\n'


def start(code: str, tmp_path: Path, status: int = 200) -> object:
    command = [sys.executable, "-c", code]
    return first_answer(command, env={"PATH": os.environ["PATH"]}, cwd=tmp_path, event={"status": status})


def test_the_time_to_the_answer_is_taken_and_the_function_ended(tmp_path: Path) -> None:
    sample = first_answer([sys.executable, "-c", ANSWERS], env={}, cwd=tmp_path, event={"status": 200})
    assert 0 < sample.seconds < 60
    assert sample.cpu_seconds > 0
    assert sample.peak_mib > 1


@pytest.mark.parametrize(("code", "status", "output"), [(FAILS, 200, "no such module"), (ANSWERS, 503, "503")])
def test_a_response_that_is_no_answer_is_a_failure_with_the_output(
    code: str, status: int, output: str, tmp_path: Path
) -> None:
    with pytest.raises(Failed, match=output):
        start(code, tmp_path, status)


def test_a_command_that_fails_is_reported_with_its_output(tmp_path: Path) -> None:
    assert ended([sys.executable, "-c", "print('done')"]).seconds > 0
    with pytest.raises(Failed, match=r"ended with 3: gone"):
        ended([sys.executable, "-c", "import sys; sys.stderr.write('gone'); sys.exit(3)"])


def test_an_environment_that_cannot_be_built_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.environments.LOCKS", tmp_path)
    digest = "0" * 64
    (tmp_path / "peer.txt").write_text(
        f"{tmp_path}/absent-1.0-py3-none-any.whl --hash=sha256:{digest}\n", encoding="utf-8"
    )
    with pytest.raises(Unavailable, match="absent"):
        interpreter("peer", tmp_path / "place")
