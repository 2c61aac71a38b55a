"""The bill is read where a cloud has it, by whoever may."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import google.auth
import pytest
from botocore.exceptions import ClientError

import sml.gcp.api
from sml.aws.account import Account as Aws
from sml.gcp.account import Account as Gcp
from sml.mistake import Mistake

OUTPUTS = {"workflow": "projects/project-1/locations/l/workflows/w"}
DAYS = ("2026-11-24", "2026-12-01")
TABLE = "project-1.billing.gcp_billing_export_v1_012345"


class Explorer:
    """Cost Explorer, of which a test says the pages."""

    def __init__(self, *pages: Mapping[str, Any]) -> None:
        self.pages = list(pages)
        self.asked: list[Mapping[str, Any]] = []
        self.made: list[tuple[str, str]] = []

    def __call__(self, service: str, region_name: str) -> Explorer:
        self.made.append((service, region_name))
        return self

    def get_cost_and_usage(self, **asked: Any) -> Mapping[str, Any]:
        self.asked.append(dict(asked))
        if not self.pages:
            code = "AccessDeniedException"
            raise ClientError({"Error": {"Code": code, "Message": "not authorized: ce:GetCostAndUsage"}}, "Get")
        return self.pages.pop(0)


def page(*amounts: tuple[str, str], token: str | None = None) -> dict[str, Any]:
    groups = [
        {"Keys": [name], "Metrics": {"UnblendedCost": {"Amount": amount, "Unit": "USD"}}} for name, amount in amounts
    ]
    return {"ResultsByTime": [{"Groups": groups}], **({"NextPageToken": token} if token else {})}


def test_aws_sums_every_page_of_what_has_the_tag_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    explorer = Explorer(page(("AWS Lambda", "0.5"), ("S3", "0.1"), token="more"), page(("AWS Lambda", "0.25")))
    monkeypatch.setattr(boto3, "client", explorer)
    billed = Aws().bill({}, "dev", *DAYS, None)
    assert [(row["service"], row["amount"], row["currency"]) for row in billed] == [
        ("AWS Lambda", 0.75, "USD"),
        ("S3", 0.1, "USD"),
    ]
    assert explorer.made == [("ce", "us-east-1")]
    assert explorer.asked[0]["TimePeriod"] == {"Start": DAYS[0], "End": DAYS[1]}
    assert explorer.asked[0]["Filter"] == {"Tags": {"Key": "stack", "Values": ["dev"]}}
    assert explorer.asked[1]["NextPageToken"] == "more"


@pytest.mark.parametrize(
    ("pages", "kind", "said"),
    [
        ((), Mistake, "AWS refused to show the bill: AccessDeniedException: not authorized: ce:GetCostAndUsage"),
        ((page(),), Mistake, "no cost with the tag stack=dev: the account has to activate the tag"),
    ],
    ids=["refused", "not tagged"],
)
def test_a_bill_that_aws_does_not_show_is_a_sentence(
    pages: tuple[Any, ...], kind: type[Mistake], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "client", Explorer(*pages))
    with pytest.raises(kind, match=said):
        Aws().bill({}, "dev", *DAYS, None)


def test_aws_takes_no_table() -> None:
    with pytest.raises(Mistake, match="--table is for GCP"):
        Aws().bill({}, "dev", *DAYS, TABLE)


class BigQuery:
    """BigQuery, of which a test says the answer."""

    def __init__(self, answer: Mapping[str, Any], status: int = 200) -> None:
        self.answer, self.status = answer, status
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, _: object) -> BigQuery:
        return self

    def __enter__(self) -> BigQuery:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def request(self, _: str, url: str, json: Any, timeout: float) -> Any:
        del timeout
        self.asked.append((url, json))
        return SimpleNamespace(
            status_code=self.status, ok=self.status < 300, text="Access Denied: Table", json=lambda: self.answer
        )


def asks(monkeypatch: pytest.MonkeyPatch, server: BigQuery) -> BigQuery:
    monkeypatch.setattr(google.auth, "default", lambda scopes: (object(), "p"))
    monkeypatch.setattr(sml.gcp.api, "AuthorizedSession", server)
    return server


def test_gcp_reads_the_export_by_the_label_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"f": [{"v": "Cloud Run"}, {"v": "0.25"}, {"v": "EUR"}]}
    server = asks(monkeypatch, BigQuery({"jobComplete": True, "rows": [row]}))
    billed = Gcp().bill(OUTPUTS, "gcp-dev", *DAYS, TABLE)
    assert billed == [{"service": "Cloud Run", "amount": 0.25, "currency": "EUR"}]
    [(url, asked)] = server.asked
    assert url.endswith("/bigquery/v2/projects/project-1/queries")
    assert f"FROM `{TABLE}`" in asked["query"]
    given = {one["name"]: one["parameterValue"]["value"] for one in asked["queryParameters"]}
    assert given == {"stack": "gcp-dev", "since": DAYS[0], "until": DAYS[1]}


@pytest.mark.parametrize(
    ("table", "answer", "status", "said"),
    [
        (None, {}, 200, "GCP has the bill in BigQuery alone, if the account exports it; accepted: --table"),
        ("billing`; DROP", {}, 200, "--table: 'billing`; DROP' is no table"),
        (TABLE, {}, 403, "GCP refused to show the bill: 403 Access Denied: Table"),
        (TABLE, {"jobComplete": False}, 200, "has not read .* within 30 seconds: ask for fewer days"),
    ],
    ids=["no table", "odd table", "refused", "slow"],
)
def test_a_bill_that_gcp_does_not_show_is_a_sentence(
    table: str | None, answer: Mapping[str, Any], status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(monkeypatch, BigQuery(answer, status))
    with pytest.raises(Mistake, match=said):
        Gcp().bill(OUTPUTS, "gcp-dev", *DAYS, table)
