"""Commands of a commit's own program, each in a process of its own, and what they say."""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

AT_ONCE: Final = 2
SECONDS: Final = 900
"""How long a command may take: where no archive is built yet, a preview fetches packages and builds them."""
LOOK_SECONDS: Final = 0.05
ENDING_SECONDS: Final = 10
DROPPED: Final = ("PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MFLAGS")
"""Variables with which another tree's modules would be imported, or that are make's own."""
ENDS_WITH_US: Final = {"MAKELEVEL": "1"}
"""The program ends with whoever started it where make did; so it does here, also after `kill -9`."""
SAID: Final = 2000
"""Characters of what a command says that are kept."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """A module to run in a folder."""

    name: str
    root: Path
    python: Path
    module: str
    arguments: tuple[str, ...]
    output: Path | None = None
    """The file that takes what it prints on standard output; None where nobody wants it."""


class _Work:
    def __init__(self, task: Task) -> None:
        self.task = task
        self._errors = TemporaryFile()  # noqa: SIM115 - open for as long as the process runs
        with (task.output or Path(os.devnull)).open("wb") as out:
            self._process = subprocess.Popen(
                [task.python, "-m", task.module, *task.arguments],
                cwd=task.root,
                env={name: value for name, value in os.environ.items() if name not in DROPPED} | ENDS_WITH_US,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=self._errors,
            )
        self._until = time.monotonic() + SECONDS

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None or time.monotonic() > self._until

    def failure(self) -> str | None:
        """Return what it said before it failed; None if it did what it was asked for."""
        if self._process.poll() is None:
            self.end()
            return f"no answer within {SECONDS} seconds"
        if self._process.returncode == 0:
            return None
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        return _sentence(said, self.task.root) or f"it ended with {self._process.returncode}"

    def end(self) -> None:
        """End the process, if it still runs."""
        self._process.terminate()
        try:
            self._process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def run(tasks: Iterable[Task], say: Callable[[str], object]) -> dict[str, str]:
    """Run tasks, two at a time, and return what each that failed said, by its name.

    However this ends, also by Ctrl-C, no process that it started is left.
    """
    waiting, failures = deque(tasks), dict[str, str]()
    working: list[_Work] = []
    try:
        while waiting or working:
            while waiting and len(working) < AT_ONCE:
                say(waiting[0].name)
                working.append(_Work(waiting.popleft()))
            for work in [one for one in working if one.ended]:
                if (failure := work.failure()) is not None:
                    failures[work.task.name] = failure
                working.remove(work)
            time.sleep(LOOK_SECONDS)
    finally:
        for work in working:
            work.end()
    return failures


def _sentence(said: str, root: Path) -> str:
    """Return what a program said of a mistake; of a traceback, its last line. No path of this machine is in it."""
    if said.startswith("Traceback"):
        said = said.splitlines()[-1]
    return said.replace(f"{root}/", "").replace(str(root), ".")[:SAID]
