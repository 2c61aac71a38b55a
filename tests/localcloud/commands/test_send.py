"""What a running stack is given from another terminal: a message, a file, a redrive; and what is asked: a log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from infra.function_table import FUNCTIONS, Messages, named
from localcloud.__main__ import main
from localcloud.aws import Aws
from localcloud.commands import send
from localcloud.commands.control import FILE, Control
from localcloud.commands.put import put
from localcloud.commands.up import _commands
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack
from localcloud.gcp import Gcp


class Bucket(dict[str, bytes]):
    def put(self, key: str, content: bytes) -> None:
        self[key] = content


class Running:
    """Stands for a stack that is up."""

    outputs: ClassVar = {"data_url": "s3://data-1", "jobs_url": "s3://jobs-1", "endpoint": "http://127.0.0.1:1"}

    def __init__(self) -> None:
        self.bucket = Bucket()
        self.sent: list[tuple[str, Mapping[str, Any]]] = []

    def store(self, url: str) -> Bucket:
        assert url == "s3://data-1"
        return self.bucket

    def send(self, function: str, message: Mapping[str, Any]) -> None:
        self.sent.append((function, message))

    def redrive(self, function: str) -> int:
        return {"jobs": 1, "labels": 2}[function]

    def logs(self, function: str, limit: int) -> list[str]:
        return [f"{function} {number}" for number in range(9)][-limit:] if function == "labels" else []


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    stack = Running()
    with Control(tmp_path / FILE, _commands(cast("LocalStack", stack))):
        yield stack


def test_a_message_goes_to_the_queue_of_its_function(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = SimpleNamespace(name="labels", trigger=Messages())
    monkeypatch.setattr(send, "FUNCTIONS", (*FUNCTIONS, row))
    assert main(["send", "--state", str(tmp_path), "labels", '{"label": "benign"}']) == 0
    assert running.sent == [("labels", {"label": "benign"})]
    assert "python -m localcloud logs labels" in " ".join(capsys.readouterr().out.split())
    with pytest.raises(CloudFailed, match="no function called jobs takes messages; there are: labels"):
        send.takes_messages("jobs")


@pytest.mark.parametrize("text", ["[]", "1", "{", ""])
def test_what_is_no_json_object_is_not_sent(text: str) -> None:
    with pytest.raises(CloudFailed, match="accepted: a JSON object"):
        send.json_object(text)


def test_a_file_is_put_under_its_key(running: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,b\n")
    assert main(["put", "--state", str(tmp_path), "s3://data-1/", "m/incoming/a.csv", str(file)]) == 0
    assert running.bucket == {"m/incoming/a.csv": b"a,b\n"}
    assert "4 bytes -> s3://data-1/m/incoming/a.csv" in " ".join(capsys.readouterr().out.split())


def test_another_store_and_a_file_that_is_not_there_are_refused(running: Running, tmp_path: Path) -> None:
    stack = cast("LocalStack", running)
    with pytest.raises(CloudFailed, match=r"s3://x is no store .*; accepted: s3://data-1 \(data_url\), s3://jobs-1"):
        put(stack, "s3://x", "k", str(tmp_path / "a.csv"))
    with pytest.raises(CloudFailed, match=r"a\.csv cannot be read: No such file"):
        put(stack, "s3://data-1", "k", str(tmp_path / "a.csv"))


@pytest.mark.usefixtures("running")
def test_the_newest_lines_of_a_log_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs", "--state", str(tmp_path), "labels", "--lines", "2"]) == 0
    assert capsys.readouterr().out == "labels 7\nlabels 8\n"
    assert main(["logs", "--state", str(tmp_path), "train"]) == 0
    assert capsys.readouterr().out == "train has logged nothing yet\n"


@pytest.mark.usefixtures("running")
def test_dead_letters_go_back_to_the_queue_that_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["redrive", "--state", str(tmp_path)]) == 0
    assert main(["redrive", "--state", str(tmp_path), "labels"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "1 dead letter back in the queue of jobs" in out
    assert "2 dead letters back in the queue of labels" in out


@pytest.mark.parametrize("cloud", [Aws, Gcp])
def test_a_function_without_a_queue_is_told_from_one_that_has_one(cloud: Any) -> None:
    def made(type_: str, name: str) -> Any:
        return SimpleNamespace(declared=SimpleNamespace(type=type_, name=name), id=name)

    resources = [made(part.type, f"jobs{part.suffix}") for part in (cloud.queue, cloud.failed)]
    resources += [made(cloud.queue.type, f"data{cloud.queue.suffix}"), made(cloud.function, "jobs-function")]
    stack = LocalStack("local")
    stack._cloud = cloud
    stack._engine = cast("Any", SimpleNamespace(resources=resources))
    assert stack._of_queue("jobs", cloud.failed).id == f"jobs{cloud.failed.suffix}"
    with pytest.raises(LookupError, match=r"no queue is that of a function called data-1; there are: jobs$"):
        stack._of_queue("data-1", cloud.queue)
    assert named("jobs").consumes


def test_an_interrupted_start_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("localcloud.engine.stack.start", interrupted)
    with pytest.raises(KeyboardInterrupt), LocalStack("local", state=tmp_path):
        pass
    assert list((tmp_path / "run").iterdir()) == []
