"""Install locked requirements for a target platform without Docker; prune, compile and zip them once.

The zip is kept under a name made of everything that decides its content, so nothing is
installed or compressed again while lock, platform and these rules stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import pulumi
from filelock import FileLock
from uv import find_uv_bin

from infra.elf import shorten
from infra.vocabulary import Platform

RULES = 5
"""The version of pruning, compiling and zipping: raise it whenever one of them gives other bytes."""

UNUSED = (
    "**/tests",
    "**/*.pyi",
    "**/*.h",
    "**/*.hpp",
    "**/*.pxd",
    "**/*.pyx",
    "**/*.a",
    "**/*.lib",
    "**/*.c",
    "**/*.cc",
    "**/*.tp",
    "bin",
    ".lock",
    "**/*.dist-info/RECORD",
    "**/*.dist-info/sboms",
    "**/*.dist-info/direct_url.json",
    "**/*.dist-info/INSTALLER",
    "**/*.dist-info/REQUESTED",
    "**/*.dist-info/uv_cache.json",
    "**/*.cpp",
    "**/*.proto",
    "**/*.build",
    "onnx/backend/test",
    # An interpreter of models, in Python, that neither onnx nor skl2onnx uses.
    "onnx/reference",
    # What builds extensions, and what numpy's own tests import.
    "numpy/distutils",
    "numpy/_core/_simd.*",
    # safe_load is written in Python; the compiled loader is never asked for.
    "yaml/_yaml*.so",
    "_yaml",
    "sklearn/datasets/data",
    "sklearn/datasets/images",
    "sklearn/datasets/descr",
)
"""Patterns of what a wheel carries and a function never reads. Licences stay."""

ONLY = {
    # functions/core/onnx/library.py opens the library; the Python package brings a second copy of it, and needs numpy.
    "onnxruntime": ("LICENSE", "ThirdPartyNotices.txt", "capi/libonnxruntime.*"),
}
"""By package that no function imports, patterns of the files in it that are read. The others are deleted."""

EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Installed requirements, zipped."""

    zip: Path
    unpacked: int
    """Bytes on disk once unpacked."""
    compiled: bool
    """Whether `.pyc` files take the place of sources: only where this machine has an interpreter of the target's
    version."""


def dependencies(lock: Path, platform: Platform, cache: Path) -> Dependencies:
    """Return the installed content of `lock` for `platform`. It is installed unless `cache` holds it.

    Raise `pulumi.RunError` with the installer's own message when a requirement cannot be installed.
    """
    interpreter = interpreter_of(platform.python)
    key = hashlib.sha256(
        json.dumps(
            [RULES, UNUSED, ONLY, lock.read_text(encoding="utf-8"), asdict(platform), bool(interpreter)]
        ).encode()
    ).hexdigest()[:32]
    target, facts = cache / f"{key}.zip", cache / f"{key}.json"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{key}.lock"):
        if not facts.exists():
            _build(lock, platform, interpreter, target, facts)
    return Dependencies(zip=target, **json.loads(facts.read_text(encoding="utf-8")))


def interpreter_of(version: str) -> str | None:
    """Return the path of a Python of that major and minor version on this machine, or None."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    return shutil.which(f"python{version}")


def compile_tree(tree: Path, interpreter: str, *, alone: bool = False) -> None:
    """Write a `.pyc` file for each source below `tree`, which the target loads without comparing dates.

    `alone` puts it in the place of the source, which is deleted. A function's code directory is
    read-only: what is not compiled here is compiled anew at every cold start. Paths inside are the
    target's, and one process compiles in a fixed order, so that the bytes depend on the sources alone.
    """
    command = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command += ["-b"] if alone else []
    subprocess.run([*command, "-s", str(tree), "-p", "/var/task", str(tree)], check=False, capture_output=True)
    if alone:
        for source in tree.rglob("*.py"):
            if source.with_suffix(".pyc").exists():
                source.unlink()


def write_zip(target: zipfile.ZipFile, tree: Path) -> int:
    """Add every file below `tree`, sorted, with one fixed date; return the sum of their sizes in bytes."""
    total = 0
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        entry = zipfile.ZipInfo(file.relative_to(tree).as_posix(), EPOCH)
        entry.external_attr = (0o755 if file.suffix == ".so" else 0o644) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        data = file.read_bytes()
        total += len(data)
        target.writestr(entry, data, compresslevel=6)
    return total


def _build(lock: Path, platform: Platform, interpreter: str | None, target: Path, facts: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as workspace:
        tree = Path(workspace) / "tree"
        _install(lock, platform, tree)
        _prune(tree)
        if interpreter:
            compile_tree(tree, interpreter, alone=True)
        draft = Path(workspace) / "draft.zip"
        with zipfile.ZipFile(draft, "w") as archive:
            unpacked = write_zip(archive, tree)
        draft.rename(target)
        facts.write_text(json.dumps({"unpacked": unpacked, "compiled": bool(interpreter)}), encoding="utf-8")


def _prune(tree: Path) -> None:
    for pattern in UNUSED:
        for path in tree.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for package, used in ONLY.items():
        read = {path for pattern in used for path in (tree / package).glob(pattern)}
        for path in (tree / package).rglob("*"):
            if path.is_file() and path not in read:
                path.unlink()
    for path in tree.rglob("*.so*"):
        shorten(path)


def _install(lock: Path, platform: Platform, tree: Path) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(tree)]
    command += ["--python", sys.executable, "--python-version", platform.python]
    command += ["--python-platform", platform.wheels] if platform.wheels else []
    command += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "--link-mode", "copy"]
    installer = subprocess.run([*command, "--requirements", str(lock)], check=False, capture_output=True, text=True)
    if installer.returncode:
        raise pulumi.RunError(
            f"functions/requirements/{lock.name}: cannot be installed for Python {platform.python} "
            f"on {platform.wheels or 'this machine'}:\n{installer.stderr.strip()}"
        )
