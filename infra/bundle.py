"""Build one reproducible archive for each function: our sources and their locked requirements, ready to upload.

The same inputs give the same bytes under the same name: what has not changed is neither built
nor uploaded again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pulumi
from filelock import FileLock

from infra.dependencies import Dependencies, compile_tree, dependencies, interpreter_of, write_zip
from infra.function_table import FunctionSpec
from infra.sources import ROOT, sources
from infra.tier import Tier
from infra.vocabulary import Archive, Cloud, Platform

CACHE = ROOT / ".local" / "bundles"
REQUIREMENTS = ROOT / "functions" / "requirements"
EMPTY = b"PK\5\6" + bytes(18)
"""A zip file without entries."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the archive of one function holds."""

    files: Mapping[str, bytes]
    """Our sources, and the other files that the cloud looks for, by path."""
    installed: Dependencies | None
    """None where the cloud's build installs them."""

    def key(self) -> str:
        """Return a name made of all that decides the archive's bytes: 32 hexadecimal digits."""
        digest = hashlib.sha256(self.installed.zip.name.encode() if self.installed else b"")
        for path, data in sorted(self.files.items()):
            digest.update(f"\0{path}\0".encode() + hashlib.sha256(data).digest())
        return digest.hexdigest()[:32]


def archives(
    functions: Sequence[FunctionSpec], *, cloud: Cloud, platform: Platform, models: Sequence[str], cache: Path = CACHE
) -> Mapping[str, Archive]:
    """Return one archive for each function, by name, built in parallel; empty where a cloud has no adapters yet.

    Raise `pulumi.RunError` when a requirement cannot be installed, or a lock is missing.
    """
    if not cloud.tier.includes(Tier.DEPLOYABLE):
        return {spec.name: _stand_in(cache) for spec in functions}
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(
            lambda spec: archive(spec, cloud=cloud, platform=platform, models=models, cache=cache), functions
        )
        return {spec.name: built for spec, built in zip(functions, results, strict=True)}


def archive(
    spec: FunctionSpec, *, cloud: Cloud, platform: Platform, models: Sequence[str], cache: Path = CACHE
) -> Archive:
    """Return the archive of one function, packed as the cloud takes it. It is built unless `cache` holds it."""
    contents = _contents(spec, cloud, platform, models, cache)
    stem = cache / f"{spec.name}-{contents.key()}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(stem.with_suffix(".lock")):
        if not stem.with_suffix(".json").exists():
            _build(contents, platform, stem)
    facts = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    return Archive(path=stem.with_suffix(".zip"), **facts)


def main(spec: FunctionSpec, cloud: str) -> str:
    """Return the archive's `main.py`: what the row composes, adapted to how the cloud calls.

    functions-framework looks for a file of this name: https://cloud.google.com/run/docs/write-functions#python
    """
    module, _, compose = spec.entry.partition(":")
    adapter, _, adapt = spec.trigger.adapter.partition(".")
    lines = (
        f"from {module} import {compose} as compose",
        f"from functions.adapters.{cloud}.{adapter} import {adapt} as adapt",
        "",
        "handle = adapt(compose)",
    )
    return "\n".join(lines) + "\n"


def modules(spec: FunctionSpec, cloud: str) -> tuple[str, str]:
    """Return what `main.py` imports: the entry's module and the adapter's."""
    adapter = spec.trigger.adapter.partition(".")[0]
    return spec.entry.partition(":")[0], f"functions.adapters.{cloud}.{adapter}"


def _stand_in(cache: Path) -> Archive:
    """Return an empty archive, for a graph that is only previewed."""
    path = cache / "empty.zip"
    cache.mkdir(parents=True, exist_ok=True)
    path.write_bytes(EMPTY)
    return Archive(path=path, digest=hashlib.sha256(EMPTY).hexdigest(), size=len(EMPTY), unpacked=0, stand_in=True)


def _contents(spec: FunctionSpec, cloud: Cloud, platform: Platform, models: Sequence[str], cache: Path) -> Contents:
    source_files = sources(modules(spec, cloud.name), models)
    files = {file.relative_to(ROOT).as_posix(): _read(file) for file in source_files}
    files |= {path: text.encode() for path, text in cloud.packing.files.items()}
    files["main.py"] = main(spec, cloud.name).encode()
    if not cloud.packing.built:
        return Contents(files=files, installed=dependencies(REQUIREMENTS / f"{spec.lock}.txt", platform, cache))
    lock = REQUIREMENTS / cloud.name / f"{spec.lock}.txt"
    if not lock.exists():
        raise pulumi.RunError(f"{lock.relative_to(REQUIREMENTS.parents[1])} is missing; `make lock` writes it")
    return Contents(files={**files, "requirements.txt": lock.read_bytes()}, installed=None)


def _read(file: Path) -> bytes:
    """Return a file's bytes. Raise `pulumi.RunError` for one that an editor has just taken away."""
    try:
        return file.read_bytes()
    except OSError as problem:
        raise pulumi.RunError(f"{file.relative_to(ROOT)}: cannot be read: {problem.strerror}") from None


def _build(contents: Contents, platform: Platform, stem: Path) -> None:
    with tempfile.TemporaryDirectory(dir=stem.parent) as workspace:
        tree, draft = Path(workspace) / "tree", Path(workspace) / "draft.zip"
        for path, data in contents.files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(data)
        unpacked, compiled = 0, True
        if contents.installed is not None:
            interpreter = interpreter_of(platform.python)
            unpacked, compiled = contents.installed.unpacked, bool(interpreter)
            if interpreter:
                compile_tree(tree, interpreter)
            shutil.copyfile(contents.installed.zip, draft)
        with zipfile.ZipFile(draft, "a") as target:
            unpacked += write_zip(target, tree)
        content = draft.read_bytes()
        draft.rename(stem.with_suffix(".zip"))
        facts = {
            "digest": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "unpacked": unpacked,
            "compiled": compiled,
        }
        stem.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
