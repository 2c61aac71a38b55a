"""The interpreter that runs a commit's program: the one that runs this, or one with the packages of its lock."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sml.mistake import Mistake

LOCK: Final = Path("requirements", "dev.txt")
RUNS_WITH: Final = (Path("infra", "requirements.txt"), Path("localcloud", "requirements", "host.in"))
"""The files that name the packages which a preview runs with."""
PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
MINUTES: Final = 10
SAID: Final = 400
"""Characters of what uv says that are told."""


def python_for(root: Path, here: Path, cache: Path, say: Callable[[str], object]) -> Path:
    """Return an interpreter with the packages that the program in `root` previews with.

    It is that of this process where the locks of `root` and of `here`, whose environment this is, name the same
    versions. Else an environment is made of the lock of `root`, once, in `cache`. Raise `Mistake` where that fails.
    """
    wanted = _pins(root)
    if wanted == _pins(here):
        return Path(sys.executable)
    lock = root / LOCK
    if not lock.is_file():
        raise Mistake(f"it has no {LOCK}, so its packages are not known")
    folder = cache / f"environment-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    python, done = folder / "bin" / "python", folder / ".installed"
    if not done.exists():
        say(f"its packages differ: installing those of its {LOCK}, once")
        uv = Path(sys.executable).with_name("uv")
        _run(uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder))
        _run(uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock))
        done.touch()
    return python


def _pins(root: Path) -> dict[str, str]:
    """Return the versions that a lock has of the packages which a preview runs with."""
    names = {name.lower() for file in RUNS_WITH for name, _ in PINNED.findall(_text(root / file))}
    return {name.lower(): version for name, version in PINNED.findall(_text(root / LOCK)) if name.lower() in names}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _run(program: Path, *arguments: str) -> None:
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False, timeout=60 * MINUTES)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise Mistake(f"its packages cannot be installed: {problem}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[:SAID]
        raise Mistake(f"its packages cannot be installed: {said or 'uv says nothing'}")
