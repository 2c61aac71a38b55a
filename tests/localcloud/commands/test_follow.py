"""Edits are deployed, mistakes are printed, and a dead cloud ends the command."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from localcloud.commands import edits
from localcloud.commands.follow import AS_BEFORE, PARTLY, first, follow, redeploy, summary
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.engine import Changes
from localcloud.engine.stack import LocalStack
from tests.root import ROOT


class Followed:
    """Stands for a stack: each deployment edits the next file, and the last one lets the cloud die."""

    def __init__(self, folder: Path, deployments: list[Any]) -> None:
        self.folder = folder
        self.deployments = deployments
        self.begun = threading.Event()
        self.over = False
        self.cloud = self
        self.file = SimpleNamespace(path=folder / "Pulumi.local.yaml", cloud="aws")
        self.outputs: dict[str, Any] = {}

    def edit(self) -> None:
        name = f"file{len(self.deployments)}.py"
        (self.folder / name).write_text("x = 1\n", encoding="utf-8")

    def check(self) -> None:
        if self.over:
            raise CloudFailed("the embedded cloud has died")
        if not self.begun.is_set():
            self.begun.set()
            self.edit()

    def deploy(self) -> Changes:
        result = self.deployments.pop(0)
        self.over = not self.deployments
        if self.deployments:
            self.edit()
        if isinstance(result, Exception):
            raise result
        return result


def test_what_was_edited_while_the_stack_was_deployed_is_deployed_then(tmp_path: Path) -> None:
    followed = Followed(tmp_path, [Changes(updated=("urn::predict-function",))])
    followed.begun.set()  # nothing is edited from now on
    written = {name: tmp_path / name for name in ("before.py", "while.py")}
    for file in written.values():
        file.write_text("x = 1\n", encoding="utf-8")
    os.utime(written["before.py"], (1000, 1000))
    os.utime(written["while.py"], (3000, 3000))  # before now, and so no edit of the deployment that it begins
    with pytest.raises(CloudFailed, match="has died"):
        follow(cast("LocalStack", followed), Progress(), [tmp_path], since=2000)
    assert followed.deployments == []


def test_an_edit_is_deployed_and_a_mistake_does_not_end_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mistake = pulumi.RunError("models/x/model.yaml: gate.minimum: 3 is above 1")
    followed = Followed(tmp_path, [mistake, Changes(updated=("urn::predict-function",))])
    with pytest.raises(CloudFailed, match="has died"):
        follow(cast("LocalStack", followed), Progress(), [tmp_path])
    out = " ".join(capsys.readouterr().out.split())
    assert "gate.minimum: 3 is above 1" in out
    assert "file1.py -> updated predict-function" in out


def half_saved() -> Exception:
    try:
        compile("x = (", str(ROOT / "models" / "one" / "training.py"), "exec")
    except SyntaxError as problem:
        return problem
    raise AssertionError


def unforeseen() -> Exception:
    """A mistake in a file that the program imports anew."""
    try:
        exec(compile("\nNames", str(ROOT / "infra" / "table.py"), "exec"), {})  # noqa: S102 - our own text
    except NameError as problem:
        return problem
    raise AssertionError


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        (half_saved(), "models/one/training.py:1: '(' was never closed"),
        (unforeseen(), "infra/table.py:2: NameError: name 'Names' is not defined"),
        (FileNotFoundError(2, "No such file or directory", "x.py"), "FileNotFoundError: [Errno 2] No such file"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "UnicodeDecodeError: 'utf-8' codec"),
    ],
)
def test_whatever_an_edit_breaks_is_one_sentence_and_the_stack_stays(
    mistake: Exception, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    followed = Followed(tmp_path, [mistake, Changes(updated=("urn::predict-function",))])
    with pytest.raises(CloudFailed, match="has died"):
        follow(cast("LocalStack", followed), Progress(), [tmp_path])
    out = " ".join(capsys.readouterr().out.split())
    assert expected in out
    assert out.count(AS_BEFORE) == 1
    assert "Traceback" not in out
    assert "-> updated predict-function" in out


def test_an_edit_of_the_stacks_own_file_is_followed_wherever_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = Followed(tmp_path / "code", [Changes(updated=("urn::predict-function",))])
    followed.folder.mkdir()
    followed.file.path = tmp_path / "Pulumi.local.yaml"
    monkeypatch.setattr(followed, "edit", lambda: followed.file.path.write_text("config: {}\n", encoding="utf-8"))
    monkeypatch.setattr(edits, "reread", lambda _: None)
    with pytest.raises(CloudFailed, match="has died"):
        follow(cast("LocalStack", followed), Progress(), [followed.folder])
    assert "Pulumi.local.yaml -> updated predict-function" in " ".join(capsys.readouterr().out.split())


def test_a_cloud_that_refuses_an_edit_and_lives_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = CloudFailed("a.zip: the build cannot install its requirements.txt")
    followed = Followed(tmp_path, [refused, Changes(updated=("urn::predict-function",))])
    with pytest.raises(CloudFailed, match="has died"):
        follow(cast("LocalStack", followed), Progress(), [tmp_path])
    out = " ".join(capsys.readouterr().out.split())
    assert f"cannot install its requirements.txt {PARTLY}" in out
    assert "-> updated predict-function" in out


def test_a_mistake_in_the_first_deployment_is_one_sentence(tmp_path: Path) -> None:
    def deploy() -> None:
        raise half_saved()

    followed = Followed(tmp_path, [])
    with pytest.raises(CloudFailed, match=r"models/one/training.py:1: '\(' was never closed"):
        first(cast("LocalStack", followed), deploy)


def test_a_summary_names_what_changed_by_its_logical_name() -> None:
    changes = Changes(updated=("a::b::one", "a::b::two"), deleted=("a::b::three",))
    assert summary(changes) == "updated one, two; deleted three"
    assert summary(Changes(unchanged=("a::b::one",))) == "nothing to change"


def test_of_many_edited_files_the_first_are_named_and_the_others_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    followed = cast("LocalStack", Followed(tmp_path, [Changes(), Changes()]))
    redeploy(followed, Progress(), [ROOT / "models" / f"m{number}.py" for number in range(200)])
    redeploy(followed, Progress(), [ROOT / "models" / f"m{number}.py" for number in range(4)])
    many, four = capsys.readouterr().out.splitlines()
    assert "models/m0.py, models/m1.py, models/m10.py and 197 more -> nothing to change" in many
    assert "models/m0.py, models/m1.py, models/m2.py, models/m3.py -> nothing to change" in four
