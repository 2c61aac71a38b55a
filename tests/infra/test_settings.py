from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest
import yaml

from infra.environment import VALUES, Source
from infra.function_table import named
from infra.settings import KEY, Settings
from interface import variables
from tests.graph import deploy
from tests.root import ROOT

MINIMAL: dict[str, Any] = {"cloud": "aws", "models": ["breast_cancer"]}


def refusal(**changes: object) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        Settings.parse({**MINIMAL, **changes}, where="Pulumi.test.yaml")
    return str(refused.value)


def test_a_cloud_and_a_model_make_a_valid_stack() -> None:
    settings = Settings.parse(MINIMAL, where="Pulumi.test.yaml")
    assert settings.protect
    assert settings.api.auth.kind == "iam"


@pytest.mark.parametrize("stack", sorted(path.name for path in ROOT.glob("Pulumi.*.yaml")))
def test_every_stack_that_ships_is_valid(stack: str) -> None:
    config = yaml.safe_load((ROOT / stack).read_text(encoding="utf-8"))["config"]
    more = ("file_type",) if "local" in stack else ()
    assert Settings.parse(config["serverless-ml:settings"], where=stack).models == ("breast_cancer", *more)


def test_a_misspelt_key_is_named_with_the_file_the_near_name_and_what_is_accepted() -> None:
    message = refusal(training={"paralelism": 3})
    assert "Pulumi.test.yaml" in message
    assert "training.paralelism" in message
    assert "did you mean parallelism?" in message
    assert "parallelism, schedule, timeout_hours" in message


def test_a_key_that_is_missing_comes_with_the_line_to_write() -> None:
    with pytest.raises(pulumi.RunError, match=r"models: \[breast_cancer\]"):
        Settings.parse({"cloud": "aws"}, where="Pulumi.test.yaml")


@pytest.mark.parametrize(
    ("changes", "key", "accepted"),
    [
        ({"functions": {"predict": {"memory_mb": 64}}}, "functions.predict.memory_mb", "128"),
        ({"functions": {"predict": {"timeout_seconds": 901}}}, "functions.predict.timeout_seconds", "900"),
        ({"pointer_seconds": "5"}, "pointer_seconds", 'found "5"; accepted: a whole number, 1 to 300'),
        ({"models": ["a", "b", "a"]}, "models", "a: named twice"),
        ({"log_days": True}, "log_days", "found true; accepted: 1, 3, 5, 7, 14"),
        (
            {"api": {"auth": {"kind": "jwt", "issuer": "https://a b", "audience": ["x"]}}},
            "api.auth.issuer: found",
            "https://...",
        ),
        (
            {"api": {"auth": {"kind": "jwt", "issuer": "https://a", "audience": [""]}}},
            "api.auth.audience[0]",
            'found ""',
        ),
        ({"api": {"cors": {"origins": ["https://a.example\n"]}}}, "api.cors.origins[0]", "https://..., never *"),
        ({"training": {"schedule": "every day"}}, "training.schedule", "five fields"),
        ({"rollout": {"steps": [50, 10]}}, "rollout.steps", "steps must rise"),
        ({"rollout": {"steps": [10, 10]}}, "rollout", "steps must rise"),
        ({"rollout": {"steps": []}}, "rollout", "steps must rise"),
        ({"rollout": {"steps": [0]}}, "rollout.steps[0]", "found 0; accepted: a whole number, 1 to 99"),
        ({"rollout": {"steps": [100]}}, "rollout.steps[0]", "found 100; accepted: a whole number, 1 to 99"),
        ({"rollout": {"shadow": 0}}, "rollout.shadow", "found 0; accepted: a whole number, 1 to 100"),
        ({"rollout": {"shadow": 101}}, "rollout.shadow", "found 101; accepted: a whole number, 1 to 100"),
        ({"rollout": {"approval": "ann"}}, "rollout.approval", 'found "ann"; accepted: true, false'),
        ({"rollout": {"models": {"other": {"approval": True}}}}, "rollout.models.other", "accepted: breast_cancer"),
        ({"api": {"auth": {"kind": "none"}}}, "api.auth.reason", "is required"),
        ({"api": {"auth": {"kind": "basic"}}}, "api.auth.kind", 'found "basic"; accepted: iam, jwt, none'),
        ({"api": {"cors": {"origins": ["*"]}}}, "api.cors.origins[0]", 'found "*"'),
        ({"models": []}, "models", "found []; accepted: a list, one or more"),
        ({"models": ["Breast Cancer"]}, "models[0]", "a folder in models/"),
        ({"runtime": {"python": "3.9"}}, "runtime.python", "3.13"),
        ({"log_days": 8}, "log_days", "14"),
        ({"capture": {"redact": {"mean_radius": "mask"}}}, "capture.redact.mean_radius", "accepted: omit, hash"),
        (
            {"capture": {"redact": {"age": "hash"}}},
            "capture.key: found nothing",
            "24 to 128 characters without spaces (age",
        ),
        ({"capture": {"key": "too short"}}, "capture.key", "24 to 128 characters without spaces"),
        ({"scaling": {"profile": "dedicated"}}, "scaling.profile", "accepted: eco, balanced, latency"),
        ({"scaling": {"minimum": 2}}, "scaling.minimum", "accepted here: models, profile"),
        (
            {"scaling": {"profile": "latency", "minimum": 0}},
            "scaling.minimum",
            "found 0; accepted: a whole number, 1 to 1,000",
        ),
        ({"scaling": {"profile": "latency", "hours": [{"opens": "8"}]}}, "scaling.hours[0].opens", "five fields"),
        ({"scaling": {"models": {"breast_cancer": {}}}}, "scaling.models.breast_cancer.profile", "eco, balanced"),
        ({"scaling": {"models": {"other": {"profile": "eco"}}}}, "scaling.models.other", "accepted: breast_cancer"),
    ],
)
def test_a_value_out_of_range_is_refused_with_key_and_bound(changes: dict[str, Any], key: str, accepted: str) -> None:
    message = refusal(**changes)
    assert key in message
    assert accepted in message


def test_one_figure_of_a_worker_may_change_and_the_others_stay() -> None:
    changed = Settings.parse({**MINIMAL, "functions": {"predict": {"memory_mb": 512}}}, where="").size("predict")
    default = Settings.parse(MINIMAL, where="").size("predict")
    assert (changed.memory_mb, changed.timeout_seconds) == (512, default.timeout_seconds)


def test_every_problem_is_reported_at_once() -> None:
    assert len(refusal(protect="yes", log_days=8, clod="aws").splitlines()) >= 3


def test_a_models_name_is_never_taken_for_a_profile() -> None:
    own = {"eco": {"profile": "balanced", "memory": 512}}
    message = refusal(models=["eco"], scaling={"models": own})
    assert "scaling.models.eco.memory: there is no such setting; did you mean memory_mb?" in message
    assert "accepted here: concurrency, memory_mb, profile" in message


def test_a_stack_that_only_says_how_one_model_scales_is_eco_itself() -> None:
    scaling = Settings.parse(
        {**MINIMAL, "scaling": {"models": {"breast_cancer": {"profile": "latency"}}}}, where=""
    ).scaling
    assert (scaling.profile, scaling.models["breast_cancer"].profile) == ("eco", "latency")


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(Exception, match="frozen"):
        Settings.parse(MINIMAL, where="").cloud = "gcp"  # ty: ignore[invalid-assignment]


def loaded(project: str, config: dict[str, str]) -> Settings:
    """Return what a program of a project reads with this configuration."""
    read: list[Settings] = []
    deploy(lambda: read.append(Settings.load()), config=config, project=project)
    return read[0]


@pytest.mark.parametrize("project", ["serverless-ml", "mine"])
def test_settings_are_read_under_one_key_whatever_the_project_is_called(project: str) -> None:
    assert loaded(project, {KEY: json.dumps(MINIMAL)}).models == ("breast_cancer",)


@pytest.mark.parametrize("key", ["mine:settings", "mine:log_days", "serverless-ml:log_days", "serverless-ml:cloud"])
def test_a_setting_under_a_key_that_nothing_reads_is_refused_with_the_command_to_type(key: str) -> None:
    with pytest.raises(pulumi.RunError) as refused:
        loaded("mine", {KEY: json.dumps(MINIMAL), key: "7"})
    message = f"Pulumi.test.yaml: {key}: nothing reads this"
    assert str(refused.value).startswith(message)
    assert "pulumi config set --path serverless-ml:settings.<name> <value>" in str(refused.value)


def test_a_key_of_ones_own_is_let_be() -> None:
    assert loaded("mine", {KEY: json.dumps(MINIMAL), "mine:owner": "team"}).cloud == "aws"


def test_a_stack_without_settings_is_told_what_to_write() -> None:
    with pytest.raises(
        pulumi.RunError, match=r"Pulumi\.test\.yaml: serverless-ml:settings is missing\. Write at least"
    ):
        loaded("mine", {})


@pytest.mark.parametrize(
    ("rollout", "names"),
    [
        ({}, None),
        ({"approval": True}, "breast_cancer,file_type"),
        ({"approval": True, "models": {"file_type": {"approval": False}}}, "breast_cancer"),
        ({"models": {"file_type": {"approval": True}, "breast_cancer": {}}}, "file_type"),
    ],
)
def test_the_function_that_releases_knows_which_models_a_person_approves(
    rollout: dict[str, Any], names: str | None
) -> None:
    models = ["breast_cancer", "file_type"]
    settings = Settings.parse({"cloud": "aws", "models": models, "rollout": rollout}, where="Pulumi.test.yaml")
    stores: Any = None
    source = Source(spec=named("rollout"), settings=settings, stores=stores, models=models)
    assert VALUES[variables.APPROVAL](source) == names


def test_captures_are_redacted_by_variables_of_the_function_that_only_then_has_them() -> None:
    def values(**capture: Any) -> list[Any]:
        settings = Settings.parse({**MINIMAL, "capture": capture}, where="")
        source = Source(spec=named("predict"), settings=settings, stores=None, models=["a"])  # ty: ignore
        return [VALUES[name](source) for name in (variables.CAPTURE_REDACT, variables.CAPTURE_KEY)]

    assert values() == values(redact=None) == values(key="k" * 24) == [None, None]
    assert values(redact={"b": "omit", "a": "omit"}) == ['{"a": "omit", "b": "omit"}', None]
    made: list[Any] = []
    deploy(lambda: made.append(values(redact={"a": "hash"}, key="k" * 24)[1]))
    assert isinstance(made[0], pulumi.Output)
