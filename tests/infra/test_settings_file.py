"""Where a setting stands: the line is told where the file says what the program was given, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import settings_file
from infra.limits import enforce
from infra.settings import KEY, Settings
from infra.settings_file import SettingsFile
from tests.graph import deploy

TEXT = """# a comment
config:
  aws:region: eu-west-1
  serverless-ml:settings:
    cloud: aws
    models:
      - a
      - b
    rollout: {steps: [10, 50],
              shadow: 5}
    log_days: 7
    capture:
      inputs: 1e-1
"""
GIVEN: dict[str, Any] = {
    "cloud": "aws",
    "models": ["a", "b"],
    "rollout": {"steps": [10, 50], "shadow": 5},
    "log_days": 7,
    "capture": {"inputs": 0.1},
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings_file, "ROOT", tmp_path)
    (tmp_path / "Pulumi.test.yaml").write_text(TEXT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 4),
        (("cloud",), 5),
        (("models", 1), 8),
        (("rollout", "steps", 0), 9),
        (("rollout", "shadow"), 10),
        (("rollout", "shadow", "deeper"), 10),
        (("capture", "inputs"), 13),
        (("capture", "days"), 12),
        (("api", "auth"), 4),
    ],
)
def test_a_setting_is_found_in_its_line_or_in_that_of_what_it_should_stand_in(
    keys: tuple[str | int, ...], line: int, root: Path
) -> None:
    assert SettingsFile.find("test", KEY, GIVEN, root).where(keys) == f"Pulumi.test.yaml: line {line}"


@pytest.mark.parametrize(
    "other",
    [
        {**GIVEN, "log_days": 14},
        {**GIVEN, "log_days": "07"},
        {**GIVEN, "protect": True},
        {**GIVEN, "models": ["b", "a"]},
        {**GIVEN, "models": ["a"]},
        "a text",
        None,
    ],
)
def test_a_file_that_says_something_else_has_no_lines(other: object, root: Path) -> None:
    assert SettingsFile.find("test", KEY, other, root).where(("cloud",)) == "Pulumi.test.yaml"


@pytest.mark.parametrize("text", ["", "- a\n", "config: [\n", "config:\n", "config: {}\n", "\x00"])
def test_a_file_that_cannot_be_read_has_no_lines(text: str, root: Path) -> None:
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    assert SettingsFile.find("test", KEY, GIVEN, root).where() == "Pulumi.test.yaml"


def test_there_need_be_no_file(tmp_path: Path) -> None:
    assert SettingsFile.find("test", KEY, GIVEN, tmp_path).where() == "Pulumi.test.yaml"


@pytest.mark.parametrize(
    ("written", "given"),
    [
        ("1e3", 1000),
        ("010", 8),
        ("0x1F", 31),
        ("1_000", 1000),
        (".5", 0.5),
        ("yes", "yes"),
        ("True", True),
        ("~", None),
        ('"7"', "7"),
        ("2026-01-01", "2026-01-01 00:00:00 +0000 UTC"),
        ("&x a", "a"),
        ("{secure: v1:abc}", "opened by the CLI"),
    ],
)
def test_a_value_is_compared_by_what_it_means(written: str, given: object, root: Path) -> None:
    text = f"config:\n  serverless-ml:settings:\n    a: 1\n    b: {written}\n"
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    assert SettingsFile.find("test", KEY, {"a": 1, "b": given}, root).where(("b",)) == "Pulumi.test.yaml: line 4"


def test_what_a_merge_key_brings_has_the_line_where_it_is_written(root: Path) -> None:
    text = "base: &base\n  log_days: 7\nconfig:\n  serverless-ml:settings:\n    <<: *base\n    cloud: aws\n"
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    found = SettingsFile.find("test", KEY, {"log_days": 7, "cloud": "aws"}, root)
    assert [found.line_of([key]) for key in ("log_days", "cloud")] == [2, 6]


def test_what_is_merged_again_and_again_does_not_double(root: Path) -> None:
    bomb = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
    text = f"a0: &a0 {{cloud: aws}}\n{bomb}config:\n  serverless-ml:settings: *a29\n"
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    assert SettingsFile.find("test", KEY, {"cloud": "aws"}, root).line_of(["cloud"]) == 1


def test_settings_of_the_project_are_found_in_its_file(root: Path) -> None:
    (root / "Pulumi.test.yaml").write_text("config:\n  aws:region: eu-west-1\n", encoding="utf-8")
    text = "name: mine\nconfig:\n  serverless-ml:settings:\n    value:\n      cloud: aws\n"
    (root / "Pulumi.yaml").write_text(text, encoding="utf-8")
    assert SettingsFile.find("test", KEY, {"cloud": "aws"}, root).where(("cloud",)) == "Pulumi.yaml: line 5"


def refusal(given: object, *, secret: bool = False) -> list[str]:
    config = {KEY: given if isinstance(given, str) else json.dumps(given)}

    def program() -> None:
        enforce(Settings.load(), {}, pulumi.get_stack())

    with pytest.raises(pulumi.RunError) as refused:
        deploy(program, config=config, secret_keys=[KEY] if secret else [])
    return str(refused.value).splitlines()


def test_mistakes_are_told_in_the_order_of_the_file_whatever_the_order_in_which_they_are_passed(root: Path) -> None:
    text = TEXT.replace("log_days: 7", "log_days: 8").replace("cloud: aws", "cloud: azure").replace("- b", "- B")
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    given = {**GIVEN, "log_days": 8, "cloud": "azure", "models": ["a", "B"]}
    told = refusal(dict(sorted(given.items(), reverse=True)))
    assert [line.partition(":")[2].split(";")[0] for line in told] == [
        f' line 5: {KEY} -> cloud: found "azure"',
        f' line 8: {KEY} -> models[1]: found "B"',
        f" line 11: {KEY} -> log_days: found 8",
    ]


def test_a_limit_that_is_broken_is_told_with_the_line(root: Path) -> None:
    text = TEXT.replace("log_days: 7", "functions:\n      predict:\n        timeout_seconds: 30")
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    given = {**GIVEN, "functions": {"predict": {"timeout_seconds": 30}}}
    del given["log_days"]
    first, _ = refusal(given)
    assert first.startswith("Pulumi.test.yaml: line 13: functions.predict.timeout_seconds: 30 seconds behind the API;")


def test_of_a_secret_the_line_is_told_and_no_value(root: Path) -> None:
    text = TEXT.replace("log_days: 7", "log_days: {secure: v1:abc}")
    (root / "Pulumi.test.yaml").write_text(text, encoding="utf-8")
    (told,) = refusal({**GIVEN, "log_days": "8675309"}, secret=True)
    assert told.startswith(
        f"Pulumi.test.yaml: line 11: {KEY} -> log_days: found a secret, which is not shown; accepted"
    )
    assert "8675309" not in told


def test_settings_that_are_a_text_are_told_with_the_line(root: Path) -> None:
    (root / "Pulumi.test.yaml").write_text(f"config:\n  {KEY}: hello\n", encoding="utf-8")
    assert refusal("hello") == [
        f'Pulumi.test.yaml: line 2: {KEY}: found "hello"; accepted: a mapping, such as'
        " {cloud: aws, models: [breast_cancer]}"
    ]
