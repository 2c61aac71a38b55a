"""A stack's file, read as the CLI reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pulumi
import pytest

from infra.settings import KEY
from localcloud.engine.stack_file import NEEDED, PLACEHOLDER, SETTINGS, StackFile, merged


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: house\n", encoding="utf-8")
    (tmp_path / "Pulumi.attic.yaml").write_text(
        "config:\n  aws:region: eu-west-1\n  colour: red\n"
        "  house:settings: {cloud: aws, rollout: {steps: [1], bake: 2}}\n",
        encoding="utf-8",
    )
    return tmp_path


def test_the_stacks_that_are_here_are_told_by_their_whole_names_and_a_folder_is_none(root: Path) -> None:
    (root / "Pulumi.my.team.yaml").write_text("config: {}\n", encoding="utf-8")
    (root / "Pulumi.shelf.yaml").mkdir()
    with pytest.raises(pulumi.RunError) as refused:
        StackFile.read("shelf", root)
    assert str(refused.value) == "there is no stack 'shelf' (Pulumi.shelf.yaml); the stacks here: attic, my.team"


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


def test_an_encrypted_value_that_the_program_does_not_read_is_a_placeholder(root: Path) -> None:
    text = "config:\n  gcp:credentials: {secure: abc}\n  house:o: {a: [{secure: abc}], b: 1}\n  house:c: 1\n"
    (root / "Pulumi.safe.yaml").write_text(text, encoding="utf-8")
    stack = StackFile.read("safe", root)
    assert stack.config == {"gcp:credentials": PLACEHOLDER, "house:o": PLACEHOLDER, "house:c": "1"}
    assert stack.secret == ("gcp:credentials", "house:o")


@pytest.mark.parametrize("key", NEEDED[1:])
def test_an_encrypted_region_or_project_is_refused_by_its_key(root: Path, key: str) -> None:
    (root / "Pulumi.safe.yaml").write_text(f"config:\n  {key}: {{secure: abc}}\n", encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=f"^Pulumi.safe.yaml: {key} is encrypted, and only the Pulumi CLI"):
        StackFile.read("safe", root)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("{log_days: {secure: abc}}", "serverless-ml:settings.log_days"),
        ("{api: {auth: {audience: [plain, {secure: abc}]}}}", "serverless-ml:settings.api.auth.audience[1]"),
        ("{a: {secure: x}, b: {secure: y}}", "serverless-ml:settings.a, serverless-ml:settings.b"),
    ],
)
def test_an_encrypted_value_within_the_settings_is_refused_by_its_path(root: Path, value: str, path: str) -> None:
    text = f"config:\n  serverless-ml:settings: {value}\n"
    (root / "Pulumi.safe.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=rf"^Pulumi\.safe\.yaml: {re.escape(path)} is encrypted, and only"):
        StackFile.read("safe", root)


def test_the_settings_have_one_key_whatever_the_project_is_called(root: Path) -> None:
    text = "config:\n  serverless-ml:settings: {cloud: gcp}\n"
    (root / "Pulumi.mine.yaml").write_text(text, encoding="utf-8")
    stack = StackFile.read("mine", root)
    assert (stack.project, stack.cloud) == ("house", "gcp")
    assert SETTINGS == KEY


@pytest.mark.parametrize("text", ["config: [", "- a list"])
def test_a_file_that_is_not_a_mapping_is_named(root: Path, text: str) -> None:
    (root / "Pulumi.odd.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(pulumi.RunError, match=r"Pulumi\.odd\.yaml"):
        StackFile.read("odd", root)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("config:\n  a:b: 1\n  a:b: 2\n", "line 3: the key a:b is there twice"),
        ("config:\n  a:s: {cloud: aws, cloud: gcp}\n", "line 2: the key cloud is there twice"),
        ("config:\n  house:c: 1\n  c: 2\n", "house:c is there twice, once as c"),
        ("config:\n  5: x\n", "config: 5 is no key; accepted: <namespace>:<name>"),
        ("config:\n  ~: x\n", "line 2: a key is a text; quote it"),
        ("config: [a]\n", "config: a mapping is expected"),
        ("config: abc\n", "config: a mapping is expected"),
        ("config:\n  a:b: &x [*x]\n", "nested deeper"),
        ("config:\n  a:b: " + "[" * 3000 + "]" * 3000, ""),
        ("config:\n  a:b: " + "{a: " * 3000, ""),
    ],
)
def test_what_the_cli_would_not_read_is_refused_in_one_sentence(root: Path, text: str, sentence: str) -> None:
    (root / "Pulumi.odd.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(pulumi.RunError) as raised:
        StackFile.read("odd", root)
    assert str(raised.value).startswith("Pulumi.odd.yaml:")
    assert sentence in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_a_file_that_is_not_utf_8_is_refused_by_the_byte(root: Path) -> None:
    (root / "Pulumi.odd.yaml").write_bytes("config:\n  a:b: é\n".encode("latin-1"))
    with pytest.raises(pulumi.RunError, match=r"Pulumi\.odd\.yaml: not UTF-8, at byte \d+; save it as UTF-8"):
        StackFile.read("odd", root)


def test_a_byte_order_mark_and_settings_that_are_a_text_are_no_reason_to_fail_here(root: Path) -> None:
    (root / "Pulumi.odd.yaml").write_bytes(b"\xef\xbb\xbfconfig:\n  serverless-ml:settings: abc\n")
    assert StackFile.read("odd", root).cloud is None


def test_merging_leaves_both_sides_as_they_were() -> None:
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    assert merged(base, over) == {"a": {"b": 1, "c": 2}}
    assert (base, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})
