from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sml.init.stack_file import stacks_in, with_model
from sml.mistake import Mistake
from tests.root import ROOT

BLOCK = """\
config:
  serverless-ml:settings:
    models:
      # the first
      - breast_cancer  # trained
      - file_type
    cloud: aws
"""


def test_a_list_of_lines_gets_another_line() -> None:
    changed = with_model(BLOCK, "churn", "Pulumi.local.yaml")
    assert changed == BLOCK.replace("      - file_type\n", "      - file_type\n      - churn\n")


@pytest.mark.parametrize("text", ["a: 1\n" + BLOCK.rstrip().rpartition("\n")[0], BLOCK.replace("\n", "\r\n")])
def test_line_ends_and_the_end_of_the_file_are_kept(text: str) -> None:
    changed = with_model(text, "churn", "Pulumi.local.yaml")
    models = yaml.safe_load(changed)["config"]["serverless-ml:settings"]["models"]
    assert models == ["breast_cancer", "file_type", "churn"]
    assert changed.count("\r") == text.count("\r") + (1 if "\r" in text else 0)


def test_a_list_in_brackets_may_take_several_lines() -> None:
    text = "config:\n  serverless-ml:settings:\n    models: [\n      a,  # one\n      'b'\n    ]\n"
    assert with_model(text, "c", "x") == text.replace("'b'", "'b', c")


@pytest.mark.parametrize("stack", ["local", "gcp-local"])
def test_the_files_of_this_project_change_by_one_line(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    changed = with_model(text, "churn", stack)
    assert with_model(changed, "churn", stack) == changed
    pairs = zip(text.splitlines(), changed.splitlines(), strict=True)
    assert [after.strip() for before, after in pairs if before != after] == [
        "models: [breast_cancer, file_type, churn]"
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no list of models; write models: [...] under serverless-ml:settings"),
        ("config:\n  serverless-ml:settings:\n    models: []\n", "has no list of models"),
        ("config: [\n", "is not YAML"),
        ("a: &m [a]\nconfig: {'serverless-ml:settings': {models: *m}}\n", "add churn to models by hand"),
    ],
)
def test_a_file_that_cannot_be_changed_is_named(text: str, sentence: str) -> None:
    with pytest.raises(Mistake, match=r"^Pulumi\.local\.yaml: ") as told:
        with_model(text, "churn", "Pulumi.local.yaml")
    assert sentence in str(told.value)


def test_a_stack_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    assert stacks_in(tmp_path, []) == []
    for stack in ("local", "prod"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
    assert stacks_in(tmp_path, []) == ["local"]
    assert stacks_in(tmp_path, ["prod", "prod"]) == ["prod"]
    with pytest.raises(Mistake, match=r"there is no Pulumi\.dev\.yaml; the stacks are local, prod"):
        stacks_in(tmp_path, ["dev"])
