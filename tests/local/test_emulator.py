"""The emulator's life: nothing of it is left, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pulumi
import pytest

from infra.local.aws import Aws, interpreter
from infra.local.aws.emulator import Emulator
from infra.local.cloud import CloudFailed
from infra.local.process import group_alive
from infra.local.room import take
from infra.local.stack import LocalStack
from infra.local.stackfile import ROOT, StackFile
from tests.local.conftest import Lab
from tests.local.test_functions import function


def until(happened: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def busy() -> None:
    """A program with a function whose worker stays."""
    function("import os\ndef handle(event, context):\n    return os.getpid()\n")


def worker(stack: LocalStack) -> int:
    """Deploy, call, and return the worker's pid."""
    stack.deploy()
    client = stack.cloud.session.client("lambda")
    return int(client.invoke(FunctionName=stack.outputs["live"])["Payload"].read())


def alive(pid: int) -> bool:
    """A zombie is gone too: whoever adopts it will notice some time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    with Emulator(interpreter(), tmp_path, region="eu-west-1") as running:
        yield running


def test_leaving_ends_the_emulator_and_its_workers_and_removes_its_files(state: Path) -> None:
    with LocalStack(state=state, program=busy, port=0) as stack:
        pid, busy_one = stack.cloud.groups[0], worker(stack)
        assert os.getpgid(busy_one) == pid
        assert alive(busy_one)
    assert not group_alive(pid)
    assert not alive(busy_one)
    assert list((state / "run").iterdir()) == []


def test_an_error_ends_them_too_and_keeps_the_log(state: Path) -> None:
    seen: list[int] = []

    def failing() -> None:
        with LocalStack(state=state, program=busy, port=0) as stack:
            seen.extend((stack.cloud.groups[0], worker(stack)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert [alive(pid) for pid in seen] == [False, False]
    assert [path.name for path in (state / "run").rglob("*") if path.is_file()] == ["emulator.log"]


def test_an_interrupted_deployment_leaves_nothing(state: Path) -> None:
    def interrupted() -> None:
        busy()
        signal.raise_signal(signal.SIGINT)

    seen: list[int] = []

    def deployment() -> None:
        with LocalStack(state=state, program=interrupted, port=0) as stack:
            seen.append(stack.cloud.groups[0])
            stack.deploy()

    with pytest.raises(KeyboardInterrupt):
        deployment()
    assert [group_alive(pid) for pid in seen] == [False]
    assert list((state / "run").iterdir()) == []


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_it_does_not_outlive_a_process_that_is_killed(state: Path, ending: signal.Signals) -> None:
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from infra.local.stack import LocalStack
        from tests.local.test_emulator import busy, worker
        with LocalStack(state=Path({str(state)!r}), program=busy, port=0) as stack:
            print(stack.cloud.groups[0], worker(stack), flush=True)
            sys.stdin.read()
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        pid, busy_one = (int(number) for number in process.stdout.readline().split())
        assert alive(pid)
        assert alive(busy_one)
        process.send_signal(ending)
        process.wait(timeout=20)
        assert until(lambda: not alive(pid) and not alive(busy_one))
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def test_a_dead_emulator_is_told_with_its_log(state: Path) -> None:
    def deployment() -> None:
        with LocalStack(state=state, program=busy, port=0) as stack:
            os.killpg(stack.cloud.groups[0], signal.SIGKILL)
            assert until(lambda: not alive(stack.cloud.groups[0]))
            stack.deploy()

    with pytest.raises(CloudFailed, match=r"ended with code -9; its log is .*emulator\.log") as failure:
        deployment()
    assert Path(str(failure.value).split("its log is ")[1].splitlines()[0]).is_file()


def test_an_emulator_that_dies_in_the_middle_of_a_deployment_is_told_with_its_log(state: Path) -> None:
    stack = LocalStack(state=state, port=0)

    def program() -> None:
        pulumi.Output.from_input("x").apply(lambda _: os.killpg(stack.cloud.groups[0], signal.SIGKILL))
        busy()

    stack.program = program
    with pytest.raises(CloudFailed, match=r"its log is .*emulator\.log"), stack:
        stack.deploy()


def test_one_that_does_not_come_up_is_told_with_its_last_words(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho no such module >&2\nexit 3\n", encoding="utf-8")
    python.chmod(0o755)
    with pytest.raises(CloudFailed, match="ended with code 3") as failure:
        Emulator(python, tmp_path, region="eu-west-1").start()
    assert "no such module" in str(failure.value)


def test_a_missing_installation_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(CloudFailed, match=r"nowhere/python does not exist; `make up` installs it"):
        Emulator(Path("nowhere/python"), tmp_path, region="eu-west-1").start()


def test_two_stand_side_by_side_and_know_nothing_of_each_other(emulator: Emulator, tmp_path: Path) -> None:
    with Emulator(interpreter(), tmp_path / "other", region="eu-west-1") as other:
        assert other.port != emulator.port
        assert other.certificate.read_bytes() != emulator.certificate.read_bytes()


def test_it_listens_on_one_port_of_the_loopback_address(emulator: Emulator) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    inodes = {
        str(link.readlink())[8:-1]
        for link in Path(f"/proc/{emulator.pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{emulator.pid}/net/{table}").read_text(encoding="utf-8").splitlines()[1:]
    ]
    listening = {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    assert listening == {f"{loopback}:{emulator.port:04X}"}


def test_its_temporary_files_are_in_its_own_room(lab: Lab, aws: Aws) -> None:
    lab.deploy(lambda: function("import tempfile\ndef handle(event, context):\n    return tempfile.gettempdir()\n"))
    assert Path(lab.invoke(lab.outputs["live"])).is_relative_to(aws.log.parent)


def test_a_stack_of_a_cloud_that_is_not_embedded_is_refused(state: Path) -> None:
    stack = LocalStack(state=state, override={"serverless-ml:settings": {"cloud": "venus"}})
    with pytest.raises(pulumi.RunError, match=r"Pulumi\.local\.yaml: .*'venus' has no embedded cloud; accepted: aws"):
        stack.__enter__()


def test_the_rooms_of_processes_that_are_gone_are_removed(state: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    old, mine = state / "run" / f"{gone.pid}-old", state / "run" / f"{os.getpid()}-mine"
    for room in (old, mine):
        (room / "code").mkdir(parents=True)
        (room / "code").chmod(0o555)
    new = take(state)
    assert new.is_dir()
    assert mine.is_dir()
    assert not old.exists()


def test_stack_files_of_the_project_can_be_read() -> None:
    assert StackFile.read("local").get("aws:region", "") == "eu-west-1"
