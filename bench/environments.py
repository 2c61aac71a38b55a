"""The environments that peers live in, each built from a lock of its own: requirements/bench/<name>.txt."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "requirements" / "bench"
PLACE = ROOT / ".local" / "bench"


class Unavailable(RuntimeError):
    """An environment that cannot be built here. The message is the installer's own last line."""


def interpreter(name: str, place: Path = PLACE) -> Path:
    """The Python of an environment, which is built first if its lock has changed.

    Everything in it is compiled, as ours is. Raises `Unavailable`.
    """
    lock = LOCKS / f"{name}.txt"
    environment = place / name
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
