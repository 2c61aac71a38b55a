"""What holds for every test."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine and nothing of the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
# The stacks on GCP that are shipped name no project: whoever deploys them does.
os.environ.setdefault("GOOGLE_PROJECT", "project-of-the-tests")


@pytest.fixture(autouse=True)
def own_event_loop() -> Iterator[None]:
    """An output of Pulumi's asks for the thread's event loop, which whoever drained a program may have taken away."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


EMULATORS = frozenset({"aws", "gcp", "kind", "lab"})
"""Fixtures behind which an embedded cloud is started."""
STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"})
"""What Python tells an audit hook when a process is started."""
started: list[str] = []
"""How the test at work has started processes."""
WORKER = "PYTEST_XDIST_WORKER"
"""The variable that pytest-xdist sets where tests run beside others."""
LATER = 10
"""What is added to the niceness of a process that gives way: beside others it gets a tenth of what they get."""
gave_way: list[int] = []
"""The niceness of this process, once it has given way."""
SELDOM = (20_000, 20, 50)
"""After how many objects of each generation the garbage collector looks. As often as it does by itself is a seventh of
the time where graphs are drawn, and the process is no smaller for it."""


def integrated(path: str, fixtures: Sequence[str]) -> bool:
    """Does a test need more than its own process: a stack, or an emulator? Others say so by their marker."""
    return path.startswith("tests/loop/") or not EMULATORS.isdisjoint(fixtures)


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over what was imported, which stays to the end, and look seldom at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)


def pytest_configure() -> None:
    sys.addaudithook(_notice)


def _notice(event: str, _: object) -> None:
    """Not what the threads of an embedded cloud do, which other tests of this worker have left up."""
    if event in STARTS and threading.current_thread() is threading.main_thread():
        started.append(event)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before `-m` chooses among them."""
    for item in items:
        if integrated(item.nodeid, getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.integration)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    started.clear()
    if not gave_way and os.environ.get(WORKER) and not LOOP.match(item.nodeid):
        give_way()
    return (yield)


def give_way() -> None:
    """Have this worker, and what it starts from now on, leave the processors to the stacks of the loop.

    One that gets no processor answers too late for its own gates.
    """
    gave_way.append(os.nice(LATER))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A unit test that starts a process fails.

    Its teardown does not count: that of a worker's last test is also the end of what others have left up.
    """
    report = yield
    if call.when == "call" and report.passed and started and item.get_closest_marker("integration") is None:
        report.outcome = "failed"
        report.longrepr = f"a unit test starts no process, and this one did ({started[0]}): mark it `integration`"
    return report


PARSING = (
    "tests/localcloud/test_more_functions.py",
    "tests/test_third_cloud.py",
    "tests/test_architecture.py",
    "tests/test_reach.py",
    "tests/docs/test_add_a_function.py",
)
"""What reads every file of the tree, or of a copy: whoever has parsed a text does not parse it again."""
LOOP = re.compile(r"tests/loop/.*::\w+\[(\w+)")
ENGINE = re.compile(r"(tests/engine/test_every_stack\.py)::\w+\[([\w-]+)\]|(tests/engine/\w+\.py)::\w+\[(\w+)")
FIRST = (
    "loop of aws",
    "loop of gcp",
    "tests/engine/test_changes.py of aws",
    "tests/engine/test_changes.py of gcp",
    "tests/engine/test_life.py of aws",
    "tests/engine/test_life.py of gcp",
    "rules of the tree",
    "tests/localcloud/commands/test_command.py",
    "tests/changes/test_matrix.py",
    "tests/infra/test_same_bytes.py",
    "tests/infra/test_upgrades.py",
    "tests/infra/test_main.py",
    "tests/infra/test_processor.py",
    "tests/functions/core/api/test_schemathesis.py",
)
"""What takes longest, or waits longest; whatever is short fills the gaps that it leaves at the end."""


def together(nodeid: str) -> str:
    """Whatever has the same answer runs in one worker: what deploys a stack, by its cloud; what applies the rules of
    the tree; else a file.
    """
    if loop := LOOP.match(nodeid):
        return f"loop of {loop[1]}"
    if engine := ENGINE.match(nodeid):
        return " of ".join(filter(None, engine.groups()))
    file = nodeid.partition("::")[0]
    return "rules of the tree" if file in PARSING else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In place of `--dist loadgroup`: pytest-xdist 3.8 writes groups where pytest 9 does not read them any more."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

        def _assign_work_unit(self, node: Any) -> None:
            for scope in reversed(FIRST):
                if scope in self.workqueue:
                    self.workqueue.move_to_end(scope, last=False)
            super()._assign_work_unit(node)

    return Together(config, log)
