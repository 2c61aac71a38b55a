"""The console over a stack in an account: the same pages, and links to the cloud's own."""

from __future__ import annotations

from typing import Any

import pytest

from functions.core.storage.objects import Objects
from sml.console.routes import ROUTES
from sml.console.site import Site
from sml.console.source import Source
from sml.log_line import read
from sml.mistake import Mistake, Unreachable
from sml.stack import Stack
from sml.typed import Typed
from tests.sml.console.browser import Browser
from tests.sml.staged import MODEL, OUTPUTS

ON_GCP = {
    "endpoint": "https://gateway-1.ew.gateway.dev",
    "data_url": "gs://data-1",
    "models_url": "gs://models-1",
    "jobs_url": "gs://jobs-1",
    "jobs_dead_letters": "projects/my-project/subscriptions/dead",
    "workflow": "projects/my-project/locations/europe-west1/workflows/training",
}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stores that were opened, all of them empty."""
    urls: list[str] = []

    def open_store(url: str, **_: Any) -> Objects:
        urls.append(url)
        return Objects.in_memory()

    monkeypatch.setattr("functions.core.storage.store_url.open_store", open_store)
    return urls


def console(outputs: dict[str, Any]) -> Browser:
    return Browser(Site(Source(lambda: Stack(name="dev", outputs=outputs), Typed()), ROUTES))


@pytest.mark.parametrize(
    ("outputs", "addresses"),
    [
        (
            OUTPUTS,
            [
                "https://eu-west-1.console.aws.amazon.com/s3/buckets/models-1",
                "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/statemachines/view/"
                "arn%3Aaws%3Astates%3Aeu-west-1%3A1%3AstateMachine%3Atraining",
                "https://eu-west-1.console.aws.amazon.com/sqs/v3/home?region=eu-west-1#/queues/"
                "https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F1%2Fdead",
            ],
        ),
        (
            OUTPUTS | ON_GCP,
            [
                "https://console.cloud.google.com/storage/browser/models-1?project=my-project",
                "https://console.cloud.google.com/workflows/workflow/europe-west1/training/executions?project=my-project",
                "https://console.cloud.google.com/cloudpubsub/subscription/detail/dead?project=my-project",
            ],
        ),
    ],
    ids=["aws", "gcp"],
)
def test_the_clouds_own_pages_are_linked(outputs: dict[str, Any], addresses: list[str], opened: list[str]) -> None:
    found = [address for _, _, address in _pages(outputs)]
    assert set(addresses) <= set(found)
    shown = console(outputs).get("/resources")
    assert shown.html.count('rel="noopener noreferrer"') == len(found)
    assert "deployed on this machine" not in shown.text
    assert opened == []


def _pages(outputs: dict[str, Any]) -> list[tuple[str, str, str]]:
    return Stack(name="dev", outputs=outputs).cloud.pages(outputs)


def test_logs_and_models_are_read_alike(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    browser = console(OUTPUTS)
    monkeypatch.setattr("sml.aws.account.Account.logged", lambda *_, **__: [read("out of memory")])
    shown = browser.get("/logs?function=jobs").text
    assert "All of them are in CloudWatch" in shown
    assert "out of memory" in shown

    def refused(*_: object, **__: object) -> None:
        raise Mistake("AWS refused to read the log: AccessDeniedException")

    monkeypatch.setattr("sml.aws.account.Account.logged", refused)
    shown = browser.get("/logs?function=jobs")
    assert (shown.status, "AWS refused to read the log" in shown.text, "CloudWatch" in shown.text) == (200, True, True)
    assert f"{MODEL} no version yet" in browser.get("/").text
    assert "models-1" in opened[0]


def test_captures_are_those_that_the_outputs_name(opened: list[str]) -> None:
    older = {name: value for name, value in OUTPUTS.items() if name != "captures_url"}
    assert "run `pulumi up`" in console(older).get(f"/models/{MODEL}/requests").text
    assert console(OUTPUTS).get(f"/models/{MODEL}/requests").status == 200
    assert opened[-1] == "s3://captures-1"


def test_credentials_that_have_expired_are_a_sentence() -> None:
    def expired() -> Stack:
        raise Unreachable("AWS refused: ExpiredToken")

    shown = Browser(Site(Source(expired, Typed()), ROUTES)).get("/")
    assert (shown.status, "AWS refused: ExpiredToken" in shown.text) == (503, True)
