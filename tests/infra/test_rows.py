"""A mistake in a row of the function table is named before anything is built or declared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pulumi
import pytest

from infra import aws, bundle, gcp
from infra.environment import environment
from infra.function_table import named
from infra.permissions import Stores
from infra.settings import Settings
from infra.vocabulary import Cloud
from tests.infra import sample


@pytest.mark.parametrize("cloud", [aws.CLOUD, gcp.CLOUD], ids=lambda cloud: cloud.name)
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("functions.entries.jbos:jobs", "functions/entries/jbos.py does not exist"),
        ("functions.entries.jobs:jbos", "functions/entries/jobs.py has no function jbos"),
        ("functions.entries.jobs", "accepted: module:function"),
    ],
)
def test_an_entry_that_is_not_there_is_refused(entry: str, message: str, cloud: Cloud, tmp_path: Path) -> None:
    row = replace(named("jobs"), entry=entry)
    with pytest.raises(pulumi.RunError, match=f"function_table.py: jobs: .*{message}"):
        bundle.archive(row, cloud=cloud, platform=sample.PLATFORM, models=["breast_cancer"], cache=tmp_path)


class _Store:
    url = "memory://"


def test_a_variable_without_a_value_is_refused_with_those_that_have_one() -> None:
    settings = Settings.parse({"cloud": "aws", "models": ["breast_cancer"]}, where="Pulumi.dev.yaml")
    stores = Stores(code=_Store(), data=_Store(), models=_Store(), jobs=_Store(), captures=_Store())  # ty: ignore
    row = replace(named("jobs"), environment=("JOBS_URLS",))
    with pytest.raises(pulumi.RunError, match=r"jobs: environment: JOBS_URLS has no value; accepted: .*JOBS_URL,"):
        environment(row, settings, sample.PLATFORM, stores, ["breast_cancer"])
