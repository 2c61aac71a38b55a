"""The commands, as a person runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.process import group_alive
from infra.local.stackfile import ROOT

COMMAND = [sys.executable, "-m", "infra.local"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)


def test_a_stack_that_does_not_exist_is_answered_without_a_trace() -> None:
    done = run("preview", "--stack", "nowhere")
    assert done.returncode == 1
    assert "there is no stack 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_a_preview_shows_the_tree_and_the_limits_and_writes_the_graph(state: Path) -> None:
    done = run("preview", "--state", str(state))
    assert done.returncode == 0, done.stderr
    for said in ("Function predict", "predict-function", "Workflow training", "limits of aws"):
        assert said in done.stdout
    document = json.loads((state / "graph-local.json").read_text(encoding="utf-8"))
    kinds = {one["type"] for one in document["resources"]}
    assert {"serverless-ml:aws:Function", "aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"} <= kinds
    assert document["outputs"].keys() >= {"endpoint", "models", "data_url"}


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_up_prints_the_endpoint_and_takes_everything_down_at_the_end(state: Path, ending: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, "up", "--state", str(state)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "takes everything down" in line:
                break
        said = "".join(lines)
        outputs = json.loads((state / "outputs.json").read_text(encoding="utf-8"))
        assert f"endpoint     {outputs['endpoint']}" in said
        assert f"curl -s {outputs['endpoint']}/v2/models/breast_cancer" in said
        (group,) = [int(path.read_text(encoding="utf-8")) for path in state.rglob("ministack-*.pid")]
        assert group_alive(group)
        process.send_signal(ending)
        rest = process.stdout.read()
        assert process.wait(timeout=60) == 130
        assert "everything is down" in rest
        assert "Traceback" not in said + rest
        assert not group_alive(group)
        assert not (state / "outputs.json").exists()
        assert list((state / "run").iterdir()) == []
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
