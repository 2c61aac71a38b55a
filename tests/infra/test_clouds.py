from __future__ import annotations

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


@pytest.mark.parametrize("name", clouds.names())
def test_a_cloud_says_its_own_name(name: str) -> None:
    assert clouds.find(name).name == name
