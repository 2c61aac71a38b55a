from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from infra import bundle, dependencies
from infra.settings import Runtime
from infra.target import target

HERE = target(Runtime(python="host", architecture="host"))


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of one small pure package, cut from the project's own."""
    folder = tmp_path / "requirements"
    folder.mkdir()
    lines = (bundle.REQUIREMENTS / "train.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith("threadpoolctl=="))
    end = next((index for index in range(start + 1, len(lines)) if not lines[index].startswith(" ")), len(lines))
    (folder / "predict.txt").write_text("".join(lines[start:end]), encoding="utf-8")
    monkeypatch.setattr(bundle, "REQUIREMENTS", folder)
    return folder


def build(cache: Path) -> bundle.Archive:
    return bundle.archive("predict", cloud="aws", platform=HERE, models=["breast_cancer"], cache=cache)


def test_the_same_inputs_give_the_same_bytes(requirements: Path, tmp_path: Path) -> None:
    one, other = build(tmp_path / "one"), build(tmp_path / "other")
    assert one.path != other.path
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.digest == other.digest


def test_what_has_not_changed_is_not_built_again(requirements: Path, tmp_path: Path) -> None:
    first = build(tmp_path / "cache")
    written = first.path.stat().st_mtime_ns
    assert build(tmp_path / "cache") == first
    assert first.path.stat().st_mtime_ns == written


def test_a_changed_lock_gives_another_archive(requirements: Path, tmp_path: Path) -> None:
    before = build(tmp_path / "cache")
    lock = requirements / "predict.txt"
    lock.write_text("".join(lock.read_text(encoding="utf-8").replace("threadpoolctl==", "threadpoolctl ==")))
    assert build(tmp_path / "cache").path != before.path


def test_code_and_dependencies_are_inside_compiled_and_sorted_under_one_date(
    requirements: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(build(tmp_path / "cache").path) as archive:
        names = archive.namelist()
        dates = {entry.date_time for entry in archive.infolist()}
    tag = sys.implementation.cache_tag
    assert {"threadpoolctl.py", "functions/adapters/aws/predict.py", f"__pycache__/threadpoolctl.{tag}.pyc"} <= set(
        names
    )
    assert f"functions/core/__pycache__/predict.{tag}.pyc" in names
    assert len(names) == len(set(names))
    assert dates == {dependencies.EPOCH}


def test_an_unpacked_archive_runs_without_writing_beside_itself(requirements: Path, tmp_path: Path) -> None:
    place = tmp_path / "task"
    with zipfile.ZipFile(build(tmp_path / "cache").path) as archive:
        archive.extractall(place)
    before = sorted(place.rglob("*"))
    code = "import sys; sys.path.insert(0, '.'); import threadpoolctl, functions.core; print(threadpoolctl.__cached__)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], cwd=place, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith(".pyc")
    assert sorted(place.rglob("*")) == before


def test_a_target_without_its_interpreter_at_hand_is_not_compiled_and_says_so(
    requirements: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = "3.13" if sys.version_info[:2] != (3, 13) else "3.12"
    monkeypatch.setattr(dependencies.shutil, "which", lambda _: None)
    made = bundle.archive(
        "predict", cloud="aws", platform=replace(HERE, python=other), models=[], cache=tmp_path / "cache"
    )
    with zipfile.ZipFile(made.path) as archive:
        has_compiled = any(name.endswith(".pyc") for name in archive.namelist())
    assert not made.compiled
    assert not has_compiled


def test_a_requirement_whose_hash_differs_stops_the_program_by_the_name_of_its_lock(
    requirements: Path, tmp_path: Path
) -> None:
    lock = requirements / "predict.txt"
    lock.write_text("threadpoolctl==3.8.0 --hash=sha256:" + "0" * 64 + "\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=r"functions/requirements/predict.txt"):
        build(tmp_path / "cache")
