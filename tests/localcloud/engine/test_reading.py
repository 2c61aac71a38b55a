"""Our reader of stack files, held to what the Pulumi CLI reads in the same files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from localcloud.engine.stack_file import StackFile
from tests.localcloud.engine.reading import Files, Refused, every, parsed, write

ALL = tuple(every())


@pytest.mark.parametrize("files", ALL, ids=lambda files: repr(files.stack)[:60])
def test_a_stack_file_is_read_as_the_cli_reads_it(files: Files, tmp_path: Path) -> None:
    write(files, tmp_path)
    if not isinstance(files.reads, Refused):
        assert parsed(StackFile.read("a", tmp_path).config) == files.reads
        return
    with pytest.raises(pulumi.RunError) as refused:
        StackFile.read("a", tmp_path)
    file, _, sentence = str(refused.value).partition(": ")
    assert file in ("Pulumi.yaml", "Pulumi.a.yaml")
    assert sentence.startswith(files.reads.sentence)
    assert "\n" not in sentence


def test_what_is_merged_again_and_again_does_not_double(tmp_path: Path) -> None:
    bomb = "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
    read = config("", f"a0: &a0 {{cloud: aws, log_days: 7}}\n{bomb}config: {{house:x: *a29}}\n", tmp_path)
    assert json.loads(read["house:x"]) == {"cloud": "aws", "log_days": 7}


def test_there_are_more_than_a_hundred_files() -> None:
    assert len({(files.project, files.stack) for files in ALL}) > 100


def config(project: str, stack: str, root: Path) -> Mapping[str, Any]:
    write(Files(project=f"name: house\n{project}", stack=stack, reads={}), root)
    return StackFile.read("a", root).config


def test_a_key_that_the_project_declares_and_no_stack_says_is_named(tmp_path: Path) -> None:
    declared = "config:\n  owner: {type: string}\n"
    with pytest.raises(pulumi.RunError, match=r"^Pulumi\.a\.yaml: house:owner: Pulumi\.yaml declares it, and nothing"):
        config(declared, "", tmp_path)
    assert config(declared, "config:\n  owner: me\n", tmp_path) == {"house:owner": "me"}


def test_a_settings_object_of_the_stack_replaces_that_of_the_project(tmp_path: Path) -> None:
    whole = "config:\n  serverless-ml:settings:\n    value: {cloud: aws, models: [a], log_days: 7}\n"
    stack = "config:\n  serverless-ml:settings: {cloud: gcp}\n"
    assert json.loads(config(whole, "", tmp_path)["serverless-ml:settings"])["log_days"] == 7
    assert json.loads(config(whole, stack, tmp_path)["serverless-ml:settings"]) == {"cloud": "gcp"}
