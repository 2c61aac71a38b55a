"""What each test costs in processor time: `python -m pytest -ptests.costs tests/infra` ends with the dearest.

A clock says how long a test took beside everything else on the machine; this says what it computed, in this process
and in those that it started. What a test is the first to ask for, such as a fixture of the session or an import, is on
its account.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest

NAME: Final = "processor seconds"
SHOWN: Final = 30
USED: Final = slice(11, 15)
"""Of `/proc/<pid>/stat` after the name of the command, the ticks of a process and of those that it waited for."""
before = pytest.StashKey[float]()
costs: dict[str, float] = defaultdict(float)
"""By test and by file, in the process that prints."""


def spent() -> float:
    """Return what this process and those below it have used: of those that run, only where there is a /proc."""
    running = sum(_ticks(pid) for pid in _below("self"))
    return time.process_time() + sum(os.times()[2:4]) + running / os.sysconf("SC_CLK_TCK")


def _below(pid: str) -> Iterator[str]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _read(children).split():
            yield child
            yield from _below(child)


def _ticks(pid: str) -> int:
    return sum(map(int, _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[USED]))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[before] = spent()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After each phase of a test: pytest-xdist brings what is in a report to the process that prints."""
    report = yield
    now = spent()
    report.user_properties.append((NAME, now - item.stash[before]))
    item.stash[before] = now
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # A report has what those of the phases before it have, too.
    cost = [value for name, value in report.user_properties if name == NAME and isinstance(value, float)][-1]
    costs[report.nodeid] += cost
    costs[report.nodeid.partition("::")[0]] += cost


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for kind, names in (
        ("files", [name for name in costs if "::" not in name]),
        ("tests", [name for name in costs if "::" in name]),
    ):
        dearest = sorted(names, key=lambda name: -costs[name])[:SHOWN]
        terminalreporter.section(f"{NAME} of {kind}, {sum(costs[name] for name in names):.1f} in all")
        for name in dearest:
            terminalreporter.write_line(f"{costs[name]:8.2f}  {name}")
