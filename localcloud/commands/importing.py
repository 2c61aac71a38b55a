"""Imports what an edit changes as a deployed function would, in a process of its own, before it is deployed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pulumi

from infra.bundle import modules
from infra.function_table import FUNCTIONS, FunctionSpec
from infra.sources import closure
from localcloud.engine.stack_file import ROOT

SECONDS = 60
"""How long all imports may take."""
PROGRAM = """\
import importlib, json, sys, traceback
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except BaseException as problem:
        frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(problem.__traceback__)]
        if isinstance(problem, SyntaxError) and problem.filename:
            frames.append((problem.filename, problem.lineno))
        print(json.dumps({"error": f"{type(problem).__name__}: {problem}", "frames": frames}))
        break
else:
    print(json.dumps("imported"))
"""


def require_imports(cloud: str, changed: Collection[Path], root: Path = ROOT) -> None:
    """Import the functions of a cloud that any of some files is a part of, and every such file that is a model's.

    Raises `pulumi.RunError`, with file and line, for the first import that fails.
    """
    names = sorted(dict.fromkeys(affected(cloud, changed, root)))
    if not names:
        return
    command = [sys.executable, "-c", PROGRAM, *names]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise pulumi.RunError(f"{', '.join(names)}: not imported within {SECONDS} s") from None
    last = (done.stdout.splitlines() or [b""])[-1]
    if last.startswith(b'{"error"'):
        document = json.loads(last)
        raise pulumi.RunError(f"{_place(document['frames'], root)}{document['error']}")
    if done.returncode or last != b'"imported"':
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise pulumi.RunError(f"{', '.join(names)}: the import ended its process: {' '.join(said) or done.returncode}")


def affected(
    cloud: str, changed: Collection[Path], root: Path = ROOT, functions: Sequence[FunctionSpec] = FUNCTIONS
) -> Iterator[str]:
    """Yield the names of the modules to import."""
    ours = (path for path in changed if path.is_relative_to(root) and path.suffix == ".py" and path.is_file())
    python = {path: _module(path, root) for path in ours}
    yield from (name for name in python.values() if name.startswith("models."))
    for spec in functions if python else ():
        entries = modules(spec, cloud)
        if parts := python.keys() & closure(entries, root):
            # What a function imports only when it needs it is imported here, too.
            yield from (*entries, *(python[path] for path in parts))


def _module(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _place(frames: Sequence[tuple[str, int]], root: Path) -> str:
    """Return the last of our files in a traceback, with the line."""
    ours = [(Path(file), line) for file, line in frames if Path(file).is_relative_to(root)]
    outside = [(file, line) for file, line in ours if ".venv" not in file.parts and ".local" not in file.parts]
    return f"{outside[-1][0].relative_to(root)}:{outside[-1][1]}: " if outside else ""
