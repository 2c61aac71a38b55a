"""Command lines of the pages: each is read as its program reads it, and not run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typer import Exit
from typer._click.exceptions import UsageError
from typer.main import get_command

from localcloud.__main__ import _parser as local_parser
from models.breast_cancer.sample import _parser as sample_parser
from models.file_type.client import _parser as client_parser
from sml.app import APP
from tests.root import ROOT

MAKEFILE: Final = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS: Final = set(re.findall(r"^([a-z][a-z.-]*):", MAKEFILE, re.MULTILINE))
VARIABLES: Final = set(re.findall(r"^([A-Z]+) \?=", MAKEFILE, re.MULTILINE))
NEED_ACCOUNT: Final = {"pulumi", "aws", "gcloud", "gh"}
"""Programs that nothing here can ask: their blocks say that they are not run."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command line, and what the page shows of its output."""

    text: str
    output: str = ""


def commands(text: str) -> list[Command]:
    """The command lines of a block: those behind `$ `, with the output that follows; without any, all lines."""
    joined = text.replace("\\\n", " ")
    if not joined.startswith("$ "):
        joined = _one_line_each(joined)
        return [Command(text=line) for line in joined.splitlines() if line.strip()]
    found = []
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        line, output = _command_and_output(part)
        found.append(Command(text=line, output=output))
    return found


def _one_line_each(text: str) -> str:
    return re.sub(r"\n[ \t]+", " ", text)


def _command_and_output(part: str) -> tuple[str, str]:
    """A command ends with the first line at which its quotes are closed."""
    lines = part.splitlines()
    for end in range(1, len(lines) + 1):
        line = "\n".join(lines[:end])
        if is_whole(line):
            return line, "\n".join(lines[end:])
    return part, ""


def is_whole(line: str) -> bool:
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return False
    return True


def no_shell(text: str) -> str | None:
    """What the shell says of the syntax of a script; None if it would run it."""
    done = subprocess.run(["bash", "-n", "-c", text], capture_output=True, text=True, check=False)  # noqa: S607
    return f"is not shell: {done.stderr.strip()}" if done.returncode else None


def complaint(text: str) -> str | None:
    """What is wrong with a command line; None if its program would take it."""
    if wrong := no_shell(text):
        return wrong
    words = shlex.split(text, comments=True)
    for start, check in CHECKS.items():
        if words[: len(start)] == list(start):
            return check(words[len(start) :])
    return f"nothing checks {' '.join(words[:3])}; see {__name__}"


def is_checked(text: str) -> bool:
    """Is it a command of a program whose arguments are known here?"""
    words = text.split()
    return any(words[: len(start)] == list(start) for start in CHECKS)


def _make(words: Sequence[str]) -> str | None:
    known = {word for word in words if word in TARGETS or word.partition("=")[0] in VARIABLES}
    unknown = [word for word in words if word not in known]
    return f"make knows no {', '.join(unknown)}" if unknown else None


def _pytest(words: Sequence[str]) -> str | None:
    missing = [word for word in words if not word.startswith("-") and not (ROOT / word.partition("::")[0]).exists()]
    return f"there is no {', '.join(missing)}" if missing else None


def _parsed(parse: Callable[[Sequence[str]], object]) -> Callable[[Sequence[str]], str | None]:
    def check(words: Sequence[str]) -> str | None:
        try:
            parse(words)
        except SystemExit:
            return f"its parser refuses {' '.join(words)}"
        return None

    return check


def _module(words: Sequence[str]) -> str | None:
    return None if words and importlib.util.find_spec(words[0]) else f"there is no module {words[:1]}"


def _curl(words: Sequence[str]) -> str | None:
    return None if words else "curl of nothing"


def _sml(words: Sequence[str]) -> str | None:
    """What `sml` says of its arguments, down to the command that they are for."""
    command: Any = get_command(APP)
    rest = list(words)
    try:
        context = None
        while True:
            context = command.make_context(command.name, rest, parent=context)
            if not hasattr(command, "commands"):
                return None
            _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
    except UsageError as wrong:
        return f"sml refuses {' '.join(words)}: {wrong.format_message()}"
    except Exit:
        return None


PYTHON: Final = (".venv/bin/python", "-m")
CHECKS: Final[dict[tuple[str, ...], Callable[[Sequence[str]], str | None]]] = {
    ("make",): _make,
    (*PYTHON, "pytest"): _pytest,
    (*PYTHON, "localcloud"): _parsed(local_parser().parse_args),
    ("python", "-m", "localcloud"): _parsed(local_parser().parse_args),
    (*PYTHON, "models.file_type.client"): _parsed(client_parser().parse_args),
    ("python", "-m", "models.file_type.client"): _parsed(client_parser().parse_args),
    (*PYTHON, "models.breast_cancer.sample"): _parsed(sample_parser().parse_args),
    PYTHON: _module,
    (".venv/bin/sml",): _sml,
    ("sml",): _sml,
    ("curl",): _curl,
}
