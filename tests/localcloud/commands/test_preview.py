"""A preview asks no cloud, so it needs no account's name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.gcp.regions import PROJECT_VARIABLES
from localcloud.commands.preview import absent
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
