"""A stack's file, read as the CLI reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pulumi
import pytest

from localcloud.engine.stack_file import StackFile, merged


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: house\n", encoding="utf-8")
    (tmp_path / "Pulumi.attic.yaml").write_text(
        "config:\n  aws:region: eu-west-1\n  colour: red\n"
        "  house:settings: {cloud: aws, rollout: {steps: [1], bake: 2}}\n",
        encoding="utf-8",
    )
    return tmp_path


def test_objects_become_json_and_short_keys_belong_to_the_project(root: Path) -> None:
    stack = StackFile.read("attic", root)
    assert stack.config["aws:region"] == "eu-west-1"
    assert stack.config["house:colour"] == "red"
    assert json.loads(stack.config["house:settings"])["rollout"] == {"steps": [1], "bake": 2}


def test_an_override_changes_only_what_it_names(root: Path) -> None:
    stack = StackFile.read("attic", root, override={"house:settings": {"rollout": {"bake": 9}}})
    assert json.loads(stack.config["house:settings"]) == {"cloud": "aws", "rollout": {"steps": [1], "bake": 9}}


def test_a_missing_stack_is_answered_with_those_there_are(root: Path) -> None:
    with pytest.raises(pulumi.RunError, match=r"no stack 'cellar'.*attic"):
        StackFile.read("cellar", root)


def test_an_encrypted_value_is_refused_by_its_key(root: Path) -> None:
    (root / "Pulumi.safe.yaml").write_text("config:\n  house:key: {secure: abc}\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match="house:key is encrypted"):
        StackFile.read("safe", root)


@pytest.mark.parametrize("text", ["config: [", "- a list"])
def test_a_file_that_is_not_a_mapping_is_named(root: Path, text: str) -> None:
    (root / "Pulumi.odd.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=r"Pulumi\.odd\.yaml"):
        StackFile.read("odd", root)


def test_merging_leaves_both_sides_as_they_were() -> None:
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(base, over) == {"a": {"b": 1, "c": 2}}
    assert (base, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})
