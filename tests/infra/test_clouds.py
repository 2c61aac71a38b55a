from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from infra import clouds


def test_the_clouds_are_the_folders_that_hold_one(tmp_path: Path) -> None:
    for name, text in {"aws": "CLOUD = Cloud()", "local": "", "gcp": "CLOUD = Cloud()"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")
    assert clouds.names(tmp_path) == ("aws", "gcp")


def test_an_unknown_cloud_is_refused_with_those_there_are() -> None:
    with pytest.raises(pulumi.RunError, match="cloud: awz is not known; accepted: aws, gcp"):
        clouds.find("awz")


def test_a_whole_stack_on_gcp_is_refused_with_what_is_missing() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        clouds.choose("gcp")
    assert "it has no workflow, arrival, schedule" in str(refused.value)
    assert "accepted for a whole stack: aws" in str(refused.value)


def test_a_whole_cloud_is_chosen() -> None:
    aws = clouds.choose("aws")
    assert aws.name == "aws"
    assert clouds.missing(aws) == ()
    assert clouds.missing(replace(aws, schedule=None)) == ("schedule",)
