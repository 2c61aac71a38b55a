"""A bring-your-own model is deployed by its name: its own file makes its versions, and a bad one makes none."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from rich.console import Console

from infra import bring_your_own
from localcloud.commands import demo_files, demo_job
from localcloud.commands.demo_run import DemoRun
from localcloud.commands.progress import Progress
from localcloud.commands.watch import FINAL_STATES, Watch
from localcloud.engine.stack_file import ROOT
from models.breast_cancer import sample
from models.file_type import client
from tests.functions.bring_your_own import pair
from tests.loop.conftest import PATIENCE_MS
from tests.loop.running import MODEL as TRAINED
from tests.loop.running import Running
from tests.loop.test_jobs import documents

MODEL = demo_files.MODEL
FILE = ROOT / "models" / MODEL / "model.onnx"
README = ROOT / "README.md"


def url(running: Running) -> str:
    return running.stack.outputs["models"][MODEL]["predict"]


def watch(running: Running) -> Watch:
    return Watch(running.models, MODEL)


def over(running: Running, source: str) -> dict[str, Any]:
    """Return the record of the run that a file began, once it has ended."""

    def look() -> dict[str, Any] | None:
        records = [watch(running).record(run) for run in watch(running).runs()]
        return next(
            (record for record in records if record["source"] == source and record["status"] in FINAL_STATES), None
        )

    return running.wait(look, f"{source} to go through")


def source_of(onnx: bytes) -> str:
    return f"{MODEL}/incoming/{hashlib.sha256(onnx).hexdigest()[:16]}.onnx"


def unchanged(running: Running, run: str) -> int:
    """Return how often the file of a run was looked at again and left alone."""
    lines = [line for line in running.stack.logs("prepare", 100_000) if line.startswith("{")]
    answers = [entry["answer"] for line in lines for entry in documents(line) if "answer" in entry]
    return sum((answer["status"], answer["run"]) == ("unchanged", run) for answer in answers)


def corrupt() -> bytes:
    """Return a well-formed file that uses an operator that does not exist."""
    return FILE.read_bytes().replace(b"GlobalMaxPool", b"GlobalMixPool")


@pytest.fixture
def champion(running: Running) -> str:
    """Return the live version of the model, once there is one."""
    over(running, source_of(FILE.read_bytes()))
    return watch(running).live()["champion"]


def test_it_is_served_from_the_file_that_came_with_the_program(running: Running) -> None:
    record = over(running, source_of(FILE.read_bytes()))
    assert record["status"] == "promoted", record
    assert record["dataset"] == hashlib.sha256(FILE.read_bytes()).hexdigest()
    assert running.models.get(f"{MODEL}/versions/{record['version']}/model.onnx") == FILE.read_bytes()
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["answers as expected"]["passed"]
    assert checks["latency in ms"]["bound"] == PATIENCE_MS
    _, _, metadata = running.get(f"/v2/models/{MODEL}")
    assert metadata["inputs"] == [{"name": "bytes", "datatype": "INT32", "shape": [-1, 2048]}]
    assert [answer.kind for answer in client.tell([README, FILE], url(running))] == [
        "Markdown document",
        "Open Neural Network Exchange",
    ]


def test_another_file_goes_live_by_canary_and_the_one_before_deployed_again_does_not(
    running: Running, champion: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(FILE)
    model.producer_name = "another"
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    instances = [{"bytes": client.row_of(content, content)} for content in (README.read_bytes(), b"a,b\n1,2\n" * 9)]
    with monkeypatch.context() as patch, running.callers(instances, MODEL) as callers:
        patch.setattr(bring_your_own, "models", lambda _: {MODEL: tmp_path / "model.onnx"})
        assert any(f"publish-{MODEL}" in urn for urn in running.stack.deploy().replaced)
        record = over(running, source_of(model.SerializeToString()))
    assert record["status"] == "promoted", record
    assert not callers.failures
    assert callers.variants["challenger"] >= 20
    live, runs = watch(running).live(), watch(running).runs()
    assert (live["champion"], live["previous"], live["challenger"]) == (record["version"], champion, None)
    before = over(running, source_of(FILE.read_bytes()))
    seen = unchanged(running, before["run"])
    assert running.stack.deploy().replaced
    running.wait(lambda: unchanged(running, before["run"]) > seen or None, "the file before to arrive")
    running.idle()
    assert watch(running).live() == live
    assert over(running, before["source"]) == before
    assert watch(running).runs() == runs


@pytest.mark.parametrize(
    ("name", "content", "status", "cause"),
    [
        pytest.param("text.onnx", lambda: b"I am a model.\n" * 100, "rejected", "is no ONNX model", id="no model"),
        pytest.param("half.onnx", lambda: FILE.read_bytes()[:1_500_000], "rejected", "is no ONNX model", id="cut off"),
        pytest.param("corrupt.onnx", corrupt, "refused", "opens: ", id="corrupt"),
        pytest.param("other.onnx", pair, "refused", "scores.output: target_label is no output; accepted", id="other"),
    ],
)
def test_a_bad_file_is_turned_away_with_its_reason_and_the_champion_goes_on(
    running: Running, champion: str, name: str, content: Callable[[], bytes], status: str, cause: str
) -> None:
    before = watch(running).live()
    with running.callers([{"bytes": client.row_of(b"a,b\n1,2\n" * 9, b"a,b\n1,2\n" * 9)}], MODEL) as callers:
        running.data.put(f"{MODEL}/incoming/{name}", content())
        record = over(running, f"{MODEL}/incoming/{name}")
    assert record["status"] == status, record
    assert cause in record["cause"]
    assert watch(running).live() == before
    assert (set(callers.variants), callers.failures.total()) == ({"champion"}, 0)
    assert champion == before["champion"]


def test_what_the_demonstration_shows_of_it_and_of_a_job(running: Running, champion: str) -> None:
    output = io.StringIO()
    demo = DemoRun(running.stack, Progress(Console(file=output, width=100, highlight=False, soft_wrap=True)))
    demo_files.classify(demo)
    demo_job.run(demo, TRAINED, *sample.instances())
    assert f"{MODEL} @ {champion}" in output.getvalue()
    for text in (
        "README.md ",
        "Markdown document, ",
        "nameless (a dataset)",
        "CSV document, ",
        "20,000 answers in order",
    ):
        assert text in output.getvalue()
    assert max(map(len, output.getvalue().splitlines())) < 100
    assert (demo.summary["job"]["rows"], demo.summary["job"]["refused"]) == (demo_job.ROWS, 0)
    assert [step["step"] for step in demo.steps] == ["finished", "ask", "job"]
