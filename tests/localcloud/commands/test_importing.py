"""What an edit breaks at its import is told before it is deployed."""

from __future__ import annotations

import sys
from pathlib import Path

import pulumi
import pytest

from localcloud.commands import importing
from localcloud.commands.importing import affected, require_imports
from tests.root import ROOT


def test_the_functions_that_a_file_is_a_part_of_are_imported_and_the_file_itself() -> None:
    names = set(affected("aws", {ROOT / "functions" / "core" / "jobs" / "worker.py"}))
    assert {"functions.entries.jobs", "functions.adapters.aws.queue", "functions.core.jobs.worker"} <= names
    assert not names & {"functions.entries.train", "functions.entries.predict", "functions.adapters.gcp.queue"}


def test_what_no_function_holds_is_not_imported() -> None:
    assert not list(affected("aws", {ROOT / "functions" / "commands" / "registry.py", ROOT / "models" / "x.yaml"}))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import nothing_of_this_name", "models/m/training.py:1: ModuleNotFoundError: No module named 'nothing_of"),
        ("\ndef fit(X, y): return x\nfit(1, 2)", "models/m/training.py:2: NameError: name 'x' is not defined"),
        ("from models.m import other", "models/m/other.py:1: ZeroDivisionError: division by zero"),
        ("x = 'a' 1", "models/m/training.py:1: SyntaxError: invalid syntax"),
        ("import os\nos._exit(3)", "models.m.training: the import ended its process: 3"),
        ("import os\nos._exit(0)", "models.m.training: the import ended its process: 0"),
        ("raise SystemExit('no')", "models/m/training.py:1: SystemExit: no"),
    ],
)
def test_an_import_that_fails_is_told_with_file_and_line(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "models" / "m" / "training.py"
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    (file.parent / "other.py").write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError) as failure:
        require_imports("aws", {file}, tmp_path)
    assert str(failure.value).startswith(expected)


@pytest.mark.integration
def test_an_import_that_works_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "models" / "m" / "training.py"
    file.parent.mkdir(parents=True)
    file.write_text("print('said while it is imported')\n", encoding="utf-8")
    require_imports("aws", {file}, tmp_path)


@pytest.mark.integration
def test_a_model_with_packages_of_its_own_is_imported_with_them_and_another_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(importing, "interpreter", lambda model, _: asked.append(model) or sys.executable)
    files = set()
    for model in ("own", "plain"):
        file = tmp_path / "models" / model / "training.py"
        file.parent.mkdir(parents=True)
        file.write_text("", encoding="utf-8")
        files.add(file)
    (tmp_path / "models" / "own" / "requirements.in").write_text("lightgbm\n", encoding="utf-8")
    require_imports("aws", files, tmp_path)
    assert asked == ["own"]


def test_a_model_whose_packages_are_not_locked_is_not_imported(tmp_path: Path) -> None:
    file = tmp_path / "models" / "own" / "training.py"
    file.parent.mkdir(parents=True)
    file.write_text("", encoding="utf-8")
    (file.parent / "requirements.in").write_text("lightgbm\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=r"models/own/requirements\.txt: is missing beside requirements\.in"):
        require_imports("aws", {file}, tmp_path)


@pytest.mark.integration
def test_an_import_that_hangs_is_told_with_the_line_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "models" / "m" / "training.py"
    file.parent.mkdir(parents=True)
    file.write_text("import threading\n\ndef wait():\n    threading.Event().wait()\n\nwait()\n", encoding="utf-8")
    monkeypatch.setattr(importing, "QUIET_SECONDS", 4.0)
    monkeypatch.setattr(importing, "SECONDS", 5.0)
    told: list[str] = []
    with pytest.raises(pulumi.RunError) as failure:
        require_imports("aws", {file}, tmp_path, told.append)
    assert told == ["models/m/training.py:4: the import is not done after 4 s"]
    assert str(failure.value) == "models/m/training.py:4: models.m.training: not imported within 5 s"
