"""A preview asks no cloud, so it needs no account's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.gcp.regions import PROJECT_VARIABLES
from infra.limits import LIMITS
from infra.settings import Settings
from localcloud.commands.preview import absent, schedule_lines
from localcloud.commands.preview_document import Preview
from localcloud.engine.stack_file import StackFile


@pytest.fixture(autouse=True)
def _nobody_names_a_project(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROJECT_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_a_project_that_nobody_has_named_is_stood_in_for() -> None:
    assert absent(StackFile.read("gcp-dev")) == ["gcp:project"]


@pytest.mark.parametrize("variable", PROJECT_VARIABLES)
def test_a_project_of_the_environment_is_one(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "mine")
    assert absent(StackFile.read("gcp-dev")) == []


def test_a_project_of_the_stack_is_one_and_aws_needs_none() -> None:
    file = StackFile.read("gcp-dev")
    assert absent(replace(file, config={**file.config, "gcp:project": "mine"})) == []
    assert absent(StackFile.read("dev")) == []


def test_settings_that_name_no_cloud_are_left_to_the_program() -> None:
    assert absent(replace(StackFile.read("dev"), config={})) == []


def test_credentials_that_somebody_keeps_in_a_stack_are_in_no_document(tmp_path: Path) -> None:
    file = StackFile.read("prod")
    file = replace(file, config={**file.config, "aws:secretKey": "0123456789"})
    Preview(stack=file, cloud="aws", limits=LIMITS["aws"], verdicts=(), archives={}, wants=None, missing=()).write(
        tmp_path / "preview.json"
    )
    text = (tmp_path / "preview.json").read_text(encoding="utf-8")
    assert "eu-west-1" in text
    assert "0123456789" not in text


@pytest.mark.parametrize(
    ("window", "told"),
    [
        pytest.param(
            {"deadline_hours": 10, "between": "22:00-06:00"},
            "as soon as they may within 22:00-06:00 UTC, 10 hours later at the latest; no forecast is asked",
            id="hours alone",
        ),
        pytest.param(
            {"deadline_hours": 1, "forecast": "https://example.org/a-key?token=b"},
            "in any hour, 1 hour later at the latest, in the slot of 60 minutes with the lowest forecast of"
            " example.org",
            id="a url",
        ),
        pytest.param(
            {"deadline_hours": 10, "between": "22:00-06:00", "forecast": "forecast.json", "run_minutes": 30},
            "within 22:00-06:00 UTC, 10 hours later at the latest, in the slot of 30 minutes with the lowest forecast"
            " of <data_url>/<model>/forecast.json",
            id="an object",
        ),
    ],
)
def test_a_preview_says_when_a_training_of_the_schedule_begins(window: dict[str, object], told: str) -> None:
    settings = {"cloud": "aws", "models": ["breast_cancer"], "training": {"schedule": "0 20 * * 5", "window": window}}
    assert schedule_lines(Settings.parse(settings, where="")) == [f"trainings of the schedule 0 20 * * 5 UTC: {told}"]


def test_a_preview_says_nothing_of_trainings_that_begin_at_once() -> None:
    settings = {"cloud": "aws", "models": ["breast_cancer"], "training": {"schedule": "0 20 * * 5"}}
    assert schedule_lines(Settings.parse(settings, where="")) == []
