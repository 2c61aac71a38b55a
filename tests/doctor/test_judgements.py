"""What an answer means for a stack: without any cloud."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doctor import name, pulumi_cli, quota
from doctor.aws import checks as aws
from doctor.finding import Verdict, exit_code, fails, ready, unknown
from doctor.gcp import checks as gcp
from doctor.pulumi_cli import Cli
from infra.aws.quotas import COPIES, MEMORY
from infra.quotas import Want
from localcloud.cli.installation import OLDEST_CLI
from tests.doctor.test_tables import a_stack

WANT = Want(quota=COPIES, wanted=60, to_deploy=20)


@pytest.mark.parametrize(
    ("has", "in_use", "verdict"),
    [
        (19, 0, Verdict.FAILS),
        (20, 0, Verdict.SCARCE),
        (59, 0, Verdict.SCARCE),
        (60, 0, Verdict.READY),
        (100, 40, Verdict.READY),
        (100, 41, Verdict.SCARCE),
    ],
)
def test_a_quota_fails_below_what_deploys_and_is_scarce_below_what_works(
    has: int, in_use: int, verdict: Verdict
) -> None:
    assert quota.judge(WANT, has, in_use=in_use, mend=("ask",)).verdict is verdict


def test_a_quota_that_no_cloud_tells_is_known_only_where_a_new_account_has_it() -> None:
    assert quota.not_asked(Want(quota=MEMORY, wanted=3008, to_deploy=3008)).verdict is Verdict.READY
    beyond = quota.not_asked(Want(quota=MEMORY, wanted=3072, to_deploy=3072))
    assert (beyond.verdict, beyond.mend) == (Verdict.UNKNOWN, (MEMORY.ask,))


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([ready("a")], 0),
        ([ready("a"), replace(ready("b"), verdict=Verdict.SCARCE)], 0),
        ([ready("a"), unknown("b")], 2),
        ([unknown("a"), fails("b"), ready("c")], 1),
    ],
)
def test_the_exit_code_says_whether_something_fails_before_it_says_that_something_is_not_known(
    findings: list[Any], code: int
) -> None:
    assert exit_code(findings) == code


@pytest.mark.parametrize(
    ("cli", "verdicts"),
    [
        (None, [Verdict.FAILS]),
        (Cli(version="v3.999.0", whoami="me"), [Verdict.READY, Verdict.READY]),
        (Cli(version="v3.200.0", whoami="me"), [Verdict.READY, Verdict.READY]),
        (Cli(version="v3.199.9", whoami="me"), [Verdict.FAILS, Verdict.READY]),
        (Cli(version="v2.25.2", whoami="me"), [Verdict.FAILS, Verdict.READY]),
        (Cli(version="v4.0.0", whoami="me"), [Verdict.FAILS, Verdict.READY]),
        (Cli(version="", whoami="me"), [Verdict.UNKNOWN, Verdict.READY]),
        (Cli(version="v3.999.0", whoami=None), [Verdict.READY, Verdict.FAILS]),
    ],
)
def test_the_cli_is_to_be_new_enough_and_logged_in(cli: Cli | None, verdicts: list[Verdict]) -> None:
    assert [finding.verdict for finding in pulumi_cli.judge(cli)] == verdicts


def test_the_oldest_cli_is_the_one_that_the_tests_deploy_with() -> None:
    assert pulumi_cli.OLDEST == OLDEST_CLI


def test_a_name_of_somebody_else_is_no_name_to_import() -> None:
    kind = "aws:s3/bucket:Bucket"
    of_others, own, free = name.judge(
        [name.Name(kind=kind, name="x", own=own) for own in (False, True, None)], a_stack()
    )
    assert (of_others.verdict, of_others.mend) == (Verdict.FAILS, ())
    assert (own.verdict, own.mend) == (Verdict.FAILS, ("pulumi import aws:s3/bucket:Bucket NAME x",))
    assert free.verdict is Verdict.READY


def test_a_region_lacks_only_what_the_list_knows_at_all() -> None:
    offer = aws.Offer(region="eu-west-1", listed=frozenset({"lambda"}), offered=frozenset({"lambda", "new"}))
    assert aws.judge_offer(offer, a_stack())[0].verdict is Verdict.READY
    assert aws.judge_offer(replace(offer, listed=frozenset({"lambda", "sqs"})), a_stack())[0].verdict is Verdict.FAILS


def test_a_project_that_is_being_deleted_fails() -> None:
    (found,) = gcp.judge_who(gcp.Who(owner="me", project="p", state="DELETE_REQUESTED"), a_stack())
    assert (found.verdict, found.mend) == (Verdict.FAILS, ("gcloud projects undelete p",))


@pytest.mark.parametrize(
    ("infos", "figure"),
    [
        ([], None),
        ([{"details": {"value": "5"}}], 5),
        ([{"details": {"value": "5"}}, {"dimensions": {"region": "here"}, "details": {"value": "7"}}], 7),
        ([{"details": {"value": "5"}}, {"dimensions": {"region": "there"}, "details": {"value": "7"}}], 5),
        ([{"dimensions": {"region": "there"}, "details": {"value": "7"}}], None),
        ([{"details": {"value": "-1"}}], gcp.UNLIMITED),
    ],
)
def test_a_figure_of_a_region_comes_before_that_of_all_regions(infos: list[Any], figure: int | None) -> None:
    assert gcp.figure_of(infos, "here") == figure
