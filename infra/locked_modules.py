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
    for text in lock.read_text(encoding="utf-8").splitlines():
        if text.startswith(LINE):
            return frozenset(text.removeprefix(LINE).split())
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


def by_package(folder: Path) -> dict[str, str]:
    """Return the package that brought each module into a folder, by the module's name."""
    owners: dict[str, str] = {}
    for record in folder.glob("*.dist-info/RECORD"):
        package = record.parent.name.partition("-")[0]
        for entry in record.read_text(encoding="utf-8").splitlines():
            owners.setdefault(EXTENSION.sub("", entry.partition(",")[0].partition("/")[0]).removesuffix(".py"), package)
    return {name: owners.get(name.partition(".")[0], "a package") for name in found(folder)}


def command(lock: Path, folder: Path) -> list[str]:
    """Return what installs a lock into a folder, to see which modules are there."""
    start = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(folder), "--no-deps", "--require-hashes"]
    start += ["--python", sys.executable, "--python-version", PYTHON, "--python-platform", WHEELS]
    return [*start, "--only-binary", ":all:", "--requirements", str(lock)]


def line(folder: Path) -> str:
    """Return the comment about what was installed into a folder."""
    return LINE + " ".join(sorted(found(folder)))


def main(locks: list[str]) -> None:
    """Write the line into each lock, in place of an older one. Raise `CalledProcessError` for one that uv refuses."""
    for lock in (Path(name) for name in locks):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(command(lock, Path(folder)), check=True)
            written = line(Path(folder))
        kept = [text for text in lock.read_text(encoding="utf-8").splitlines() if not text.startswith(LINE)]
        lock.write_text("\n".join([*kept, written]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
