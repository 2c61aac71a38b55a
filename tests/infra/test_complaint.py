"""One mistake, one complaint: the key, what was found, what is accepted, in the words of docs/settings.md."""

from __future__ import annotations

import math
from typing import Any

import pulumi
import pytest

from infra.retraining import Retraining
from infra.settings import Settings

START = "Pulumi.test.yaml: serverless-ml:settings"
FOLDER = "a folder in models/: a small letter, and at most 47 small letters, digits and _"


def refused(value: object, *, secret: bool = False) -> list[str]:
    with pytest.raises(pulumi.RunError) as refusal:
        Settings.parse(value, where="Pulumi.test.yaml", secret=secret)
    lines = str(refusal.value).splitlines()
    return [line.removeprefix(START).removeprefix(" -> ") for line in lines]


def changed(**changes: object) -> dict[str, Any]:
    return {"cloud": "aws", "models": ["a"], **changes}


def hours(*opens: str) -> dict[str, Any]:
    parts = [{"opens": one, "closes": "0 20 * * 1", "minimum": 2} for one in opens]
    return {"profile": "latency", "hours": parts}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (changed(models=[]), f"models: found []; accepted: a list, one or more; each: {FOLDER}"),
        (changed(models=["Breast_Cancer"]), f'models[0]: found "Breast_Cancer"; accepted: {FOLDER}'),
        (changed(models=["a", "A"]), f'models[1]: found "A"; accepted: {FOLDER}'),
        (changed(models=["a", 5]), f"models[1]: found 5; accepted: {FOLDER}"),
        (changed(models="a"), f'models: found "a"; accepted: a list, one or more; each: {FOLDER}'),
        (changed(models=None), f"models: found nothing; accepted: a list, one or more; each: {FOLDER}"),
        (changed(cloud="azure"), 'cloud: found "azure"; accepted: aws, gcp'),
        (changed(cloud=["aws"]), 'cloud: found ["aws"]; accepted: aws, gcp'),
        (changed(protect="yes"), 'protect: found "yes"; accepted: true, false'),
        (changed(protect=1), "protect: found 1; accepted: true, false"),
        (changed(log_days=8), "log_days: found 8; accepted: 1, 3, 5, 7, 14, 30, 60, 90, 180, 365"),
        (changed(pointer_seconds=-1), "pointer_seconds: found -1; accepted: a whole number, 1 to 300"),
        (changed(pointer_seconds=10**30), f"pointer_seconds: found {10**30}; accepted: a whole number, 1 to 300"),
        (changed(pointer_seconds=2.5), "pointer_seconds: found 2.5; accepted: a whole number, 1 to 300"),
        (changed(pointer_seconds=None), "pointer_seconds: found nothing; accepted: a whole number, 1 to 300"),
        (changed(pointer_seconds=[5]), "pointer_seconds: found [5]; accepted: a whole number, 1 to 300"),
        (changed(capture={"inputs": math.nan}), 'capture.inputs: found "nan"; accepted: a number, 0 to 1'),
        (changed(capture={"inputs": -math.inf}), 'capture.inputs: found "-inf"; accepted: a number, 0 to 1'),
        (changed(capture={"inputs": 1.5}), "capture.inputs: found 1.5; accepted: a number, 0 to 1"),
        (changed(capture="all"), 'capture: found "all"; accepted: a mapping, with inputs, days, redact, key'),
        (changed(scaling="eco"), 'scaling: found "eco"; accepted: a mapping, with profile: eco, balanced, latency'),
        (changed(scaling={"profile": 5}), "scaling.profile: found 5; accepted: eco, balanced, latency"),
        (changed(scaling={"models": ["a"]}), 'scaling.models: found ["a"]; accepted: a mapping, by names'),
        (
            changed(scaling={"models": {"a": None}}),
            "scaling.models.a.profile: is required; accepted: eco, balanced, latency",
        ),
        (
            changed(scaling={"models": {"b": {"profile": "eco"}}}),
            'scaling.models.b: found "b"; accepted: a (the models of the stack)',
        ),
        (changed(api={"auth": "iam"}), 'api.auth: found "iam"; accepted: a mapping, with kind: iam, jwt, none'),
        (
            changed(api={"auth": {"kind": "none", "reason": "short"}}),
            'api.auth.reason: found "short"; accepted: a text of 10 characters or more',
        ),
        (changed(rollout={"steps": [10, "x"]}), 'rollout.steps[1]: found "x"; accepted: a whole number, 1 to 99'),
        (
            changed(functions={"predict": {"memory_mb": "1 GB"}}),
            'functions.predict.memory_mb: found "1 GB"; accepted: a whole number, 128 to 10,240',
        ),
        (
            changed(training={"schedule": 5}),
            "training.schedule: found 5; accepted: five cron fields, UTC",
        ),
        ([1], ": found [1]; accepted: a mapping, such as {cloud: aws, models: [breast_cancer]}"),
    ],
)
def test_a_mistake_is_one_line_in_the_words_of_the_docs(value: object, told: str) -> None:
    assert refused(value) == [told]


@pytest.mark.parametrize(
    ("changes", "key", "twice"),
    [
        ({"models": ["a", "b", "a"]}, "models", "a"),
        ({"api": {"cors": {"origins": ["https://a.b", "https://A.b"]}}}, "api.cors.origins", "https://A.b"),
        (
            {"api": {"auth": {"kind": "jwt", "issuer": "https://a", "audience": ["x", "x"]}}},
            "api.auth.audience",
            "x",
        ),
        ({"scaling": hours("0 8 * * 1", "0 8 * * 1")}, "scaling.hours", "0 8 * * 1"),
        ({"scaling": {"models": {"a": hours("0 8 * * 1,2", "0 8 * * 2,1")}}}, "scaling.models.a.hours", "0 8 * * 2,1"),
    ],
)
def test_what_a_list_names_twice_is_one_sentence(changes: dict[str, Any], key: str, twice: str) -> None:
    (told,) = refused(changed(**changes))
    assert told.startswith(f"{key}: found [")
    assert told.endswith(f"({twice}: named twice; name each once)")


@pytest.mark.parametrize(
    "empty",
    [
        {"training": None},
        {"functions": None, "scaling": None, "jobs": None, "rollout": None, "api": None, "capture": None},
        {"runtime": None},
        {"api": {"auth": None, "throttling": None, "cors": None}},
        {"functions": {"predict": None}},
        {"scaling": {"models": None}},
        {"scaling": {"profile": "eco", "models": None}},
    ],
)
def test_an_empty_part_means_its_defaults(empty: dict[str, Any]) -> None:
    settings = Settings.parse(changed(**empty), where="")
    assert settings == Settings.parse(changed(), where="")


def test_an_empty_retraining_asks_for_it_as_one_with_nothing_in_it_does() -> None:
    captured = changed(capture={"inputs": 1})
    asked = [Settings.parse({**captured, "retraining": part}, where="").retraining for part in (None, {})]
    assert asked == [Retraining(), Retraining()]
    assert Settings.parse(captured, where="").retraining is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"retraining": {"rows": 500}},
            'retraining: found {"rows": 500}; accepted: a retraining beside a capture.inputs above 0'
            " (no row is captured by default, so that none drifts and none is labelled)",
        ),
        (
            {"retraining": {"drift": False, "quality": False}, "capture": {"inputs": 0.1}},
            'retraining: found {"drift": false, "quality": false}; accepted: one of drift: true, quality: true, rows,'
            " days; or no retraining (without a cause nothing is ever trained again)",
        ),
        (
            {"retraining": {"minimum_row": 10}, "capture": {"inputs": 0.1}},
            "retraining.minimum_row: there is no such setting; did you mean minimum_rows?",
        ),
        (
            {"retraining": {"rows": 20}, "capture": {"inputs": 0.1}},
            "retraining.rows: found 20; accepted: a whole number, 50 to 10,000,000",
        ),
        (
            {"retraining": True},
            "retraining: found true; accepted: a mapping, with drift, quality, rows, days, minimum_rows,"
            " cool_down_hours, runs_a_month",
        ),
        (
            {"alerts": {"webhook": "http://a.b"}},
            'alerts.webhook: found "http://a.b"; accepted: https://..., without spaces',
        ),
        (
            {"alerts": {"email": "nobody"}},
            'alerts.email: found "nobody"; accepted: a list, up to 10; each: an address: you@example.org',
        ),
    ],
)
def test_a_mistake_in_what_a_model_is_watched_by_is_one_sentence(changes: dict[str, Any], told: str) -> None:
    assert refused(changed(**changes))[0] == told


@pytest.mark.parametrize(
    ("changes", "key", "part"),
    [
        ({"scaling": {"models": None, "a": {"profile": "eco"}}}, "scaling.a", "models"),
        ({"functions": None, "predict": {"memory_mb": 512}}, "predict", "functions"),
        ({"rollout": None, "steps": [10]}, "steps", "rollout"),
    ],
)
def test_what_is_indented_too_little_is_told_where_it_may_belong(changes: dict[str, Any], key: str, part: str) -> None:
    told, accepted = refused(changed(**changes))
    hint = f"does it belong into {part}, which is empty here? Then indent it further"
    assert told == f"{key}: there is no such setting; {hint}"
    assert accepted.startswith("  accepted here: ")


def test_a_near_name_is_meant_where_no_empty_part_has_the_key() -> None:
    told, _ = refused(changed(training=None, protekt=True))
    assert told == "protekt: there is no such setting; did you mean protect?"


def test_several_mistakes_are_told_each_once_in_the_order_of_the_document() -> None:
    told = refused(
        {
            "log_days": 8,
            "scaling": {"models": {"other": {"profile": "eco"}}},
            "rollout": {"shadow": 0, "steps": [50, 10]},
            "cloud": "azure",
            "models": ["a", "B"],
            "protect": "no",
        }
    )
    keys = ["log_days", "scaling.models.other", "rollout.shadow", "rollout.steps", "cloud", "models[1]", "protect"]
    assert [line.partition(":")[0] for line in told] == keys


def test_a_long_value_is_cut() -> None:
    (told,) = refused(changed(cloud="x" * 10_000))
    assert len(told) < 200
    assert "..." in told


def test_of_a_secret_neither_the_value_nor_the_models_are_told() -> None:
    told = refused(changed(scaling={"models": {"hush": {"profile": "eco"}}}, log_days="8"), secret=True)
    assert told[0].startswith("scaling.models.hush: found a secret, which is not shown; accepted: a mapping")
    assert told[1].startswith("log_days: found a secret, which is not shown; accepted: 1, 3, 5")
