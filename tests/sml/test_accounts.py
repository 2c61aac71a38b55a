"""What is asked of an account, and what is said where it refuses."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import google.auth
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from google.auth.exceptions import DefaultCredentialsError

import sml.gcp.api
from sml.aws.account import Account as Aws
from sml.clouds import account, schemes
from sml.gcp.account import Account as Gcp
from sml.mistake import Mistake, Unreachable

MACHINE = "arn:aws:states:eu-west-1:1:stateMachine:training"
DEAD = "https://sqs.eu-west-1.amazonaws.com/1/dead"
LETTERS = "projects/p/subscriptions/dead"


def test_a_cloud_is_found_by_the_scheme_of_its_stores() -> None:
    assert (schemes()["s3"], schemes()["gs"]) == ("aws", "gcp")
    assert (account("s3").title, account("gs").title) == ("AWS", "GCP")


class Client:
    """A client of AWS that keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.regions: list[str] = []
        self.waiting = 2
        self.refusal: Exception | None = None
        self.answer: dict[str, str] = {}

    def __call__(self, _: str, region_name: str) -> Client:
        self.regions.append(region_name)
        return self

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> dict[str, Any]:
            if self.refusal:
                raise self.refusal
            self.asked.append((name, arguments))
            attributes = {"QueueArn": "arn:dead", "ApproximateNumberOfMessages": str(self.waiting)}
            return {"executionArn": "arn:execution:1", "Attributes": attributes, **self.answer}

        return call


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    client = Client()
    monkeypatch.setattr(boto3, "client", client)
    return client


def test_the_workflow_is_started_in_the_region_of_its_name(client: Client) -> None:
    assert Aws().start(MACHINE, {"model": "m"}) == "arn:execution:1"
    assert client.regions == ["eu-west-1"]
    assert client.asked == [("start_execution", {"stateMachineArn": MACHINE, "input": '{"model": "m"}'})]


def test_dead_letters_are_moved_by_the_cloud_itself_if_there_are_any(client: Client) -> None:
    assert Aws().redrive("jobs", DEAD) == 2
    assert client.asked[-1] == ("start_message_move_task", {"SourceArn": "arn:dead"})
    client.waiting = 0
    client.asked.clear()
    assert Aws().redrive("jobs", DEAD) == 0
    assert [name for name, _ in client.asked] == ["get_queue_attributes"]


@pytest.mark.parametrize(
    ("refusal", "kind", "said"),
    [
        (
            ClientError({"Error": {"Code": "ExpiredToken", "Message": "too old"}}, "x"),
            Unreachable,
            "AWS refused to start the workflow: ExpiredToken: too old",
        ),
        (
            ClientError({"Error": {"Code": "StateMachineDoesNotExist", "Message": "gone"}}, "x"),
            Mistake,
            "AWS refused to start the workflow: StateMachineDoesNotExist: gone",
        ),
        (NoCredentialsError(), Unreachable, "AWS could not be asked to start the workflow: Unable to locate"),
    ],
)
def test_what_aws_refuses_is_a_sentence(refusal: Exception, kind: type[Mistake], said: str, client: Client) -> None:
    client.refusal = refusal
    with pytest.raises(kind, match=said) as told:
        Aws().start(MACHINE, {})
    assert type(told.value) is kind


def test_aws_says_who_is_signed_in(client: Client) -> None:
    client.answer = {"Arn": "arn:aws:iam::1:user/ann"}
    assert Aws().person({"workflow": MACHINE}) == "arn:aws:iam::1:user/ann"
    assert (client.asked, client.regions) == ([("get_caller_identity", {})], ["eu-west-1"])


class Google:
    """Google's APIs, each address with its answer."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []
        self.letters: list[dict[str, Any]] = []
        self.status = 200

    def __call__(self, _: object) -> Google:
        return self

    def __enter__(self) -> Google:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def request(self, method: str, url: str, json: Any, timeout: float) -> Any:
        del timeout
        self.asked.append((method, url.removeprefix("https://"), json))
        answer: dict[str, Any] = {"name": "executions/1", "signedJwt": "a.b.c", "topic": "projects/p/topics/jobs"}
        if url.endswith(":pull"):
            answer, self.letters = {"receivedMessages": self.letters}, []
        return SimpleNamespace(
            status_code=self.status, ok=self.status < 300, text="no <such> thing", json=lambda: answer
        )


@pytest.fixture
def google_apis(monkeypatch: pytest.MonkeyPatch) -> Google:
    apis = Google()
    monkeypatch.setattr(google.auth, "default", lambda scopes: (object(), "p"))
    monkeypatch.setattr(sml.gcp.api, "AuthorizedSession", apis)
    return apis


def test_the_workflow_of_gcp_gets_its_argument_as_text(google_apis: Google) -> None:
    assert Gcp().start("projects/p/locations/l/workflows/w", {"model": "m"}) == "executions/1"
    [(method, path, body)] = google_apis.asked
    assert (method, path) == (
        "POST",
        "workflowexecutions.googleapis.com/v1/projects/p/locations/l/workflows/w/executions",
    )
    assert json.loads(body["argument"]) == {"model": "m"}


@pytest.mark.parametrize(
    ("account", "token_of", "says", "who"),
    [
        (None, None, {"email": "ann@example.org"}, "ann@example.org"),
        (None, None, {"sub": "1"}, None),
        (None, None, None, None),
        ("train@p.iam.gserviceaccount.com", None, None, "train@p.iam.gserviceaccount.com"),
        ("default", "vm@p.iam.gserviceaccount.com", None, "vm@p.iam.gserviceaccount.com"),
    ],
    ids=["a person", "without an address", "refused", "a service account", "a machine"],
)
def test_google_says_who_is_signed_in(
    account: str | None, token_of: str | None, says: Any, who: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = SimpleNamespace(**({} if account is None else {"service_account_email": account}))

    class Session(Google):
        def get(self, url: str, timeout: float) -> Any:
            assert (url, timeout) == ("https://openidconnect.googleapis.com/v1/userinfo", 30)
            if token_of is not None:
                credentials.service_account_email = token_of
            return SimpleNamespace(ok=says is not None, json=lambda: says)

    monkeypatch.setattr(google.auth, "default", lambda: (credentials, "p"))
    monkeypatch.setattr(sml.gcp.api, "AuthorizedSession", Session())
    assert Gcp().person({}) == who


def test_a_dead_letter_is_published_with_its_mark_before_it_is_acknowledged(google_apis: Google) -> None:
    source = {"CloudPubSubDeadLetterSourceSubscription": "jobs", "CloudPubSubDeadLetterSourceSubscriptionProject": "p"}
    data = base64.b64encode(b"{}").decode()
    attributes = {**source, "objectId": "m/in/a", "eventType": "OBJECT_FINALIZE"}
    google_apis.letters = [{"ackId": "k1", "message": {"data": data, "attributes": attributes}}]
    assert Gcp().redrive("jobs", LETTERS) == 1
    asked = [(path.rpartition("/v1/")[2], body) for _, path, body in google_apis.asked]
    sent_back = {"objectId": "m/in/a", "eventType": "OBJECT_FINALIZE", "redriven": "true"}
    assert asked[1:4] == [
        ("projects/p/subscriptions/jobs", None),
        ("projects/p/topics/jobs:publish", {"messages": [{"data": data, "attributes": sent_back}]}),
        (f"{LETTERS}:acknowledge", {"ackIds": ["k1"]}),
    ]


def test_a_request_is_signed_by_the_account_of_the_callers(google_apis: Google) -> None:
    signed = Gcp().signed("GET", "https://x", b"", "callers@p.iam.gserviceaccount.com")
    assert signed == {"authorization": "Bearer a.b.c"}
    claims = json.loads(google_apis.asked[0][2]["payload"])
    assert {claims["iss"], claims["sub"], claims["aud"]} == {"callers@p.iam.gserviceaccount.com"}
    assert 0 < claims["exp"] - claims["iat"] <= 3600


@pytest.mark.parametrize(("status", "kind"), [(401, Unreachable), (403, Mistake), (404, Mistake)])
def test_what_google_refuses_is_a_sentence(status: int, kind: type[Mistake], google_apis: Google) -> None:
    google_apis.status = status
    with pytest.raises(kind, match="GCP refused to start the workflow") as told:
        Gcp().start("w", {})
    assert type(told.value) is kind


def test_without_credentials_of_google_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(scopes: object) -> None:
        raise DefaultCredentialsError("none were found")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(Unreachable, match="GCP could not be asked to start the workflow: none were found"):
        Gcp().start("w", {})
