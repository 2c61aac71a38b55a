"""A model with packages of its own: its own function, its own step, and no other stack's resources are touched."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import blueprint, chosen_models, clouds, function_checks, limits, trainers
from infra.aws import dialect as states
from infra.aws import lint as states_lint
from infra.function_spec import LONGEST_NAME
from infra.function_table import FUNCTIONS, named
from infra.gcp import dialect as workflows
from infra.gcp import lint as workflows_lint
from infra.permissions import Stores, grants
from infra.settings import Settings
from infra.workflow import Workflow, training
from infra.workflow_values import problems
from interface import trainer
from models.contract import Contract
from models.interval import Interval
from models.labels import Labels
from tests.graph import Graph, deploy
from tests.infra import sample
from tests.infra.facts import components
from tests.infra.test_limits import archive, refusal

OWN, SHARED = "own_packages", "plain"
LONG = "a_model_whose_name_is_as_long_as_it_may_possibly"
BOTH = pytest.mark.parametrize("cloud", ["aws", "gcp"])


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models of these tests that have a requirements.in are those called so."""

    def with_packages(models: Iterable[str], folder: Path = Path()) -> tuple[str, ...]:
        del folder
        return tuple(sorted(model for model in set(models) if model in (OWN, LONG)))

    monkeypatch.setattr(trainers, "with_packages", with_packages)


def settings(*models: str, cloud: str = "aws", **changes: Any) -> Settings:
    return Settings.parse({"cloud": cloud, "models": list(models), **changes}, where="Pulumi.test.yaml")


@cache
def declared(cloud: str) -> Graph:
    """Return the graph of a stack with both models; `with_packages` must tell them apart by then."""
    stack = settings(SHARED, OWN, cloud=cloud)
    archives = {spec.name: sample.archive(spec.name) for spec in trainers.functions(stack.models)}
    return deploy(lambda: blueprint.draw(clouds.find(stack.cloud), stack, sample.PLATFORM, archives))


def functions(graph: Graph) -> set[str]:
    return {resource.name for resource in components(graph, "Function")}


def with_models(*models: str) -> Workflow:
    rows = {model: trainers.row(model).name for model in models}
    names = ["prepare", "train", "select", "rollout", *rows.values()]
    return training(parallelism=4, timeout_seconds=3600, function_timeouts=dict.fromkeys(names, 840), apart=rows)


@BOTH
@pytest.mark.usefixtures("apart")
def test_a_model_with_packages_of_its_own_gets_one_function_more(cloud: str) -> None:
    assert functions(declared(cloud)) == {spec.name for spec in FUNCTIONS if not spec.stops} | {"train-own-packages"}


@BOTH
@pytest.mark.usefixtures("apart")
def test_its_function_is_labelled_with_the_model_and_no_other_is(cloud: str) -> None:
    told = [one.inputs.get("labels") or one.inputs.get("tags") or {} for one in declared(cloud)]
    marked = {labels["component"] for labels in told if isinstance(labels, dict) and labels.get("model") == OWN}
    assert marked == {"train-own-packages"}


@pytest.mark.usefixtures("apart")
def test_each_function_that_trains_may_touch_the_objects_of_its_own_models_alone() -> None:
    models = (SHARED, OWN)
    stores: Any = Stores(code="code", data="data", models="models", jobs="jobs", captures="captures")  # ty: ignore
    granted = {
        spec.name: {key for grant in grants(spec, stores, trainers.served(spec, models)) for key in grant.keys.models}
        for spec in trainers.functions(models)
        if spec.needs
    }
    assert granted["train"] == {SHARED}
    assert granted["train-own-packages"] == {OWN}
    assert granted["prepare"] == granted["select"] == {SHARED, OWN}


@pytest.mark.usefixtures("apart")
def test_the_shared_function_stays_where_every_model_has_packages_of_its_own() -> None:
    assert trainers.functions([OWN])[: len(FUNCTIONS)] == FUNCTIONS
    assert trainers.served(named("train"), [OWN]) == ()


def test_a_stack_without_such_a_model_has_the_rows_of_the_table_and_the_steps_of_before() -> None:
    assert trainers.functions(["breast_cancer", "file_type"]) == FUNCTIONS
    assert [step.name for step in with_models().steps][:6] == [
        *("prepare", "is it usable", "wait for functions", "wait for the slot", "experiments", "select")
    ]


def test_what_prepare_answers_chooses_the_function_of_the_experiments() -> None:
    workflow = with_models(OWN)
    choice: Any = workflow.step("who trains it")
    assert choice.cases == {trainer.SHARED: "experiments", trainer.own(OWN): "experiments by train-own-packages"}
    called = {where: workflow.step(step).function for where, step in choice.cases.items()}  # ty: ignore
    assert called == {trainer.SHARED: "train", trainer.own(OWN): "train-own-packages"}
    assert {workflow.step(step).next for step in choice.cases.values()} == {"select"}  # ty: ignore
    assert problems(workflow) == []


def test_the_workflow_of_as_many_such_models_as_a_cloud_takes_can_be_written_in_its_language() -> None:
    def many(count: int) -> Workflow:
        return with_models(*(f"{at:02}_{LONG}"[:48] for at in range(count)))

    google = many(limits.LIMITS["gcp"].trainers)
    urls = {name: f"https://{name}-function-1a2b3c4-abcdefghij-ew.a.run.app" for name in google.functions}
    assert workflows_lint.problems(workflows.render(google, urls)) == []
    amazon = many(limits.LIMITS["aws"].trainers)
    arn = "arn:aws:lambda:ap-southeast-1:123456789012:function:{}-function-1a2b3c4:live"
    arns = {name: arn.format(name) for name in amazon.functions}
    assert states_lint.problems(states.render(amazon, arns)) == []
    policy = {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": list(arns.values())}
    most = limits.LIMITS["aws"].policy_characters
    assert most is not None
    assert len(json.dumps(policy, separators=(",", ":"))) + 1024 <= most


@pytest.mark.parametrize("model", ["m", OWN, "a__b_", LONG])
def test_the_name_of_such_a_function_fits_into_every_cloud(model: str) -> None:
    name = trainers.row(model).name
    assert len(name) <= LONGEST_NAME
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.usefixtures("apart")
def test_its_size_is_that_of_the_shared_function_but_for_what_the_settings_change() -> None:
    stack = settings(
        SHARED, OWN, functions={"train": {"memory_mb": 4096}}, training={"models": {OWN: {"timeout_seconds": 900}}}
    )
    size = stack.size_of(trainers.row(OWN))
    assert (size.memory_mb, size.timeout_seconds, size.concurrency) == (4096, 900, None)
    assert stack.size_of(named("train")).timeout_seconds == 840


def test_the_size_of_a_model_that_the_stack_does_not_have_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match=r"training\.models\.churn: found \"churn\"; accepted: breast_cancer"):
        settings("breast_cancer", training={"models": {"churn": {"memory_mb": 4096}}})


def test_the_size_of_a_model_that_is_trained_as_all_others_are_is_refused() -> None:
    stack = settings("breast_cancer", training={"models": {"breast_cancer": {"memory_mb": 4096}}})
    with pytest.raises(pulumi.RunError) as refused:
        chosen_models.require(stack)
    assert "training.models.breast_cancer: breast_cancer has no models/breast_cancer/requirements.in" in str(
        refused.value
    )


def test_an_interval_whose_ends_nothing_fits_is_refused_before_anything_is_deployed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contract = Contract.load("breast_cancer")
    monkeypatch.setattr(
        chosen_models, "load", lambda _: contract.model_copy(update={"interval": Interval(coverage=0.9)})
    )
    with pytest.raises(
        pulumi.RunError, match=r"^models/breast_cancer/training\.py has no fit_quantile, which interval"
    ):
        chosen_models.require(settings("breast_cancer"))


def test_a_horizon_beyond_which_the_captured_rows_are_gone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    contract = Contract.load("breast_cancer").model_copy(update={"labels": Labels(horizon_days=7)})
    monkeypatch.setattr(chosen_models, "load", lambda _: contract)
    chosen_models.require(settings("breast_cancer", capture={"days": 9}))
    with pytest.raises(pulumi.RunError) as refused:
        chosen_models.require(settings("breast_cancer", capture={"days": 8}))
    assert "models/breast_cancer/model.yaml: labels.horizon_days: is 7, and capture.days of the stack is 8" in str(
        refused.value
    )
    assert "accepted: capture.days of 9 or more, or fewer horizon_days" in str(refused.value)
    monkeypatch.setattr(chosen_models, "load", lambda _: Contract.load("breast_cancer"))
    chosen_models.require(settings("breast_cancer", capture={"days": 1}))
    with pytest.raises(
        pulumi.RunError, match=r"labels\.horizon_days: is 7 by default, and capture\.days of the stack is 8"
    ):
        chosen_models.require(settings("breast_cancer", capture={"days": 8, "inputs": 1}, retraining={}))


@pytest.mark.usefixtures("apart")
def test_packages_that_are_too_large_are_told_with_the_clouds_that_take_them() -> None:
    large = {"train-own-packages": archive(unpacked=700_000_000)}
    sentence = refusal(settings(SHARED, OWN), **large).splitlines()[0]
    assert sentence == (
        "models/own_packages/requirements.in: 700,000,000 bytes unpacked; accepted: at most 262,144,000,"
        " or a stack of gcp (no bound)"
    )


@pytest.mark.usefixtures("apart")
def test_more_experiments_at_a_time_than_its_function_has_copies_are_refused() -> None:
    stack = settings(SHARED, OWN, training={"models": {OWN: {"concurrency": 2}}})
    assert "training.parallelism, with training.models.own_packages.concurrency: 4" in refusal(stack)


def test_a_row_may_not_be_called_as_such_a_function_is() -> None:
    row = replace(named("train"), name="train-more", requirements="train")
    with pytest.raises(pulumi.RunError, match=r"train-more: name: train-\.\.\. is kept for models with packages"):
        function_checks.require((*FUNCTIONS, row))
