"""The table of stack files, held to the Pulumi CLI that reads each of them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from localcloud.cli.installation import Installation
from localcloud.engine.stack_file import PLACEHOLDER
from tests.localcloud.engine.reading import PROJECT, Files, Refused, Stricter, every, parsed, write

pytestmark = pytest.mark.integration


class Cli:
    """The CLI with one stack, whose files are anywhere."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self._command = str(installation.command)
        self._environment = {**os.environ, **installation.environment(folder / "state", "passphrase"), "GOGC": "off"}
        self._folder = folder
        first = folder / "first"
        first.mkdir()
        write(Files(stack="", reads={}), first)
        assert self._run(first, "stack", "init", "a").returncode == 0

    def read(self, number: int, files: Files) -> Mapping[str, Any] | None:
        """Return the configuration that the CLI reads in some files; None where it refuses them."""
        folder = self._folder / str(number)
        folder.mkdir()
        write(files, folder)
        done = self._run(folder, "config", "--json", "--stack", "a")
        if done.returncode != 0:
            return None
        found = json.loads(done.stdout)
        return parsed({key: PLACEHOLDER if one["secret"] else one["value"] for key, one in found.items()})

    def _run(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._command, *arguments, "--non-interactive"],
            cwd=folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )


def test_the_cli_reads_in_every_file_what_the_table_says(installation: Installation, tmp_path: Path) -> None:
    """All in one test: a file takes a fifth of a second, and several are read at once."""
    cli, files = Cli(installation, tmp_path), list(every())
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(cli.read, range(len(files)), files))
    wrong = [
        (one.project.removeprefix(PROJECT), one.stack, one.reads, read)
        for one, read in zip(files, found, strict=True)
        if not _agree(one.reads, read)
    ]
    assert not wrong


def _agree(told: Mapping[str, Any] | Refused, read: Mapping[str, Any] | None) -> bool:
    match told:
        case Stricter():
            return read is not None
        case Refused():
            return read is None
        case _:
            return told == read
