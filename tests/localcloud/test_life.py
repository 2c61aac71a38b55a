"""The life of an embedded cloud, whichever it is: nothing of it is left, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pulumi
import pytest

from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import ROOT, StackFile
from localcloud.support.process import members
from localcloud.support.workspace import take

pytestmark = pytest.mark.integration


def until(happened: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def worker(kind: ModuleType, stack: LocalStack) -> int:
    """Deploy, call, and return the worker's pid."""
    stack.deploy()
    (function,) = stack.of(kind.FUNCTION)
    pid = kind.worker(stack.cloud, function)
    assert pid in stack.cloud.workers(function)
    return pid


def test_leaving_ends_every_process_and_removes_every_file(kind: ModuleType, state: Path) -> None:
    with LocalStack(kind.STACK, state=state, program=kind.busy, port=0) as stack:
        busy_one, groups = worker(kind, stack), stack.cloud.groups
        assert os.getpgid(busy_one) in groups
        assert busy_one in members(groups)
    assert not members(groups)
    assert list((state / "run").iterdir()) == []


def test_an_error_ends_them_too_and_keeps_the_logs(kind: ModuleType, state: Path) -> None:
    seen: list[int] = []

    def failing() -> None:
        with LocalStack(kind.STACK, state=state, program=kind.busy, port=0) as stack:
            worker(kind, stack)
            seen.extend(stack.cloud.groups)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()
    assert seen
    assert not members(seen)
    left = [path.name for path in (state / "run").rglob("*") if path.is_file()]
    assert left
    assert [name for name in left if not name.endswith("log")] == []


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A shell that starts the tests in the background has them ignore the signal of Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_deployment_leaves_nothing(kind: ModuleType, state: Path) -> None:
    def interrupted() -> None:
        kind.busy()
        signal.raise_signal(signal.SIGINT)

    seen: list[int] = []

    def deployment() -> None:
        with LocalStack(kind.STACK, state=state, program=interrupted, port=0) as stack:
            seen.extend(stack.cloud.groups)
            stack.deploy()

    with pytest.raises(KeyboardInterrupt):
        deployment()
    assert seen
    assert not members(seen)
    assert list((state / "run").iterdir()) == []


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_it_does_not_outlive_a_process_that_is_killed(kind: ModuleType, state: Path, ending: signal.Signals) -> None:
    program = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from localcloud.engine.stack import LocalStack
        from {kind.__name__} import STACK, busy
        from tests.localcloud.test_life import worker
        kind = sys.modules["{kind.__name__}"]
        with LocalStack(STACK, state=Path({str(state)!r}), program=busy, port=0) as stack:
            print(worker(kind, stack), *stack.cloud.groups, flush=True)
            sys.stdin.read()
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        busy_one, *groups = (int(number) for number in process.stdout.readline().split())
        assert busy_one in members(groups)
        process.send_signal(ending)
        process.wait(timeout=20)
        assert until(lambda: not members(groups))
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()
        process.wait()


def test_a_dead_emulator_is_reported_with_its_log(kind: ModuleType, state: Path) -> None:
    def deployment() -> None:
        with LocalStack(kind.STACK, state=state, program=kind.busy, port=0) as stack:
            (group,) = stack.cloud.groups
            os.killpg(group, signal.SIGKILL)
            assert until(lambda: not members({group}))
            stack.deploy()

    with pytest.raises(CloudFailed, match=r"ended with code -9; its log is .*\.log") as failure:
        deployment()
    assert Path(str(failure.value).split("its log is ")[1].splitlines()[0]).is_file()


def test_an_emulator_that_dies_during_a_deployment_is_reported_with_its_log(kind: ModuleType, state: Path) -> None:
    stack = LocalStack(kind.STACK, state=state, port=0)

    def program() -> None:
        pulumi.Output.from_input("x").apply(lambda _: os.killpg(stack.cloud.groups[0], signal.SIGKILL))
        kind.busy()

    stack.program = program
    with pytest.raises(CloudFailed, match=r"its log is .*\.log"), stack:
        stack.deploy()


def test_everything_listens_on_the_loopback_address_alone(kind: ModuleType, state: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    before = listening([os.getpid()])
    with LocalStack(kind.STACK, state=state, program=kind.busy, port=0) as stack:
        worker(kind, stack)
        addresses = listening([os.getpid(), *members(stack.cloud.groups)]) - before
    loopback = socket.inet_aton("127.0.0.1")[::-1].hex().upper()
    assert addresses
    assert {address.split(":")[0] for address in addresses} == {loopback}


def listening(pids: Iterable[int]) -> set[str]:
    """Return what some processes listen on, by /proc: addresses and ports, in hexadecimal."""
    addresses: set[str] = set()
    for pid in pids:
        links = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()]
        inodes = {link[8:-1] for link in links if link.startswith("socket:")}
        for table in ("tcp", "tcp6"):
            rows = Path(f"/proc/{pid}/net/{table}").read_text(encoding="utf-8").splitlines()[1:]
            addresses |= {row[1] for row in map(str.split, rows) if row[3] == "0A" and row[9] in inodes}
    return addresses


def test_a_stack_of_a_cloud_that_is_not_embedded_is_refused(state: Path) -> None:
    stack = LocalStack(state=state, override={"serverless-ml:settings": {"cloud": "venus"}})
    with pytest.raises(
        pulumi.RunError, match=r"Pulumi\.local\.yaml: .*'venus' has no embedded cloud; accepted: aws, gcp"
    ):
        stack.__enter__()


def test_the_workspaces_of_processes_that_are_gone_are_removed(state: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    old, mine = state / "run" / f"{gone.pid}-old", state / "run" / f"{os.getpid()}-mine"
    for workspace in (old, mine):
        (workspace / "code").mkdir(parents=True)
        (workspace / "code").chmod(0o555)
    new = take(state)
    assert new.is_dir()
    assert mine.is_dir()
    assert not old.exists()


def test_stack_files_of_the_project_can_be_read() -> None:
    assert StackFile.read("local").get("aws:region", "") == "eu-west-1"
