"""Blocks of YAML, JSON and Python: each is read, or run, by what reads or runs it in earnest."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from sklearn.dummy import DummyRegressor

from functions.core.training.classification import Classification
from functions.core.training.export import to_onnx
from functions.core.training.fitted_classifier import FittedClassifier
from functions.core.training.fitted_regressor import FittedRegressor
from functions.core.training.regression import Regression
from infra import clouds, naming, vocabulary
from infra.naming import KEY
from infra.settings import Settings
from infra.tier import Tier
from models.breast_cancer.sample import instances
from models.catalogue import KINDS
from models.contract import Contract
from models.training_text import WEIGHTED
from tests.docs import added, served
from tests.docs.page import Block, every_block
from tests.functions.httpd import serving
from tests.graph import deploy

LANGUAGES = {"console", "json", "python", "text", "yaml"}
"""`text` is a drawing or a list of files: nothing to run."""


@pytest.mark.parametrize("block", every_block(), ids=str)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language in LANGUAGES


def test_only_command_lines_are_not_run() -> None:
    assert [str(block) for block in every_block() if block.not_run and block.language != "console"] == []


def read_yaml(text: str) -> object:
    """A stack's settings or a model's contract, by what is in it. Raises what its own reader raises."""
    found = yaml.safe_load(text)
    found = found.get("config", found)
    if KEY in found:
        settings = Settings.parse({"cloud": "gcp", "models": ["breast_cancer"]}, where="Pulumi.example.yaml")
        config = {KEY: json.dumps(found[KEY])}
        deploy(lambda: naming.require(clouds.find("gcp").names, settings, ()), config=config, stack="gcp-dev")
        return found
    if "serverless-ml:settings" in found:
        return Settings.parse(found["serverless-ml:settings"], where="Pulumi.example.yaml")
    return KINDS[found["task"]].parse(found, "models/example/model.yaml")


@pytest.mark.parametrize("block", every_block("yaml"), ids=str)
def test_yaml_is_accepted_by_its_own_reader(block: Block) -> None:
    assert read_yaml(block.text)


@pytest.mark.parametrize(
    "text",
    [
        "serverless-ml:settings: {cloud: aws, modles: [a]}",
        "config: {serverless-ml:settings: {cloud: aws, models: [a], log_days: 2}}",
        "{name: a, task: finished, gate: {maximum: 1}}",
    ],
)
def test_yaml_with_a_mistake_is_seen(text: str) -> None:
    with pytest.raises(Exception, match=r"there is no such|log_days: found 2; accepted: 1, 3"):
        read_yaml(text)


@pytest.mark.integration
def test_json_lines_are_what_a_job_answers() -> None:
    (block,) = (block for block in every_block("json") if block.page == "docs/jobs.md")
    shown = [json.loads(line) for line in block.text.splitlines()]
    good = instances()[0][0]
    rows = "\n".join(json.dumps(row) for row in (good, {**good, "mean_radius": -1}))
    found = served.job_lines("rows.jsonl", rows.encode())
    assert [set(line) for line in shown] == [set(line) for line in found]
    assert set(shown[0]["probabilities"]) == set(found[0]["probabilities"])
    assert shown[1] == found[1]


def run(block: Block, **known: Any) -> dict[str, Any]:
    """The names that a block of Python leaves behind."""
    names: dict[str, Any] = {"__name__": "example", **known}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own pages
    return names


def fits(block: Block) -> None:
    """Fit and export with every parameter that the contract of the same page tries; or fit the ends of an interval."""
    if "def fit_quantile(" in block.text:
        fits_ends(block)
        return
    contract = next(read_yaml(one.text) for one in every_block("yaml") if one.page == block.page)
    assert isinstance(contract, Contract)
    x = np.random.default_rng(7).normal(size=(60, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)
    for experiment in contract.search.experiments():
        fit = run(block)["fit"]
        weights = [np.linspace(0, 2, 60)] if len(inspect.signature(fit).parameters) == len(WEIGHTED) else []
        for estimator in [fit(x, y, dict(experiment)), *(fit(x, y, dict(experiment), weight) for weight in weights)]:
            assert FittedClassifier(estimator, Classification(contract.target)).probabilities(x).shape == (60, 2)
            assert to_onnx(estimator, 4)


def fits_ends(block: Block) -> None:
    """Fit both ends of numbers, beside a middle that knows nothing."""
    contract = next(one for one in map(read_yaml, yaml_of(block.page)) if getattr(one, "interval", None))
    assert isinstance(contract, Contract)
    x = np.random.default_rng(7).normal(size=(200, 4)).astype(np.float32)
    y = 20 * x[:, 0].astype(np.float64)
    task = Regression(contract.target, (), contract.interval)
    ends = [run(block)["fit_quantile"](x, y, {}, quantile) for quantile in task.quantiles]
    model = FittedRegressor(DummyRegressor().fit(x, y), task, ends)
    said = model.answers(x).ends
    assert said is not None
    assert (said.low < said.high).all()


def yaml_of(page: str) -> list[str]:
    return [one.text for one in every_block("yaml") if one.page == page]


def declares_a_cloud(block: Block) -> None:
    """The words of the page are all that a cloud must have."""
    named = {name: name for name in re.findall(r"\b[A-Z]\w+", block.text)}
    cloud = run(block, **{**named, "Cloud": vocabulary.Cloud, "Tier": Tier})["CLOUD"]
    optional = {
        "prerequisites",
        "require_region",
        "stand_ins",
        "packing",
        "quotas",
        "from_settings",
        "names",
        "charges",
        "budget_needs",
    }  # a deployable cloud states those from packing to charges
    wanted = {field.name for field in dataclasses.fields(vocabulary.Cloud)} - optional
    assert wanted <= set(re.findall(r"^    (\w+)=", block.text, re.MULTILINE))
    assert cloud.name == "nimbus"


def predicts_over_http(block: Block) -> None:
    """With the address of a service of this test in place of the local stack's."""
    with serving(served.service()) as address:
        assert "127.0.0.1:8400" in block.text
        here = dataclasses.replace(block, text=block.text.replace("127.0.0.1:8400", address))
        client = run(here)["client"]
        client.close()


def adds_a_function(block: Block) -> None:
    """A module, a row of the table that names it, or its test: by the file that the first line names."""
    path = added.path_of(block)
    with added.importable():
        if path == added.TABLE:
            assert callable(added.entry(added.row(block)))
        elif path.startswith("tests/"):
            found = {name: value for name, value in run(block).items() if name.startswith("test_")}
            for test in found.values():
                with tempfile.TemporaryDirectory() as folder:
                    test(Path(folder))
            assert found
        else:
            assert ast.get_docstring(ast.parse(block.text))
            assert run(block)[Path(path).stem]


RUNS: dict[str, Callable[[Block], None]] = {
    "docs/add-a-function.md": adds_a_function,
    "docs/bring-your-model.md": fits,
    "docs/add-a-cloud.md": declares_a_cloud,
    "docs/clients.md": predicts_over_http,
}


@pytest.mark.parametrize("block", every_block("python"), ids=str)
def test_python_runs(block: Block) -> None:
    assert block.page in RUNS, "a page's Python is run: say how, in RUNS"
    RUNS[block.page](block)
