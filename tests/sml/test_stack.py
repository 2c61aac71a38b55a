"""Which stack a command works on, and what it says where there is none."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from localcloud.commands.alone import alone
from tests.sml.called import called
from tests.sml.staged import OUTPUTS, Staged


def test_the_stack_that_is_up_here_is_the_one_that_is_meant(staged: Staged) -> None:
    assert staged.sml("models", "--json").code == 0
    assert staged.sml("models", "--stack", "local").code == 0


def test_without_a_stack_there_is_a_word_on_how_to_have_one(tmp_path: Path) -> None:
    said = called("runs", state=tmp_path)
    assert (said.code, said.out) == (3, "")
    assert "no stack is up here" in said.err
    assert "`make up`" in said.err


def test_a_model_whose_folder_is_there_is_waited_for_and_then_looked_for_in_what_make_up_says(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sml.stack.TAKES_IN_SECONDS", 0)
    said = staged.sml("runs", "digits")
    assert said.code != 0
    assert "models/digits is there: a line `edited` of `make up` says when it is in the stack" in said.err
    assert "is there:" not in staged.sml("runs", "nobody").err


def test_while_make_up_still_deploys_a_command_says_to_wait_for_it(tmp_path: Path) -> None:
    with alone(tmp_path):
        said = called("runs", state=tmp_path)
        assert (said.code, f"in process {os.getpid()}: wait until it prints an endpoint" in said.err) == (3, True)
    (tmp_path / "up.pid").write_text("99999999\n", encoding="utf-8")  # of one that was killed
    assert "no stack is up here" in called("runs", state=tmp_path).err


def test_a_stack_for_this_machine_that_is_not_up_is_not_looked_for_in_an_account(staged: Staged) -> None:
    said = staged.sml("runs", "--stack", "gcp-local")
    assert (said.code, said.err) == (
        3,
        "sml: the stack gcp-local is not up here; up here is local: start it with `make up`\n",
    )


def test_before_the_first_deployment_there_is_nothing_to_work_on(staged: Staged) -> None:
    staged.outputs = {}
    said = staged.sml("models")
    assert (said.code, "nothing is deployed yet" in said.err) == (3, True)


def test_outputs_in_a_file_name_a_stack_in_an_account(tmp_path: Path, staged: Staged) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(OUTPUTS), encoding="utf-8")
    assert staged.sml("models", "--outputs", str(file)).code == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is not JSON: accepted is what `pulumi stack output --json` prints"),
        ("{}", "has `pulumi up` run?"),
        ("[]", "a JSON object with the outputs is accepted"),
        (json.dumps({**OUTPUTS, "api_version": "2"}), "they are of version 2; this release reads version 1"),
        (json.dumps({key: value for key, value in OUTPUTS.items() if key != "workflow"}), "workflow missing"),
        (json.dumps({**OUTPUTS, "data_url": "az://x"}), "data_url begins with az://; accepted: gs://, s3://"),
    ],
)
def test_outputs_that_are_no_stacks_are_refused_in_a_sentence(content: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "outputs.json"
    file.write_text(content, encoding="utf-8")
    said = called("models", "--outputs", str(file), state=tmp_path)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    missing = called("models", "--outputs", str(tmp_path / "none.json"), state=tmp_path)
    assert "cannot be read: No such file" in missing.err


def pulumi(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a Pulumi CLI on the path that does as a script says."""
    command = folder / "pulumi"
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.integration
def test_the_pulumi_cli_is_asked_for_a_stack_in_an_account(
    tmp_path: Path, staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "said.json").write_text(json.dumps(OUTPUTS), encoding="utf-8")
    pulumi(tmp_path, f'echo "$@" > {tmp_path}/asked; cat {tmp_path}/said.json', monkeypatch)
    assert staged.sml("models", "--stack", "dev").code == 0
    asked = (tmp_path / "asked").read_text(encoding="utf-8").strip()
    assert asked == "stack output --json --stack dev --non-interactive"


@pytest.mark.integration
@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo \"error: no stack named 'dev' found\" >&2; exit 1", "cannot be read: no stack named 'dev' found"),
        ("echo '{}'", "has `pulumi up` run?"),
    ],
)
def test_what_the_cli_refuses_is_told(
    script: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi(tmp_path, script, monkeypatch)
    said = called("models", "--stack", "dev", state=tmp_path)
    assert said.code in (1, 3)
    assert sentence in said.err


def test_without_the_cli_the_outputs_can_be_passed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "run", absent)
    said = called("models", "--stack", "dev", state=tmp_path)
    assert (said.code, "pass them: --outputs FILE" in said.err) == (3, True)


def test_a_model_that_is_not_there_is_told_with_those_that_are(staged: Staged) -> None:
    said = staged.sml("runs", "nobody")
    assert (said.code, said.err) == (
        1,
        "sml: there is no model nobody in the stack local; there are: penguins, whales\n",
    )


def test_a_command_that_is_not_there_is_told_from_one_that_fails(staged: Staged) -> None:
    said = staged.sml("nothing")
    assert (said.code, "No such command 'nothing'" in said.err) == (2, True)
