from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra import clouds
from infra.tier import Tier
from interface import layout
from models.breast_cancer import sample
from tests.docs.console import MAKEFILE
from tests.docs.deployment import complaints, deployments, upload
from tests.docs.page import Block


@pytest.mark.parametrize("block", deployments(), ids=str)
def test_a_first_deployment_runs_as_it_is_pasted(block: Block) -> None:
    assert list(complaints(block)) == []


def test_a_first_deployment_is_shown_for_each_cloud_and_ends_with_a_dataset_that_arrives() -> None:
    found = [upload(block) for block in deployments()]
    assert [one.cloud for one in found] == list(clouds.of(Tier.DEPLOYABLE))
    assert {one.folder for one in found} == {f"breast_cancer/{layout.INCOMING}"}


def test_make_writes_the_sample_that_is_uploaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\nwdbc.csv: .venv/.installed\n\t@$(BIN)/python -m models.breast_cancer.sample $@\n" in MAKEFILE
    sample.main([str(tmp_path / "wdbc.csv")])
    assert capsys.readouterr().out == f"{tmp_path / 'wdbc.csv'}: 569 cases\n"
    header, *rows = (tmp_path / "wdbc.csv").read_text(encoding="utf-8").splitlines()
    assert (header.split(","), len(rows)) == (sample.header(), 569)


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("make wdbc.csv", "", "there is no wdbc.csv"),
        ("cp wdbc.csv", "cp cases.csv", "there is no cases.csv"),
        ("stack init dev", "stack init staging", "staging is not the stack"),
        ("STACK=dev", "STACK=prod", "dev is not the stack"),
        ("set aws:region", "set region", "region is no key"),
        ("pulumi up", "pulumi deploy", "pulumi deploy is not known"),
    ],
)
def test_a_command_that_cannot_run_is_seen(before: str, after: str, complaint: str) -> None:
    block = deployments()[0]
    assert before in block.text
    assert any(complaint in one for one in complaints(replace(block, text=block.text.replace(before, after))))
