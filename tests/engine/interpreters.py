"""Two warm interpreters, which the commands of a test take in turn.

Each has hashes of its own, as a Python that starts anew has: what a program declares in the order of a set would
differ between a preview and the `up` that follows.
"""

from __future__ import annotations

import contextlib
import itertools
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from localcloud.engine.recorder import sdk_class
from tests.engine.relay import ADDRESS
from tests.urns.promise import STACKS, read

HERE = Path(__file__).parent
NUMBER = 2


class Interpreters(contextlib.ExitStack):
    """They start when the first command asks, and end with the block.

    `names` says what they import first, as `module` or `module:attribute`.
    """

    def __init__(self, names: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._names = names
        self._turns = itertools.cycle(range(NUMBER))

    def write(self, python: Path) -> None:
        """Write a command that stands for Python, and has a warm interpreter do what it is told."""
        relay = shlex.join([sys.executable, "-I", "-S", str(HERE / "relay.py")])
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f'#!/bin/sh\nexec {relay} "$@"\n', encoding="utf-8")
        python.chmod(0o755)

    def turn(self) -> dict[str, str]:
        """Return the variable that says which interpreter the next command's processes are forks of."""
        return {ADDRESS: self._started[next(self._turns)]}

    @cached_property
    def _started(self) -> list[str]:
        # A socket's path has a hundred characters at most.
        folder = tempfile.mkdtemp(prefix="warm-")
        self.callback(shutil.rmtree, folder)
        addresses = [f"{folder}/{number}" for number in range(NUMBER)]
        command = [sys.executable, "-I", str(HERE / "interpreter.py")]
        started = [self._start([*command, address, *self._names()]) for address in addresses]
        for interpreter in started:
            assert interpreter.stdout is not None
            assert interpreter.stdout.readline(), "an interpreter did not start"
        return addresses

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        interpreter = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        self.enter_context(interpreter)
        self.callback(interpreter.terminate)
        return interpreter


def names() -> list[str]:
    """Name a class of each part of the SDKs that the stacks use, and what the CLI's own processes import."""
    types = {key.split("::")[0].rpartition("$")[2] for stack in STACKS for key in read(stack)}
    classes = [sdk_class(type_) for type_ in types if type_.startswith(("aws:", "gcp:"))]
    parts = {one.__module__.rpartition(".")[0]: one.__name__ for one in classes}
    return ["grpc", "pulumi.runtime", *(f"{module}:{name}" for module, name in parts.items())]
