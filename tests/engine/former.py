"""The program as it stood at an earlier commit, in the place of today's."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Generator
from contextlib import contextmanager

from tests import nimbus
from tests.engine.project import PROGRAM, Project
from tests.root import ROOT

COMMIT = "d76041889947a6d3d7547a4f74323c11fd17d8bf"
"""Before bindings and notifications were called after what they are for."""


class NotThere(Exception):
    """This copy of the project has no history, or not that far back."""


@contextmanager
def former(project: Project) -> Generator[None]:
    """Have the earlier program in the project until the block ends, and then today's. Raises `NotThere`."""
    command = ["git", "archive", "--format=tar", COMMIT, *PROGRAM]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        raise NotThere(f"the program at {COMMIT}: {found.stderr.decode().strip()}")
    for folder in PROGRAM:
        shutil.rmtree(project.root / folder)
    with tarfile.open(fileobj=io.BytesIO(found.stdout)) as archive:
        archive.extractall(project.root, filter="data")
    yield
    for folder in PROGRAM:
        shutil.rmtree(project.root / folder)
    nimbus.copied(project.root, PROGRAM, compiled=True)
