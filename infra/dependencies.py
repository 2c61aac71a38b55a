"""Install locked requirements for a target platform without Docker; prune, compile and zip them once.

The zip is kept under a name made of everything that decides its content, so nothing is
installed or compressed again while lock, platform and these rules stay as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pulumi
from uv import find_uv_bin

from infra import zip_file
from infra.archive import Platform
from infra.cache import entry, full, no_space
from infra.compiler import compile_tree
from infra.elf import shorten
from infra.package_index import PackageIndex, without_credentials
from infra.sources import ROOT

RULES = 6
"""The version of pruning, compiling and zipping: raise it whenever one of them gives other bytes."""

UNUSED = (
    "**/tests",
    "**/conftest.py",
    "joblib/test",
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
    # What builds extensions, and what the tests of numpy and scipy import.
    "numpy/distutils",
    "numpy/_core/_simd.*",
    "numpy/_core/_*_tests.*.so",
    "scipy/**/_test_*.so",
    "scipy/ndimage/_ctest.*.so",
    "scipy/ndimage/_cytest.*.so",
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


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """Installed requirements, zipped."""

    zip: Path
    unpacked: int
    """Bytes on disk once unpacked."""
    uncompiled: tuple[str, ...]
    """What was wrong with each source that the compiler left as it is. The others are compiled, without their
    sources, where the platform names a compiler."""


def name_of(lock: Path, platform: Platform) -> str:
    """Return a name made of all that decides the bytes of what a lock installs: 32 hexadecimal digits."""
    decisive = [RULES, UNUSED, ONLY, lock.read_text(encoding="utf-8"), asdict(platform)]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:32]


def dependencies(
    lock: Path, platform: Platform, cache: Path, say: Callable[[str], object], index: PackageIndex | None = None
) -> Dependencies:
    """Return the installed content of `lock` for `platform`. It is installed, from `index`, unless `cache` holds it.

    Raise `pulumi.RunError` with the installer's own message when a requirement cannot be installed, and as
    `cache.entry` does.
    """

    def build(workspace: Path, target: Path) -> dict[str, Any]:
        tree = workspace / "tree"
        _install(lock, platform, tree, index or PackageIndex())
        _prune(tree)
        uncompiled = compile_tree(tree, platform.compiler, cache, instead=True) if platform.compiler else ()
        return {"unpacked": zip_file.write(target, zip_file.tree(tree)), "uncompiled": uncompiled}

    built = entry(cache, name_of(lock, platform), build, say)
    facts = built.facts
    return Dependencies(zip=built.path, unpacked=facts["unpacked"], uncompiled=tuple(facts["uncompiled"]))


def shown(lock: Path) -> str:
    """Return a lock as messages name it: from its folder in the project on."""
    parts = lock.parts
    tops = [at for at, part in enumerate(parts) if part in ("functions", "models")]
    return "/".join(parts[max(tops) :]) if tops else f"functions/requirements/{lock.name}"


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


def _install(lock: Path, platform: Platform, tree: Path, index: PackageIndex) -> None:
    command = [find_uv_bin(), "pip", "install", "--quiet", "--target", str(tree)]
    command += ["--python", sys.executable, "--python-version", platform.python]
    command += ["--python-platform", platform.wheels] if platform.wheels else []
    command += ["--only-binary", ":all:", "--require-hashes", "--no-deps", "--link-mode", "copy"]
    command += ["--requirements", str(lock.resolve())]
    environment = {**os.environ, **index.environment}
    installer = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)
    if not installer.returncode:
        return
    if no_space(installer.stderr):
        raise pulumi.RunError(full(tree.parents[1]))
    where = f"; {index}" if index.hosts else ""
    raise pulumi.RunError(
        f"{shown(lock)}: cannot be installed for Python {platform.python} "
        f"on {platform.wheels or 'this machine'}{where}:\n{without_credentials(installer.stderr.strip())}"
    )
