"""What the functions' client sends to Cloud Storage and to the metadata server, and how patient it is."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

from functions.adapters.gcp.environment import METADATA, NOBODY, store_options, token
from functions.core.runtime.environment import Environment
from functions.core.storage.objects import Conflict, Objects
from functions.core.storage.tag import Tag
from localcloud.support.http_server import HttpServer, Request, Response, json_response

WRITTEN = Response(200, [("ETag", '"e"'), ("x-goog-generation", "8")], b"")
TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"


@dataclass
class Google:
    """A metadata server and a Cloud Storage in one, which give scripted answers and record requests."""

    answers: list[Response] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    tokens: int = 0

    def answer(self, request: Request) -> Response:
        if urlsplit(request.path).path == TOKEN:
            assert request.header("metadata-flavor") == "Google"
            assert parse_qs(urlsplit(request.path).query)["audience"]
            self.tokens += 1
            return json_response(
                200, {"access_token": f"token-{self.tokens}", "expires_in": 3600, "token_type": "Bearer"}
            )
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else WRITTEN


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
def open_models(google: Google, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Objects]]:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", *METADATA):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/nowhere")
    with HttpServer(google.answer, limit=1_000_000) as server:

        def store(*, metadata: bool = True, patience_seconds: float = 20) -> Objects:
            values = {"MODELS_URL": "gs://models", "STORAGE_EMULATOR_HOST": server.url}
            for name in METADATA if metadata else ():
                values[name] = server.url.removeprefix("http://")
                monkeypatch.setenv(name, values[name])
            environment = Environment(values, store_options=store_options(values), token=lambda: token(values))
            return environment.store("MODELS_URL", patience_seconds=patience_seconds)

        yield store


def test_every_request_bears_the_token_of_the_functions_account_which_is_asked_for_once(
    google: Google, open_models: Callable[..., Objects]
) -> None:
    store = open_models()
    store.put("a", b"1")
    store.put("b", b"2")
    assert [request.header("authorization") for request in google.requests] == ["Bearer token-1"] * 2
    assert google.tokens == 1


def test_without_a_metadata_server_of_the_emulator_no_token_is_asked_for(
    google: Google, open_models: Callable[..., Objects]
) -> None:
    open_models(metadata=False).put("a", b"1")
    assert [request.header("authorization") for request in google.requests] == [f"Bearer {NOBODY}"]
    assert google.tokens == 0


def test_a_condition_is_a_generation_and_never_an_etag(google: Google, open_models: Callable[..., Objects]) -> None:
    store = open_models()
    assert store.create("a", b"1")
    store.replace("a", b"2", Tag(e_tag='"e"', version="8"))
    store.put("a", b"3")
    conditions = [request.header("x-goog-if-generation-match") for request in google.requests]
    assert conditions == ["0", "8", None]
    assert {request.header("if-match") for request in google.requests} == {None}


def test_a_precondition_that_fails_is_a_loser_or_a_conflict(
    google: Google, open_models: Callable[..., Objects]
) -> None:
    google.answers = [Response(412, [], b""), Response(412, [], b"")]
    assert not open_models().create("a", b"1")
    with pytest.raises(Conflict, match="a"):
        open_models().replace("a", b"1", Tag(e_tag='"e"', version="7"))


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_store_that_is_busy_is_asked_again(google: Google, open_models: Callable[..., Objects], status: int) -> None:
    """Cloud Storage takes about one write a second to one object, and says 429 to more."""
    google.answers = [Response(status, [], b""), Response(status, [], b"")]
    assert open_models().create("a", b"1")
    assert len(google.requests) == 3


def test_a_store_that_cannot_be_reached_times_out(google: Google, open_models: Callable[..., Objects]) -> None:
    google.answers = [Response(503, [], b"") for _ in range(100)]
    with pytest.raises(Exception, match="503"):
        open_models(patience_seconds=0.5).put("a", b"1")
    assert 1 <= len(google.requests) <= 6


def read(content: bytes, *headers: tuple[str, str]) -> Response:
    return Response(200, [*WRITTEN.headers, ("Last-Modified", "Mon, 30 Nov 2026 00:00:00 GMT"), *headers], content)


def test_what_was_uploaded_compressed_is_read_as_it_was_uploaded(
    google: Google, open_models: Callable[..., Objects]
) -> None:
    """Cloud Storage unpacks it for whoever does not say that gzip is fine, and then tells no length."""
    packed = gzip.compress(b"a,b\n1,2\n" * 100)
    google.answers = [read(packed, ("Content-Encoding", "gzip"))]
    assert open_models().get("a.csv") == packed
    assert google.requests[0].header("accept-encoding") == "gzip"


def test_a_list_with_an_odd_key_is_asked_for_again_with_a_token_and_the_log_names_the_key(
    google: Google, open_models: Callable[..., Objects], capsys: pytest.CaptureFixture[str]
) -> None:
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-30T00:00:00.000Z</LastModified>"
        f"<ETag>e</ETag><Size>1</Size></Contents>"
        for key in ("in//odd.csv", "in/plain.csv")
    )
    page = f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()
    google.answers = [read(page), read(page)]
    assert list(open_models().keys("in")) == ["in/plain.csv"]
    assert [request.header("authorization") for request in google.requests] == ["Bearer token-1", "Bearer token-2"]
    line = json.loads(capsys.readouterr().out)
    assert (line["key"], line["store"], line["level"]) == ("in//odd.csv", "gs://models", "WARNING")


def test_a_metadata_server_that_gives_no_token_is_told() -> None:
    with (
        HttpServer(lambda _: Response(404, [], b""), limit=1000) as server,
        pytest.raises(OSError, match="no token: HTTP 404"),
    ):
        token({METADATA[0]: server.url.removeprefix("http://")})
