"""The two commands as they are typed, with the reader in its own process; and what the project's linters say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sml.commands.check import check
from sml.commands.init import init
from sml.mistake import Mistake
from tests.root import ROOT
from tests.sml.init.tables import churn, houses, made, penguins

pytestmark = pytest.mark.integration


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The commands, over models and stacks of this test."""
    monkeypatch.setattr("models.section.FOLDER", tmp_path / "models")
    (tmp_path / "models").mkdir()
    commands = typer.Typer()
    commands.command()(init)
    commands.command()(check)
    return commands


def test_a_table_becomes_a_model_that_takes_the_table(app: typer.Typer, tmp_path: Path) -> None:
    file, run = tmp_path / "churn.csv", CliRunner()
    file.write_bytes(churn())
    told = run.invoke(app, ["init", "churn", "--from", str(file), "--json"], catch_exceptions=False)
    assert told.exit_code == 0
    assert json.loads(told.stdout)["target"]["classes"].keys() == {"No", "Yes"}
    told = run.invoke(app, ["check", "churn", str(file)], catch_exceptions=False)
    assert told.exit_code == 0
    assert told.stdout.splitlines()[-1] == "this table would be trained on"
    file.write_bytes(penguins())
    assert run.invoke(app, ["check", "churn", str(file)]).exit_code == 1


def test_a_mistake_is_one_sentence(app: typer.Typer, tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="there is no such file"):
        CliRunner().invoke(app, ["init", "churn", "--from", str(tmp_path / "nowhere.csv")], catch_exceptions=False)


@pytest.mark.parametrize("data", [penguins(), houses()], ids=["classes", "a number"])
def test_what_is_written_is_code_as_the_project_has_it(data: bytes, tmp_path: Path) -> None:
    made(data, tmp_path, families=("xgboost", "lightgbm"))
    training = tmp_path / "models" / "trial" / "training.py"
    for command in (["ruff", "format", "--check"], ["ruff", "check"], ["ty", "check", "--project", str(ROOT)]):
        tool = Path(sys.executable).with_name(command[0])
        options = ["--config", str(ROOT / "pyproject.toml")] if command[0] == "ruff" else []
        done = subprocess.run(
            [tool, *command[1:], *options, str(training)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
