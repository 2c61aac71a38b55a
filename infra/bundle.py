"""Build one reproducible archive for each function: our sources and their locked requirements, ready to upload.

The same inputs give the same bytes under the same name: what has not changed is neither built
nor uploaded again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from infra import compiler, model_lock, package_index, shipping, trainers, zip_file
from infra.archive import Archive, Platform
from infra.cache import clean, entry, prune
from infra.dependencies import RULES, Dependencies, dependencies
from infra.function_spec import FunctionSpec
from infra.function_table import TRAIN, named
from infra.sources import FINDINGS, ROOT, shared, sources
from infra.tier import Tier
from infra.vocabulary import Cloud
from models.section import CONTRACT, LOCK, SHARED

CACHE = ROOT / ".local" / "bundles"
REQUIREMENTS = ROOT / "functions" / "requirements"
EMPTY = b"PK\5\6" + bytes(18)
"""A zip file without entries."""
TEXT = frozenset({".py", ".yaml", ".json", ".txt"})
"""Kinds of our files for which the ends of lines mean nothing: a checkout with CRLF gives the same archive."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the archive of one function holds."""

    files: Mapping[str, bytes]
    """Our sources, and the other files that the cloud looks for, by path."""
    installed: Dependencies | None
    """None where the cloud's build installs them."""
    compiler: str | None
    """The exact version of the interpreter that compiles our sources; None leaves that to the build, or undone."""

    def key(self) -> str:
        """Return a name made of all that decides the archive's bytes: 32 hexadecimal digits."""
        installed = self.installed.zip.name if self.installed else ""
        digest = hashlib.sha256(f"{RULES} {self.compiler} {installed}".encode())
        for path, data in sorted(self.files.items()):
            digest.update(f"\0{path}\0".encode() + hashlib.sha256(data).digest())
        return digest.hexdigest()[:32]


def archives(
    functions: Sequence[FunctionSpec], *, cloud: Cloud, platform: Platform, models: Sequence[str], cache: Path = CACHE
) -> Mapping[str, Archive]:
    """Return one archive for each function, by name, built in parallel; empty where a cloud has no adapters yet.

    Raise `pulumi.RunError` when a requirement cannot be installed, a lock is missing, or the compiler of
    the platform can be had nowhere, and as `cache.entry` does.
    """
    if not cloud.tier.includes(Tier.DEPLOYABLE):
        return {spec.name: _stand_in(cache) for spec in functions}
    with FINDINGS.kept(cache):
        for spec in functions:
            needed, carried = modules(spec, cloud.name), trainers.served(spec, models)
            locks = _locks(spec, cloud)
            shipping.require(needed, carried, packing=cloud.packing, locks=locks, python=platform.python)
    clean(cache)
    if platform.compiler and not cloud.packing.built:
        compiler.find(platform.compiler, cache)
    damaged: list[str] = []
    with zip_file.sharing(), ThreadPoolExecutor(2) as pool:
        results = pool.map(
            lambda spec: archive(spec, cloud=cloud, platform=platform, models=models, cache=cache, say=damaged.append),
            functions,
        )
        built = {spec.name: archive for spec, archive in zip(functions, results, strict=True)}
    prune(cache)
    # From here, since the threads of a pool do not know the engine.
    for line in damaged:
        pulumi.log.warn(line)
    return built


def archive(
    spec: FunctionSpec,
    *,
    cloud: Cloud,
    platform: Platform,
    models: Sequence[str],
    cache: Path = CACHE,
    say: Callable[[str], object] = pulumi.log.warn,
) -> Archive:
    """Return the archive of one function, packed as the cloud takes it. It is built unless `cache` holds it undamaged.

    `say` gets a line for a damaged one.
    """
    contents = _contents(spec, cloud, platform, trainers.served(spec, models), cache, say)

    def build(workspace: Path, target: Path) -> dict[str, Any]:
        return _build(contents, cache, workspace, target)

    built = entry(cache, f"{spec.name}-{contents.key()}", build, say)
    return Archive(
        path=built.path,
        digest=built.digest,
        size=built.path.stat().st_size,
        unpacked=built.facts["unpacked"],
        uncompiled=tuple(built.facts["uncompiled"]),
    )


def remarks(built: Mapping[str, Archive], cloud: Cloud, platform: Platform) -> list[str]:
    """Return what a preview says of archives: an index that is not the public one, and what is not compiled."""
    if cloud.packing.built or not cloud.tier.includes(Tier.DEPLOYABLE):
        return []
    lines = [str(package_index.find(os.environ, ROOT))]
    if platform.compiler is None:
        lines.append("archives are not compiled, and each cold start compiles anew; runtime.compiled: true changes it")
    lines += [
        f"{name}: not compiled by CPython {platform.compiler}: {problem}"
        for name, archive in built.items()
        for problem in archive.uncompiled
    ]
    return [line for line in lines if line]


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

    def build(_: Path, target: Path) -> dict[str, Any]:
        target.write_bytes(EMPTY)
        return {}

    built = entry(cache, "empty", build, pulumi.log.warn)
    return Archive(path=built.path, digest=built.digest, size=len(EMPTY), unpacked=0, stand_in=True)


def _contents(
    spec: FunctionSpec,
    cloud: Cloud,
    platform: Platform,
    models: Sequence[str],
    cache: Path,
    say: Callable[[str], object],
) -> Contents:
    source_files = sources(modules(spec, cloud.name), models)
    files = {file.relative_to(ROOT).as_posix(): _read(file) for file in source_files}
    for model in models:
        beside = "".join(f"{file.relative_to(ROOT).as_posix()}\n" for file in shared(model))
        if beside and ROOT / "models" / model / CONTRACT in source_files:
            files[f"models/{model}/{SHARED}"] = beside.encode()
    if any(file.name == CONTRACT for file in source_files):
        files[f"models/{LOCK}"] = _digest(_locked(named(TRAIN), cloud))
        apart = [
            model for model in trainers.with_packages(models) if ROOT / "models" / model / CONTRACT in source_files
        ]
        files |= {f"models/{model}/{LOCK}": _digest(_locked(trainers.row(model), cloud)) for model in apart}
    files |= {path: text.encode() for path, text in cloud.packing.files.items()}
    files["main.py"] = main(spec, cloud.name).encode()
    if not cloud.packing.built:
        lock = _locks(spec, cloud)[0]
        installed = dependencies(lock, platform, cache, say, package_index.find(os.environ, ROOT))
        return Contents(files=files, installed=installed, compiler=platform.compiler)
    return Contents(files={**files, "requirements.txt": _locked(spec, cloud)}, installed=None, compiler=None)


def _locks(spec: FunctionSpec, cloud: Cloud) -> tuple[Path, ...]:
    """Return a function's lock on a cloud, and one that completes it. Raise `pulumi.RunError` for one that is missing.

    A model's own lock is complete but for what a cloud that builds functions runs them with.
    """
    lock = REQUIREMENTS / (f"{cloud.name}/{spec.lock}.txt" if cloud.packing.built else f"{spec.lock}.txt")
    if not lock.exists():
        raise pulumi.RunError(f"{lock.relative_to(REQUIREMENTS.parents[1])} is missing; `make lock` writes it")
    if not spec.model:
        return (lock,)
    model_lock.require(spec.model)
    own = model_lock.path(spec.model)
    return (own, lock) if cloud.packing.built else (own,)


def _locked(spec: FunctionSpec, cloud: Cloud) -> bytes:
    """Return what a function is installed from on a cloud. Raise `pulumi.RunError` as `_locks` does."""
    first, *more = _locks(spec, cloud)
    return model_lock.together(first, more[0]) if more else _read(first)


def _digest(lock: bytes) -> bytes:
    return hashlib.sha256(lock).hexdigest().encode()


def _read(file: Path) -> bytes:
    """Return a file's bytes, of text with the ends of lines that git stores.

    Raise `pulumi.RunError` for one that an editor has just taken away.
    """
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise pulumi.RunError(f"{file.relative_to(ROOT)}: cannot be read: {problem.strerror}") from None
    return content.replace(b"\r\n", b"\n") if file.suffix in TEXT else content


def _build(contents: Contents, cache: Path, workspace: Path, target: Path) -> dict[str, Any]:
    tree, installed = workspace / "tree", contents.installed
    for path, data in contents.files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    uncompiled = compiler.compile_tree(tree, contents.compiler, cache, instead=False) if contents.compiler else ()
    unpacked = zip_file.write(target, zip_file.tree(tree), after=installed.zip if installed else None)
    return {
        "unpacked": unpacked + (installed.unpacked if installed else 0),
        "uncompiled": [*(installed.uncompiled if installed else ()), *uncompiled],
    }
