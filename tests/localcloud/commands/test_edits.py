"""What an edit needs beside a deployment."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
from rich.console import Console

from localcloud.commands import edits
from localcloud.commands.progress import Progress
from localcloud.engine.stack import LocalStack
from localcloud.engine.stack_file import StackFile

STACK = "config:\n  serverless-ml:settings: {cloud: aws, models: [m]}\n"


@dataclass
class Edited:
    """A checkout with one stack and one model, of which a test edits files."""

    root: Path
    started: list[Mapping[str, Any]] = field(default_factory=list)
    imported: list[set[Path]] = field(default_factory=list)
    shown: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.write("Pulumi.yaml", "name: p\nruntime: python\n")
        self.write("Pulumi.local.yaml", STACK)
        self.outputs = {"models": {"m": {}}}
        self.file = StackFile.read("local", self.root)
        self.progress = Progress(Console(file=self.shown, soft_wrap=True))

    def write(self, path: str, text: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def execute(self, argument: Mapping[str, Any]) -> str:
        self.started.append(argument)
        return "x"

    def deployable(self, *paths: str) -> bool:
        changed = {self.root / path for path in paths}
        return edits.deployable(cast("LocalStack", self), self.progress, changed, self.root)

    def examine(self, *paths: str) -> list[Mapping[str, Any]]:
        edits.examine(cast("LocalStack", self), self.progress, {self.root / path for path in paths}, self.root)
        return self.started


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Edited:
    here = Edited(tmp_path)
    monkeypatch.setattr(edits, "require_imports", lambda _, changed, root, __: here.imported.append(set(changed)))
    monkeypatch.setattr(edits, "is_finished", lambda _: True)
    return here


def test_an_edit_of_code_is_imported_and_deployed(edited: Edited) -> None:
    assert edited.deployable("functions/a.py", "models/m/training.py")
    assert edited.imported == [{edited.root / "functions" / "a.py", edited.root / "models" / "m" / "training.py"}]
    assert edited.shown.getvalue() == ""


def test_an_edit_of_the_program_itself_needs_another_start(edited: Edited) -> None:
    assert not edited.deployable("infra/size.py")
    assert edited.shown.getvalue() == f"infra/size.py {edits.AGAIN}\n"


def test_an_edit_of_what_both_halves_read_is_deployed_and_needs_another_start(edited: Edited) -> None:
    assert edited.deployable("interface/layout.py")
    assert edited.shown.getvalue() == f"interface/layout.py {edits.AGAIN}; functions get it now\n"


def test_a_requirement_is_locked_before_it_is_installed(edited: Edited) -> None:
    assert not edited.deployable("functions/requirements/train.in")
    assert "`make lock` writes what is installed from it" in edited.shown.getvalue()


def test_the_packages_of_a_model_are_locked_before_it_is_deployed(
    edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    monkeypatch.setattr(edits, "write", lambda folder, _: written.append(folder) or folder / "requirements.txt")
    edited.write("models/m/model.yaml")
    edited.write("models/m/requirements.in", "lightgbm\n")
    assert edited.deployable("models/m/requirements.in")
    assert written == [edited.root / "models" / "m"]
    assert "models/m/requirements.in -> requirements.txt" in edited.shown.getvalue()


def test_the_packages_of_a_model_that_is_in_no_stack_here_are_not_locked(
    edited: Edited, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edits, "write", lambda *_: pytest.fail("locked"))
    edited.write("models/other/model.yaml")
    edited.write("models/other/requirements.in", "lightgbm\n")
    assert not edited.deployable("models/other/requirements.in")


def test_packages_that_cannot_be_locked_stop_the_deployment(edited: Edited) -> None:
    edited.write("models/m/requirements.in", "-r elsewhere.in\n")
    with pytest.raises(pulumi.RunError, match=r"models/m/requirements\.in:1: -r elsewhere\.in is not accepted"):
        edited.deployable("models/m/requirements.in")


def test_the_stacks_own_file_is_read_again(edited: Edited) -> None:
    edited.write("Pulumi.local.yaml", STACK.replace("[m]", "[m, n]"))
    assert edited.deployable("Pulumi.local.yaml")
    assert edited.file.settings["models"] == ["m", "n"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (STACK.replace("aws", "gcp"), "Pulumi.local.yaml: serverless-ml:settings -> cloud: was aws when this stack"),
        (STACK.replace("[m]", "[m"), "Pulumi.local.yaml: line 2: "),
    ],
)
def test_a_stack_file_that_cannot_be_followed_leaves_the_settings(edited: Edited, text: str, expected: str) -> None:
    before = edited.file
    edited.write("Pulumi.local.yaml", text)
    with pytest.raises(pulumi.RunError, match=expected):
        edited.deployable("Pulumi.local.yaml")
    assert edited.file is before


def test_a_model_that_the_stack_does_not_name_is_told_with_the_line_to_write(edited: Edited) -> None:
    edited.write("models/fruit/model.yaml")
    assert not edited.deployable("models/fruit/model.yaml")
    expected = "models/fruit is not in this stack: write `models: [m, fruit]` into Pulumi.local.yaml, below serverless"
    assert edited.shown.getvalue().startswith(expected)


@pytest.mark.parametrize("paths", [("models/m/golden.json",), ("models/m/model.yaml", "models/m/model.onnx")])
def test_a_mended_finished_model_is_examined_at_once(edited: Edited, paths: tuple[str, ...]) -> None:
    assert edited.examine(*paths) == [{"model": "m"}]


@pytest.mark.parametrize("path", ["models/m/model.onnx", "models/n/golden.json", "functions/a.py", "models/light.py"])
def test_what_arrives_by_itself_or_is_no_model_is_not_examined(edited: Edited, path: str) -> None:
    assert edited.examine(path) == []


def test_a_trained_model_is_not_examined(edited: Edited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edits, "is_finished", lambda _: False)
    assert edited.examine("models/m/model.yaml") == []
    monkeypatch.undo()
    assert edits.is_finished("file_type")
    assert not edits.is_finished("breast_cancer")
