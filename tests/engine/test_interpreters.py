"""A fork of a warm interpreter does for the Pulumi CLI what a Python of its own would."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.interpreters import Interpreters

pytestmark = pytest.mark.integration
READY = "import time; print(1, flush=True); time.sleep(600)"


@pytest.fixture(scope="module")
def interpreters() -> Iterator[Interpreters]:
    with Interpreters(tuple) as found:
        yield found


@pytest.fixture
def python(interpreters: Interpreters, tmp_path: Path) -> Path:
    interpreters.write(tmp_path / "bin" / "python")
    return tmp_path / "bin" / "python"


def begin(python: Path, interpreters: Interpreters, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, *arguments],
        cwd=python.parent,
        env={"PATH": "/bin", "COLOUR": "red", **interpreters.turn()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(python: Path, interpreters: Interpreters, *arguments: str) -> tuple[int, str, str]:
    command = begin(python, interpreters, *arguments)
    output, errors = command.communicate(timeout=60)
    return command.returncode, output, errors


def test_a_command_has_its_arguments_its_folder_and_its_environment(python: Path, interpreters: Interpreters) -> None:
    code = "import os, sys; print(sys.argv, os.getcwd(), os.environ['COLOUR'], sorted(os.environ)[0], __name__)"
    expected = f"['-c', 'a', 'b'] {python.parent} red COLOUR __main__\n"
    assert run(python, interpreters, "-c", code, "a", "b") == (0, expected, "")


def test_a_file_finds_what_lies_beside_it(python: Path, interpreters: Interpreters) -> None:
    (python.parent / "beside.py").write_text("SAID = 'here'")
    file = python.parent / "file.py"
    file.write_text("import sys, beside; print(beside.SAID, sys.argv, __file__)")
    assert run(python, interpreters, str(file), "a") == (0, f"here ['{file}', 'a'] {file}\n", "")


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import sys; sys.exit(32)", (32, "", "")),
        ("import sys; sys.exit('no')", (1, "", "no\n")),
        ("import sys; sys.exit()", (0, "", "")),
        ("import atexit; atexit.register(print, 'last'); print('first')", (0, "first\nlast\n", "")),
        ("import threading, time; threading.Timer(0.01, print, ['waited for']).start()", (0, "waited for\n", "")),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", (137, "", "")),
    ],
)
def test_a_command_ends_as_python_ends(
    python: Path, interpreters: Interpreters, code: str, ended: tuple[int, str, str]
) -> None:
    assert run(python, interpreters, "-c", code) == ended


def test_what_nobody_catches_is_printed(python: Path, interpreters: Interpreters) -> None:
    code, output, errors = run(python, interpreters, "-c", "raise ValueError('wrong')")
    assert (code, output, errors.splitlines()[-1]) == (1, "", "ValueError: wrong")


def test_a_signal_arrives(python: Path, interpreters: Interpreters) -> None:
    code = f"import signal; signal.signal(signal.SIGINT, lambda *_: print('interrupted') or exit(5)); {READY}"
    command = begin(python, interpreters, "-c", code)
    assert command.stdout is not None
    assert command.stdout.readline() == "1\n"
    command.send_signal(signal.SIGINT)
    assert command.communicate(timeout=60)[0] == "interrupted\n"
    assert command.returncode == 5


def test_a_fork_ends_with_the_command_that_was_killed(python: Path, interpreters: Interpreters) -> None:
    command = begin(python, interpreters, "-c", READY)
    assert command.stdout is not None
    assert command.stdout.readline() == "1\n"
    command.kill()
    # The fork holds the other end of the stream until it ends.
    assert command.communicate(timeout=60) == ("", "")


def test_one_command_and_the_next_have_other_hashes(python: Path, interpreters: Interpreters) -> None:
    hashes = [run(python, interpreters, "-c", "print(hash('serverless'))")[1] for _ in range(4)]
    assert hashes[0] == hashes[2] != hashes[1] == hashes[3]
