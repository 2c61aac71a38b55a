"""What `--write` changes in a stack's file."""

from __future__ import annotations

import re

import pytest
import yaml

from sml.mistake import Mistake
from sml.tune.setting import paths_of, with_value
from tests.root import ROOT

SHARED, OWN = ("functions", "predict", "memory_mb"), ("scaling", "models", "penguins", "memory_mb")
HEAD = "# why\nconfig:\n  aws:region: eu-west-1  # near\n  serverless-ml:settings:\n    cloud: aws\n"
DAYS = "    log_days: 7\n"
FILES = {
    "in-brackets": f"{HEAD}    functions:\n      predict: {{memory_mb: 1769, concurrency: 200}}  # warm\n{DAYS}",
    "lines": f"{HEAD}    functions:\n      predict:\n        memory_mb: 512 # small\n        concurrency: 2\n{DAYS}",
    "no-memory": f"{HEAD}    functions:\n      predict: {{concurrency: 200}}\n    log_days: 7\n",
    "no-memory-lines": f"{HEAD}    functions:\n      predict:\n        concurrency: 200  # most\n    # days\n{DAYS}",
    "other-functions": f"{HEAD}    functions:\n      train: {{concurrency: 20}}\n    log_days: 7\n",
    "empty-brackets": f"{HEAD}    functions: {{}}\n",
    "no-functions": f"{HEAD}    models: [a]\n    log_days: 7 # a week\n# the end\n",
    "no-line-end": f"{HEAD}    models: [a]",
    "windows": f"{HEAD}    models: [a]\n    log_days: 7\n".replace("\n", "\r\n"),
}


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize("name", FILES)
def test_one_line_changes_or_comes_and_the_rest_stays_as_it_was(name: str) -> None:
    text = FILES[name]
    after = with_value(text, SHARED, 1024, "Pulumi.dev.yaml")
    assert yaml.safe_load(after)["config"]["serverless-ml:settings"]["functions"]["predict"]["memory_mb"] == 1024
    gone, new = changed_lines(text, after)
    assert (len(gone) <= 1, len(new)) == (True, 1)
    assert re.findall("#.*", after) == re.findall("#.*", text)
    assert after.count("\r") == 0 or after.count("\r\n") == after.count("\n")
    assert with_value(after, SHARED, 1024, "Pulumi.dev.yaml") == after


@pytest.mark.parametrize("stack", ["dev", "gcp-prod", "local", "prod", "staging"])
def test_every_stack_of_this_project_can_be_written(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    after = with_value(text, SHARED, 640, stack)
    assert "memory_mb: 640" in after


def test_a_model_with_a_scaling_of_its_own_has_its_memory_there() -> None:
    text = f"{HEAD}    scaling:\n      models:\n        penguins: {{profile: latency}}\n"
    assert paths_of(text, ["penguins", "whales"], "x") == [OWN, SHARED]
    after = with_value(text, OWN, 2048, "x")
    assert "penguins: {profile: latency, memory_mb: 2048}" in after


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{HEAD}    functions: [a]\n", "set functions.predict.memory_mb: 512 by hand"),
        ("config:\n  serverless-ml:settings:\n    secure: AAAB\n", "missing there, or encrypted"),
        ("config: {}\n", "missing there, or encrypted"),
        ("config: [\n", "is not YAML"),
    ],
    ids=["list", "encrypted", "missing", "broken"],
)
def test_a_file_that_cannot_be_changed_is_left_alone_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(Mistake, match=re.escape(said)):
        with_value(text, SHARED, 512, "Pulumi.dev.yaml")
