"""The virtual environments of the peers, each built from its own lock file: requirements/bench/<name>.txt."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements" / "bench"
FOLDER = ROOT / ".local" / "bench"


class Unavailable(RuntimeError):
    """An environment cannot be built here. The text is the last line of the installer's output."""


def interpreter(name: str, folder: Path = FOLDER) -> Path:
    """Return the path of an environment's Python, after building the environment if its lock has changed.

    All its packages are compiled to bytecode, as ours are. Raises `Unavailable`.
    """
    lock = LOCKS / f"{name}.txt"
    environment = folder / name
    python, stamp = environment / "bin" / "python", environment / ".lock-digest"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == digest):
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
        _uv("pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", str(python), str(lock))
        stamp.write_text(digest, encoding="utf-8")
    return python


def _uv(*arguments: str) -> None:
    done = subprocess.run([find_uv_bin(), *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise Unavailable(lines[-1] if lines else f"uv ended with code {done.returncode}")
