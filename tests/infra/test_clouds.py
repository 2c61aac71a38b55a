from __future__ import annotations

import re
from pathlib import Path

import pulumi
import pytest

from infra import clouds
from infra.tier import Tier
from tests.root import ROOT


def test_the_clouds_are_the_folders_that_hold_one(tmp_path: Path) -> None:
    for name, text in {"aws": "CLOUD = Cloud()", "local": "", "gcp": "CLOUD = Cloud()"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text, encoding="utf-8")
    assert clouds.names(tmp_path) == ("aws", "gcp")


def test_an_unknown_cloud_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        pulumi.RunError,
        match=r"^Pulumi\.\w+\.yaml: serverless-ml:settings -> cloud: awz is not known; accepted: aws, gcp",
    ):
        clouds.find("awz")


@pytest.mark.parametrize("name", clouds.names())
def test_a_cloud_says_its_own_name(name: str) -> None:
    assert clouds.find(name).name == name


@pytest.mark.parametrize("name", clouds.names())
def test_the_page_of_the_clouds_says_the_tier_of_each(name: str) -> None:
    page = (ROOT / "docs" / "clouds.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| {name} \| `{clouds.find(name).tier.value}` \|", page, re.MULTILINE | re.IGNORECASE)


def test_a_tier_includes_those_before_it_and_itself() -> None:
    included = {tier: [other for other in Tier if tier.includes(other)] for tier in Tier}
    assert included == {
        Tier.PREVIEW: [Tier.PREVIEW],
        Tier.DEPLOYABLE: [Tier.PREVIEW, Tier.DEPLOYABLE],
        Tier.EMBEDDED: [Tier.PREVIEW, Tier.DEPLOYABLE, Tier.EMBEDDED],
    }


def test_clouds_are_found_by_what_they_promise() -> None:
    assert clouds.of(Tier.PREVIEW) == clouds.names()
    assert set(clouds.of(Tier.EMBEDDED)) >= {"aws", "gcp"}
