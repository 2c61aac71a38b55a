"""Imports what an edit changes as a deployed function would, in a process of its own, before it is deployed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pulumi

from infra import model_lock, trainers
from infra.bundle import modules
from infra.function_spec import FunctionSpec
from infra.function_table import FUNCTIONS
from infra.sources import closure
from localcloud.commands.progress import few
from localcloud.engine.environment import environment
from localcloud.engine.stack_file import ROOT

ENVIRONMENTS = Path(".local") / "models"
"""Where the environments of models with packages of their own are."""
SECONDS = 60.0
"""How long all imports may take."""
QUIET_SECONDS = 5.0
"""How long they may take before it is said where they are."""
LINE = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in ', re.MULTILINE)
"""Of a stack that faulthandler writes, the call that is under way first."""
PROGRAM = """\
import faulthandler, importlib, json, sys, traceback
faulthandler.dump_traceback_later(float(sys.argv[1]), repeat=True)
for name in sys.argv[2:]:
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


def require_imports(
    cloud: str, changed: Collection[Path], root: Path = ROOT, say: Callable[[str], None] = lambda _: None
) -> None:
    """Import the functions of a cloud that any of some files is a part of, and every such file that is a model's.

    `say` is told where an import is that takes long. Raises `pulumi.RunError`, with file and line, for the first
    import that fails.
    """
    apart: dict[str, list[str]] = {}
    for name in sorted(dict.fromkeys(affected(cloud, changed, root))):
        apart.setdefault(_trained_apart(name, root), []).append(name)
    for model, names in apart.items():
        _import(names, interpreter(model, root) if model else sys.executable, root, say)


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


def _import(names: list[str], python: str, root: Path, say: Callable[[str], None]) -> None:
    said, errors, code = _imported(names, python, root, say)
    last = (said.splitlines() or [b""])[-1]
    if last.startswith(b'{"error"'):
        document = json.loads(last)
        raise pulumi.RunError(f"{_place(document['frames'], root)}{document['error']}")
    if code or last != b'"imported"':
        why = " ".join(errors.strip().splitlines()[-1:]) or code
        raise pulumi.RunError(f"{few(names)}: the import ended its process: {why}")


def _imported(names: Sequence[str], python: str, root: Path, say: Callable[[str], None]) -> tuple[bytes, str, int]:
    """Import modules in a process of their own; return what it printed, what it said of errors, and its exit code.

    Raises `pulumi.RunError` where that takes longer than it may.
    """
    command = [python, "-c", PROGRAM, str(QUIET_SECONDS), *names]
    with tempfile.TemporaryFile() as written:

        def errors() -> str:
            written.seek(0)
            return written.read().decode(errors="replace")

        with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=written) as process:
            try:
                with suppress(subprocess.TimeoutExpired):
                    return process.communicate(timeout=QUIET_SECONDS * 1.2)[0], errors(), process.returncode
                say(f"{_under_way(errors(), root)}the import is not done after {QUIET_SECONDS:g} s")
                with suppress(subprocess.TimeoutExpired):
                    return process.communicate(timeout=SECONDS - QUIET_SECONDS)[0], errors(), process.returncode
                raise pulumi.RunError(f"{_under_way(errors(), root)}{few(names)}: not imported within {SECONDS:g} s")
            finally:
                process.kill()


def _under_way(stacks: str, root: Path) -> str:
    """Return where in our files the last of some stacks is that faulthandler wrote."""
    last = stacks.rpartition("Timeout (")[2]
    return _place([(found["file"], int(found["line"])) for found in LINE.finditer(last)][::-1], root)


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
