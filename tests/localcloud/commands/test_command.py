"""The commands, as a person runs them: each kind once in a process of its own, and else by the same entrance in this
one, which need not import everything anew.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from localcloud.__main__ import main
from localcloud.engine.stack_file import ROOT, StackFile
from localcloud.support.process import members
from tests.sml.called import called

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-m", "localcloud"]


Run = Callable[..., subprocess.CompletedProcess[str]]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)


@pytest.fixture
def run_here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command in this process, with what it prints; the handlers of signals are put back at the end."""
    monkeypatch.chdir(ROOT)
    endings = {ending: signal.getsignal(ending) for ending in (signal.SIGINT, signal.SIGTERM)}

    def run_here(*arguments: str) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        code = main(arguments)
        printed = capsys.readouterr()
        return subprocess.CompletedProcess([*COMMAND, *arguments], code, printed.out, printed.err)

    yield run_here
    for ending, handler in endings.items():
        signal.signal(ending, handler)


def test_a_stack_that_does_not_exist_is_answered_without_a_trace() -> None:
    done = run("preview", "--stack", "nowhere")
    assert done.returncode == 1
    assert "there is no stack 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("stack", "cloud", "kinds"),
    [
        ("local", "aws", {"aws:lambda/function:Function", "aws:sfn/stateMachine:StateMachine"}),
        ("gcp-local", "gcp", {"gcp:cloudfunctionsv2/function:Function", "gcp:workflows/workflow:Workflow"}),
    ],
)
def test_a_preview_shows_the_tree_and_the_limits_and_writes_the_graph(
    state: Path, stack: str, cloud: str, kinds: set[str], run_here: Run
) -> None:
    run_it = run if cloud == "aws" else run_here
    done = run_it("preview", "--stack", stack, "--state", str(state))
    assert done.returncode == 0, done.stderr
    for text in ("Function predict", "predict-function", "Workflow training", f"limits of {cloud}"):
        assert text in done.stdout
    document = json.loads((state / f"graph-{stack}.json").read_text(encoding="utf-8"))
    assert {f"serverless-ml:{cloud}:Function", *kinds} <= {one["type"] for one in document["resources"]}
    assert document["outputs"].keys() >= {"endpoint", "models", "data_url"}
    for word in told(state, stack):
        assert word in done.stdout


def told(state: Path, stack: str) -> Iterator[str]:
    """What the preview's document has of limits, archives and quotas, as people are told it."""
    document = json.loads((state / f"preview-{stack}.json").read_text(encoding="utf-8"))
    assert document["format"] == 1
    assert document["settings"] == StackFile.read(stack).settings
    assert document["config"].keys() <= {"aws:region", "gcp:region", "gcp:project"}
    limits, verdicts = document["limits"], document["limits"]["verdicts"]
    yield f"limits of {document['cloud']}, as read on {limits['read_on']}: {len(verdicts)} of {len(verdicts)} kept"
    for one in verdicts:
        value = f"{one['value']:,}" if isinstance(one["value"], int) else one["value"]
        yield f"{value} {one['what']}, {one['accepted']}"
    graph = (state / f"graph-{stack}.json").read_text(encoding="utf-8")
    assert len(document["archives"]) == 9
    for name, archive in document["archives"].items():
        assert f"{name}/{archive['sha256']}.zip" in graph
        assert archive["bytes"] < archive["unpacked_bytes"]
    beyond = [quota for quota in document["quotas"] if not quota["suffices"]]
    yield from (f"{quota['name']} (" for quota in beyond)
    yield from () if beyond else (f"quotas: a new account of {document['cloud']} suffices",)


def test_a_preview_of_gcps_production_needs_no_account_and_says_where_its_limits_stand(
    state: Path, run_here: Run
) -> None:
    done = run_here("preview", "--stack", "gcp-prod", "--state", str(state))
    assert done.returncode == 0, done.stderr
    for text in ("Function predict", "training-workflow", "limits of gcp, as read on 20", "https://cloud.google.com/"):
        assert text in done.stdout
    assert "BROKEN" not in done.stdout
    asked = done.stdout[done.stdout.index("quotas: more than a new account of gcp has") :]
    for text in ("run.googleapis.com, CpuAllocPerProjectRegion", "20 usual", "https://console.cloud.google.com/"):
        assert text in asked
    document = json.loads((state / "graph-gcp-prod.json").read_text(encoding="utf-8"))
    (workflow,) = [one for one in document["resources"] if one["type"] == "gcp:workflows/workflow:Workflow"]
    assert "<train-function.serviceConfig.uri>" in workflow["inputs"]["sourceContents"]


def test_a_preview_of_a_stack_to_try_says_that_a_new_account_suffices(state: Path, run_here: Run) -> None:
    done = run_here("preview", "--stack", "dev", "--state", str(state))
    assert done.returncode == 0, done.stderr
    assert "\nquotas: a new account of aws suffices; 10 copies" in done.stdout


def test_the_doctor_asks_an_embedded_cloud_that_is_started_for_it_and_leaves_nothing(
    kind: ModuleType, state: Path, run_here: Run
) -> None:
    done = run_here("doctor", "--stack", kind.STACK, "--state", str(state))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("ready: nothing of ")
    assert "the embedded" in done.stdout
    assert list((state / "run").iterdir()) == []


def test_up_prints_the_endpoint_and_takes_everything_down_at_the_end(
    kind: ModuleType, state: Path, run_here: Run
) -> None:
    process = subprocess.Popen(
        [*COMMAND, "up", "--stack", kind.STACK, "--state", str(state)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        for line in process.stdout:
            lines.append(line)
            if "takes everything down" in line:
                break
        output = "".join(lines)
        outputs = json.loads((state / "outputs.json").read_text(encoding="utf-8"))
        assert f"endpoint     {outputs['endpoint']}" in output
        (shown,) = re.findall(r"curl -s (\S+)", output)
        with urllib.request.urlopen(shown, timeout=60) as answer:  # noqa: S310 - loopback
            assert (answer.status, shown) == (200, f"{outputs['endpoint']}/v2")
        assert f"sml upload breast_cancer wdbc.csv --wait --state {state}" in output
        assert called("redrive", state=state).out == "0 dead letters of jobs brought back\n"
        groups = children(process.pid)
        assert members(groups)
        process.send_signal(kind.ENDING)
        rest = process.stdout.read()
        assert process.wait(timeout=60) == 130
        assert "everything is down" in rest
        assert "Traceback" not in output + rest
        assert not members(groups)
        assert not (state / "outputs.json").exists()
        redriven = called("redrive", state=state)
        assert (redriven.code, "start one with `make up`" in redriven.err) == (3, True)
        assert list((state / "run").iterdir()) == []
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def children(pid: int) -> set[int]:
    """Return the process groups of what a process has started."""
    listed = subprocess.run(["/bin/ps", "-A", "-o", "ppid=,pgid="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(group) for parent, group in rows if int(parent) == pid}
