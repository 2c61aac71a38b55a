"""Which modules the packages of a lock bring: a comment at the end of each function's lock, which `make lock` writes.

No package says in its name what it is imported by, and where the cloud builds nothing is installed here.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from uv import find_uv_bin

LINE = "# modules: "
EXTENSION = re.compile(r"\.(cpython|abi3)[^.]*\.so$|\.so$")
PYTHON, WHEELS = "3.13", "x86_64-manylinux_2_28"
NAME = re.compile(r"[A-Za-z_]\w*")


def modules(lock: Path) -> frozenset[str] | None:
    """Return the modules that a lock's packages bring, those of a namespace with its name; None for a lock without.

    Raise `OSError` for a lock that cannot be read.
    """
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith(LINE):
            return frozenset(line.removeprefix(LINE).split())
    return None


def found(folder: Path, prefix: str = "") -> Iterator[str]:
    """Yield the modules in a folder into which packages were installed."""
    for path in folder.iterdir():
        name = EXTENSION.sub("", path.name).removesuffix(".py")
        if not NAME.fullmatch(name) or name.startswith("__"):
            continue
        if path.is_file() or (path / "__init__.py").is_file():
            if path.is_dir() or path.suffix in (".py", ".so"):
                yield prefix + name
        elif any(path.rglob("*.py")) or any(path.rglob("*.so")):
            yield from found(path, f"{prefix}{name}.")


def main(locks: list[str]) -> None:
    """Write the line into each lock, in place of an older one. Raise `CalledProcessError` for one that uv refuses."""
    for lock in (Path(name) for name in locks):
        with tempfile.TemporaryDirectory() as folder:
            command = [find_uv_bin(), "pip", "install", "--quiet", "--target", folder, "--no-deps", "--require-hashes"]
            command += ["--python", sys.executable, "--python-version", PYTHON, "--python-platform", WHEELS]
            subprocess.run([*command, "--only-binary", ":all:", "--requirements", str(lock)], check=True)
            names = " ".join(sorted(found(Path(folder))))
        kept = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith(LINE)]
        lock.write_text("\n".join([*kept, LINE + names]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
