from __future__ import annotations

from pathlib import Path

import pulumi
import pytest

from infra.limits import LIMITS, MIB, enforce, verdicts
from infra.settings import Settings
from infra.vocabulary import Archive


def settings(**changes: object) -> Settings:
    return Settings.parse({"cloud": "aws", "models": ["breast_cancer"], **changes}, where="")


def archive(unpacked: int = 1, size: int = 1) -> Archive:
    return Archive(path=Path("x.zip"), digest="0" * 64, size=size, unpacked=unpacked)


def refusal(stack: Settings, **archives: Archive) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        enforce(stack, archives, "test")
    return str(refused.value)


def test_a_stack_with_nothing_but_defaults_keeps_every_limit() -> None:
    enforce(settings(), {"train": archive(unpacked=250 * MIB)}, "test")


def test_an_archive_that_unpacks_to_more_than_the_platform_takes_is_refused() -> None:
    told = refusal(settings(), train=archive(unpacked=250 * MIB + 1))
    assert "functions/requirements/train.in" in told
    assert "at most 262,144,000" in told
    assert "https://docs.aws.amazon.com" in told


def test_a_prediction_may_not_outlast_the_api_in_front_of_it() -> None:
    told = refusal(settings(functions={"predict": {"timeout_seconds": 30}}))
    assert "Pulumi.test.yaml: functions.predict.timeout_seconds: 30" in told
    assert "at most 29" in told


def test_functions_together_leave_the_account_some_room() -> None:
    assert "functions.*.concurrency" in refusal(settings(functions={"predict": {"concurrency": 900}}))


def test_a_zip_too_large_is_refused_where_the_cloud_bounds_the_zip() -> None:
    assert "bytes zipped" in refusal(settings(cloud="gcp", functions=short()), train=archive(size=100 * MIB + 1))


def short() -> dict[str, object]:
    return {"train": {"timeout_seconds": 500}}


def test_what_a_build_installs_has_no_bound_where_the_cloud_states_none() -> None:
    held = verdicts(settings(cloud="gcp", functions=short()), {"train": archive(unpacked=600 * MIB)})
    assert not [verdict for verdict in held if verdict.what == "bytes unpacked"]


@pytest.mark.parametrize("cloud", sorted(LIMITS))
def test_every_limit_of_every_cloud_is_held_against_the_stack(cloud: str) -> None:
    held = verdicts(settings(cloud=cloud, functions=short()), {"predict": archive()})
    assert all(verdict.passed for verdict in held), [verdict for verdict in held if not verdict.passed]
    assert len(held) >= 12 + 1 + 3


@pytest.mark.parametrize("cloud", sorted(LIMITS))
def test_every_limit_is_dated_and_sourced(cloud: str) -> None:
    assert LIMITS[cloud].read_on
    assert all(source.startswith("https://") for source in LIMITS[cloud].sources)
