from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from filelock import FileLock

from infra import cache
from infra.cache import Entry, clean, entry, prune
from infra.sources import ROOT


def builder(content: bytes = b"whole", calls: list[int] | None = None) -> cache.Builder:
    def build(workspace: Path, target: Path) -> Mapping[str, Any]:
        (workspace / "scratch").write_text("left", encoding="utf-8")
        target.write_bytes(content)
        if calls is not None:
            calls.append(1)
        return {"size": len(content)}

    return build


def ask(folder: Path, build: cache.Builder | None = None) -> tuple[Entry, list[str]]:
    lines: list[str] = []
    return entry(folder, "a", build or builder(), lines.append), lines


def test_an_entry_is_built_once_and_nothing_else_is_left(tmp_path: Path) -> None:
    calls: list[int] = []
    first, _ = ask(tmp_path, builder(calls=calls))
    second, lines = ask(tmp_path, builder(calls=calls))
    assert first == second
    assert (len(calls), lines, first.facts) == (1, [], {"size": 5})
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip", "a.json", "a.lock"}


def truncated(folder: Path) -> None:
    (folder / "a.zip").write_bytes(b"who")


def changed(folder: Path) -> None:
    (folder / "a.zip").write_bytes(b"whale")


def gone(folder: Path) -> None:
    (folder / "a.zip").unlink()


def record_cut(folder: Path) -> None:
    (folder / "a.json").write_text('{"digest": "12', encoding="utf-8")


def record_empty(folder: Path) -> None:
    (folder / "a.json").write_bytes(b"")


def record_of_before(folder: Path) -> None:
    (folder / "a.json").write_text('{"unpacked": 1, "compiled": true}', encoding="utf-8")


@pytest.mark.parametrize("damage", [truncated, changed, gone, record_cut, record_empty, record_of_before])
def test_a_damaged_entry_is_built_again_and_one_line_says_so(damage: Callable[[Path], None], tmp_path: Path) -> None:
    first, _ = ask(tmp_path)
    damage(tmp_path)
    second, lines = ask(tmp_path)
    assert second == first
    assert second.path.read_bytes() == b"whole"
    [line] = lines
    assert line.startswith(f"{tmp_path / 'a.zip'} is damaged (")
    assert line.endswith("), and is built again")
    assert ask(tmp_path)[1] == []


def test_a_file_without_a_record_was_never_finished_and_is_built(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"half")
    built, lines = ask(tmp_path)
    assert (built.path.read_bytes(), lines) == (b"whole", [])


def failing(number: int) -> cache.Builder:
    def build(workspace: Path, target: Path) -> Mapping[str, Any]:
        target.write_bytes(b"half")
        raise OSError(number, os.strerror(number), str(target))

    return build


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_built(number: int, tmp_path: Path) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        entry(tmp_path, "a", failing(number), print)
    assert str(refused.value).startswith(f"{tmp_path}: no space is left on its disk")
    assert "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".lock"] == []
    assert ask(tmp_path)[0].path.read_bytes() == b"whole"


@pytest.mark.integration
def test_a_disk_that_is_full_for_real_is_the_same_sentence(tmp_path: Path) -> None:
    """The system refuses to write files beyond a size, as it refuses to where there is no more room."""
    code = f"""
import resource, signal
from pathlib import Path
import pulumi
from infra.cache import entry
def build(workspace, target):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    target.write_bytes(b"x" * 2000)
    return {{}}
try:
    entry(Path({str(tmp_path)!r}), "a", build, print)
except pulumi.RunError as problem:
    print(problem)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.startswith(f"{tmp_path}: no space is left on its disk, and an archive cannot be built")
    assert [path.name for path in tmp_path.iterdir()] == ["a.lock"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(pulumi.RunError) as refused:
        ask(tmp_path / "file" / "bundles")
    assert str(refused.value) == (
        f"{tmp_path}/file/bundles: cannot be written (Not a directory); archives are built and kept there"
    )


BUILDING = """
import os, sys, time
from pathlib import Path
from infra.cache import entry
def build(workspace, target):
    target.write_bytes(b"half")
    print("building", flush=True)
    sys.stdin.read()
    return {}
entry(Path(sys.argv[1]), "a", build, print)
"""


@pytest.fixture
def live(tmp_path: Path) -> subprocess.Popen[str]:
    """Return a process that builds, until its standard input ends."""
    command = [sys.executable, "-c", BUILDING, str(tmp_path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "building\n"
    return process


@pytest.mark.integration
def test_what_a_killed_build_left_is_removed_and_what_a_live_one_has_is_not(
    live: subprocess.Popen[str], tmp_path: Path
) -> None:
    clean(tmp_path)
    assert (tmp_path / "a.building" / "draft").read_bytes() == b"half"
    live.send_signal(signal.SIGKILL)
    live.communicate()
    assert (tmp_path / "a.building").exists()
    clean(tmp_path)
    assert not (tmp_path / "a.building").exists()
    assert ask(tmp_path)[0].path.read_bytes() == b"whole"


def aged(folder: Path, name: str, used: float, build: cache.Builder | None = None) -> None:
    entry(folder, name, build or builder(), lambda _: None)
    os.utime(folder / f"{name}.json", (used, used))


def kept(folder: Path) -> set[str]:
    assert {file.stem for file in folder.glob("*.zip")} == {file.stem for file in folder.glob("*.json")}
    return {file.stem for file in folder.glob("*.zip")}


def test_of_each_kind_the_last_few_that_were_used_are_kept(tmp_path: Path) -> None:
    for number in range(cache.KEPT + 2):
        aged(tmp_path, f"train-{number}", float(number))
    aged(tmp_path, "my-jobs-0", 0.0)
    aged(tmp_path, "0123456789abcdef", 0.0)
    entry(tmp_path, "train-0", builder(), lambda _: None)
    prune(tmp_path)
    assert kept(tmp_path) == {"train-0", "train-3", "train-4", "train-5", "train-6", "my-jobs-0", "0123456789abcdef"}


def test_what_was_used_lately_is_kept_however_much_it_is(tmp_path: Path) -> None:
    for number in range(cache.KEPT + 2):
        aged(tmp_path, f"train-{number}", 1000.0 + number)
    prune(tmp_path, now=1001.5 + cache.USED_SECONDS)
    assert kept(tmp_path) == {f"train-{number}" for number in range(2, cache.KEPT + 2)}
    prune(tmp_path, now=1000.5)
    assert len(kept(tmp_path)) == cache.KEPT


def test_what_another_process_is_about_to_use_is_kept(tmp_path: Path) -> None:
    for number in range(cache.KEPT + 1):
        aged(tmp_path, f"train-{number}", float(number))
    with FileLock(tmp_path / "train-0.lock"):
        prune(tmp_path)
    assert "train-0" in kept(tmp_path)


def test_leftovers_of_builds_before_there_were_locks_go_by_their_age(tmp_path: Path) -> None:
    for name, days in (("tmpabcdefgh", 2), ("tmpijklmnop", 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "draft.zip").write_text("half", encoding="utf-8")
        date = time.time() - days * cache.DAY
        os.utime(tmp_path / name, (date, date))
    clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tmpijklmnop"]


def _ask_at_once(folder: str, number: int) -> str:
    def build(workspace: Path, target: Path) -> Mapping[str, Any]:
        (Path(folder) / f"built-{number}").touch()
        target.write_bytes(b"whole" * 1000)
        return {"by": number}

    return json.dumps(dict(entry(Path(folder), "a", build, print).facts))


@pytest.mark.integration
def test_two_builds_at_once_are_one(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        answers = pool.starmap(_ask_at_once, [(str(tmp_path), number) for number in range(4)])
    assert len(set(answers)) == 1
    assert len(list(tmp_path.glob("built-*"))) == 1
