"""Imports what an edit changes as a deployed function would, in a process of its own, before it is deployed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pulumi

from infra import model_lock, trainers
from infra.bundle import modules
from infra.function_table import FUNCTIONS, FunctionSpec
from infra.sources import closure
from localcloud.engine.environment import environment
from localcloud.engine.stack_file import ROOT

ENVIRONMENTS = Path(".local") / "models"
"""Where the environments of models with packages of their own are."""
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
    apart: dict[str, list[str]] = {}
    for name in sorted(dict.fromkeys(affected(cloud, changed, root))):
        apart.setdefault(_trained_apart(name, root), []).append(name)
    for model, names in apart.items():
        _import(names, interpreter(model, root) if model else sys.executable, root)


def interpreter(model: str, root: Path = ROOT) -> str:
    """Return the interpreter of an environment with the packages of a model that has its own.

    Raise `pulumi.RunError` for a lock that may not be installed, and `CloudFailed` for one that cannot be.
    """
    model_lock.require(model, root)
    lock = model_lock.path(model, root)
    return str(environment(f"models/{model}", lock, root / ENVIRONMENTS))


def _trained_apart(name: str, root: Path) -> str:
    """Return the model with packages of its own that a module belongs to; empty for any other module."""
    top, _, rest = name.partition(".")
    model = rest.partition(".")[0]
    return model if top == "models" and trainers.with_packages([model], root / "models") else ""


def _import(names: list[str], python: str, root: Path) -> None:
    command = [python, "-c", PROGRAM, *names]
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
