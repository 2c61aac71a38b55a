"""How the API is asked, and what is said of its refusals."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from interface.operations import NO_UPLOADS
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from sml.api import Api, caller
from sml.mistake import Mistake, Unreachable
from sml.stack import Stack
from tests.sml.staged import MODEL, OUTPUTS, Staged


class Answering:
    """An API that answers as it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.document: Any = {"ok": True}
        self.asked: list[Request] = []
        self.url = ""

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        return json_response(self.status, self.document)


@pytest.fixture
def api() -> Iterator[Answering]:
    answering = Answering()
    with HttpServer(answering, limit=10_000) as server:
        answering.url = server.url
        yield answering


def asking(callers: str = "") -> Api:
    return Api(Stack(name="dev", outputs={**OUTPUTS, "callers": callers}))


def test_a_caller_is_who_the_variable_says_or_the_user_here(api: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SML_CALLER", "nightly")
    assert asking().get(f"{api.url}/x?limit=1") == {"ok": True}
    assert (api.asked[0].header("x-caller-id"), api.asked[0].path) == ("nightly", "/x?limit=1")
    monkeypatch.setenv("SML_CALLER", "\u674e")
    assert caller() == "%E6%9D%8E"
    monkeypatch.delenv("SML_CALLER")

    def nameless() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert caller().partition("@")[0].isdigit()


def test_a_token_of_the_environment_goes_with_requests_and_not_with_signed_urls(
    api: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SML_TOKEN", "a.b.c")
    asking().post(f"{api.url}/x", {"a": 1})
    asking().send("PUT", f"{api.url}/x", b"rows", signed=False)
    assert [one.header("authorization") for one in api.asked] == ["Bearer a.b.c", None]
    assert [one.header("x-caller-id") is None for one in api.asked] == [False, True]


@pytest.mark.parametrize(
    ("status", "document", "said"),
    [
        (400, {"detail": "the rows do not fit", "errors": [{"field": "a", "detail": "is missing"}]}, "; a is missing"),
        (404, {"error": "there is no such job"}, "404: there is no such job"),
        (502, {"message": "no copy"}, "502: no copy"),
        (500, [], "500: []"),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_api(status: int, document: Any, said: str, api: Answering) -> None:
    api.status, api.document = status, document
    with pytest.raises(Mistake) as refused:
        asking().get(f"{api.url}/x")
    assert said in str(refused.value)
    assert refused.value.code == 1


def test_who_is_not_known_is_told_how_to_be(api: Answering) -> None:
    api.status, api.document = 401, {"message": "Unauthorized"}
    with pytest.raises(Unreachable, match="a token for it goes into the variable SML_TOKEN"):
        asking().get(f"{api.url}/x")


def test_an_api_that_does_not_answer_is_out_of_reach() -> None:
    with pytest.raises(Unreachable, match=r"^http://127\.0\.0\.1:9 does not answer: "):
        asking().get("http://127.0.0.1:9/x")


def test_a_request_to_an_api_with_iam_is_signed(api: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIA1"), ("AWS_SECRET_ACCESS_KEY", "s"), ("AWS_SESSION_TOKEN", "t")):
        monkeypatch.setenv(name, value)
    asking("arn:aws:execute-api:eu-west-1:1:abc/*").post(f"{api.url}/x", {"a": 1})
    signed: Mapping[str, Any] = {name: api.asked[0].header(name) for name in ("authorization", "x-amz-security-token")}
    assert str(signed["authorization"]).startswith("AWS4-HMAC-SHA256 Credential=AKIA1/")
    assert "/eu-west-1/execute-api/aws4_request" in str(signed["authorization"])
    assert signed["x-amz-security-token"] == "t"
    assert json.loads(api.asked[0].body) == {"a": 1}


def served(staged: Staged, url: str) -> None:
    """Have every URL of the staged stack's API lead to this one."""
    staged.outputs |= {"endpoint": url, "models": {MODEL: dict.fromkeys(("predict", "infer", "jobs", "metadata"), url)}}


def test_a_request_to_a_stack_that_is_up_here_is_signed_with_the_key_of_its_cloud(
    api: Answering, staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEUSER")
    served(staged, api.url)
    staged.outputs["callers"] = "arn:aws:execute-api:eu-west-1:1:abc/*"
    staged.options |= {"access_key_id": "AKIAEMBEDDED", "secret_access_key": "s"}
    api.document = {"jobs": []}
    said = staged.sml("job", "list", MODEL, "--json")
    assert (said.code, said.document, said.err) == (0, [], "")
    assert "Credential=AKIAEMBEDDED/" in str(api.asked[0].header("authorization"))


def test_on_gcp_whose_jobs_are_listed_is_said_where_all_callers_are_one(
    api: Answering, staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sml.gcp.account.Account.signed", lambda *_: {"authorization": "Bearer signed"})
    served(staged, api.url)
    staged.outputs |= {"callers": "callers@p", "data_url": "gs://data-1"}
    api.document = {"jobs": []}
    said = staged.sml("job", "list", MODEL, "--json")
    assert (said.code, said.document) == (0, [])
    assert said.err == "all who may sign for callers@p are one caller: these are the jobs of all of them\n"
    assert api.asked[0].header("authorization") == "Bearer signed"


def test_a_stack_that_signs_no_urls_is_known_by_the_type_of_its_refusal(
    api: Answering, staged: Staged, tmp_path: Path
) -> None:
    served(staged, api.url)
    file = tmp_path / "rows.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    api.status, api.document = 400, {"error": "nothing of this kind, whatever is in /in/"}
    refused = staged.sml("job", "submit", MODEL, str(file))
    assert (refused.code, "nothing of this kind" in refused.err) == (1, True)
    assert list(staged.stores["s3://jobs-1"].keys("")) == []
    api.document = {"error": "put it there", "type": NO_UPLOADS}
    submitted = staged.sml("job", "submit", MODEL, str(file), "--json").document["id"]
    assert staged.stores["s3://jobs-1"].get(f"{MODEL}/in/{submitted}") == b"a\n1\n"
    refused = staged.sml("job", "submit", MODEL, str(file), "--version", "v1")
    assert (refused.code, "put it there" in refused.err) == (1, True)
