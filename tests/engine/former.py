"""The program as it stood at an earlier commit, in the place of today's."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests import nimbus
from tests.engine.project import PROGRAM, Project
from tests.loop import versions
from tests.root import ROOT

COMMIT = "d76041889947a6d3d7547a4f74323c11fd17d8bf"
"""Before bindings and notifications were called after what they are for."""

REGISTER = """
import json, sys
from pathlib import Path
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects

folder, model, store = Path(sys.argv[1]), sys.argv[2], Objects.in_memory()
card, golden = (json.loads((folder / f"{name}.json").read_text()) for name in ("card", "golden"))
version = Registry(store, model).register((folder / "model.onnx").read_bytes(), card, golden, {})
for key in store.keys(f"{model}/versions/{version}"):
    (folder / "store" / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / "store" / key).write_bytes(store.get(key))
print(version)
"""


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


def registered(project: Project, folder: Path, model: str, onnx: bytes) -> tuple[str, Mapping[str, bytes]]:
    """Return the name of a version that the program in the project registers, and its objects by their keys."""
    (folder / "model.onnx").write_bytes(onnx)
    for name, document in (("card", versions.card()), ("golden", versions.golden(onnx))):
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    command = [sys.executable, "-c", REGISTER, str(folder), model]
    done = subprocess.run(command, cwd=project.root, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    store = folder / "store"
    files = (file for file in store.rglob("*") if file.is_file())
    return done.stdout.strip(), {file.relative_to(store).as_posix(): file.read_bytes() for file in files}
