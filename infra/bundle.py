"""Functions, ready to upload: our sources and their locked requirements in one reproducible archive each.

Same inputs, same bytes, same name: what has not changed is neither built nor uploaded again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.dependencies import compile_tree, dependencies, interpreter_of, locked, write_zip
from infra.sources import ROOT, sources
from infra.vocabulary import Archive, Platform

CACHE = ROOT / ".local" / "bundles"
REQUIREMENTS = ROOT / "functions" / "requirements"


def archives(
    entries: Sequence[str], *, cloud: str, platform: Platform, models: Sequence[str], cache: Path = CACHE
) -> Mapping[str, Archive]:
    """One archive for each entry, by its name, built side by side.

    Raises `pulumi.RunError` when a requirement cannot be installed.
    """
    with ThreadPoolExecutor(2) as pool:
        built = pool.map(
            lambda entry: archive(entry, cloud=cloud, platform=platform, models=models, cache=cache), entries
        )
        return dict(zip(entries, built, strict=True))


def archive(entry: str, *, cloud: str, platform: Platform, models: Sequence[str], cache: Path = CACHE) -> Archive:
    """The archive of `functions/adapters/<cloud>/<entry>.py`."""
    installed = dependencies(REQUIREMENTS / f"{entry}.txt", platform, cache)
    files = sources(f"functions.adapters.{cloud}.{entry}", models)
    key = hashlib.sha256(installed.zip.name.encode())
    for file in files:
        key.update(f"\0{file.relative_to(ROOT).as_posix()}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    place = cache / f"{entry}-{key.hexdigest()[:32]}"
    with locked(place.with_suffix(".lock")):
        if not place.with_suffix(".json").exists():
            _make(installed.zip, installed.unpacked, files, platform, place)
    facts = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
    return Archive(path=place.with_suffix(".zip"), **facts)


def _make(installed: Path, unpacked: int, files: Sequence[Path], platform: Platform, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as room:
        tree, draft = Path(room) / "tree", Path(room) / "draft.zip"
        for file in files:
            copy = tree / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
        if interpreter := interpreter_of(platform.python):
            compile_tree(tree, interpreter)
        shutil.copyfile(installed, draft)
        with zipfile.ZipFile(draft, "a") as target:
            unpacked += write_zip(target, tree)
        content = draft.read_bytes()
        draft.rename(place.with_suffix(".zip"))
        facts = {
            "digest": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "unpacked": unpacked,
            "compiled": bool(interpreter),
        }
        place.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
