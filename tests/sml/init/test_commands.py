"""The two commands as they are typed, with the reader in its own process; and what the project's linters say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from functions.core.training.experiment import Training
from models.contract import Contract
from models.interval import Interval
from models.training_text import why_not
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


def test_a_number_to_predict_has_ends_that_wait_for_an_interval(tmp_path: Path) -> None:
    made(houses(), tmp_path)
    folder = tmp_path / "models" / "trial"
    contract = folder / "model.yaml"
    assert Contract.load("trial", folder.parent).interval is None
    contract.write_text(contract.read_text().replace("# interval: {", "interval: {"), encoding="utf-8")
    found = Contract.load("trial", folder.parent)
    assert (found.interval, why_not(found, folder.parent)) == (Interval(coverage=0.9), None)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, len(found.terms))).astype(np.float32)
    x[:, [term.kind == "category" for term in found.terms]] = 0
    y = 20 * x[:, 0].astype(np.float64) + rng.normal(size=400)
    training, point = Training.load("trial", folder.parent), found.search.experiments()[0]
    ends = training.ends((x, y, point), point, Interval(coverage=0.9).quantiles)
    low, high = (end.predict(x) for end in ends)
    assert 0.8 < ((low <= y) & (y <= high)).mean() < 1


def test_classes_have_no_ends(tmp_path: Path) -> None:
    made(penguins(), tmp_path)
    folder = tmp_path / "models" / "trial"
    assert "quantile" not in (folder / "training.py").read_text()
    assert "interval" not in (folder / "model.yaml").read_text()
