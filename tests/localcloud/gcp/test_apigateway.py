"""The gateway of the embedded GCP, configured as by the program, in front of a function that echoes the request."""

from __future__ import annotations

import base64
import copy
import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

import jwt
import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from infra.gcp import routes
from infra.vocabulary import Route
from localcloud.gcp.apigateway.gateway import Config, Gateway
from localcloud.gcp.apigateway.openapi import paths
from localcloud.gcp.iam.signer import KEYS, Signer
from localcloud.support.http_server import HttpServer, Request, Response, json_response

CALLER = "caller@p.iam.gserviceaccount.com"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def configured(address: str, issuer: routes.Issuer | None = None, seconds: int = 5) -> dict[str, Any]:
    """What the program writes for three routes of one function."""
    function = cast("Any", SimpleNamespace(ref=pulumi.Output.from_input(address)))
    drawn = [
        Route(method="GET", path="/v2/models/{model}", function=function, operation="metadata"),
        Route(method="POST", path="/v2/models/{model}/infer", function=function, operation="infer"),
        Route(method="GET", path="/v2/models/index", function=function, operation="index"),
    ]
    server = routes.HttpServer(description="a test", issuer=issuer, requests_a_minute=60, timeout_seconds=seconds)
    return json.loads(json.dumps(routes.document(drawn, [address] * 3, server)))


class Function:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.says: Response | None = None

    def __call__(self, request: Request) -> Response:
        time.sleep(self.seconds)
        echoed = {"method": request.method, "path": request.path, "body": request.body.decode()}
        return self.says or json_response(
            200, {**echoed, "headers": {k.lower(): v for k, v in request.headers.items()}}
        )


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def behind(function: Function) -> Iterator[HttpServer]:
    with HttpServer(function, limit=64 * 1024 * 1024) as server:
        yield server


class Called:
    """A gateway and a way to call it."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.signer = Signer()
        config = Config(document=document, account="gateway@p")
        self.gateway = Gateway(
            config, token=lambda account, audience: f"{account} for {audience}", signer=self.signer, port=0
        )

    def __call__(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(self.gateway.host, timeout=20)
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        document = json.loads(response.read())
        connection.close()
        return response.status, document


@pytest.fixture
def call(behind: HttpServer) -> Iterator[Called]:
    called = Called(configured(behind.url))
    yield called
    called.gateway.close()


def test_a_call_reaches_its_function_as_the_gateways_own(call: Called, behind: HttpServer) -> None:
    status, echoed = call("POST", "/v2/models/a%2Fb/infer?x=1", b"[1]", {"X-Mine": "1"})
    assert (status, echoed["method"], echoed["path"], echoed["body"]) == (
        200,
        "POST",
        "/v2/models/a%2Fb/infer?x=1",
        "[1]",
    )
    headers = echoed["headers"]
    assert headers["authorization"] == f"Bearer gateway@p for {behind.url}"
    assert headers["host"] == behind.url.removeprefix("http://")
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-mine"] == "1"


def test_what_a_caller_says_about_himself_is_kept_apart_from_what_is_known(call: Called) -> None:
    sent = {"Authorization": "Bearer mine", "X-Forwarded-For": "1.2.3.4", "X-Apigateway-Api-Userinfo": "made up"}
    headers = call("GET", "/v2/models/m", headers=sent)[1]["headers"]
    assert headers["x-forwarded-authorization"] == "Bearer mine"
    assert headers["x-forwarded-for"] == "1.2.3.4,127.0.0.1"
    assert "x-apigateway-api-userinfo" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status", "expected"),
    [
        ("GET", "/nowhere", 404, "not defined by this API"),
        ("GET", "/v2/models/a/b", 404, "not defined by this API"),
        ("GET", "/v2/models/", 404, "not defined by this API"),
        ("DELETE", "/v2/models/m", 405, "http method is not allowed"),
    ],
)
def test_what_the_document_does_not_name_goes_nowhere(
    call: Called, method: str, path: str, status: int, expected: str
) -> None:
    received, answer = call(method, path)
    assert (received, answer["code"]) == (status, status)
    assert expected in answer["message"]


def test_a_path_without_variables_comes_before_one_with(behind: HttpServer) -> None:
    templates = [path.template for path in paths(configured(behind.url))]
    assert templates.index("/v2/models/index") < templates.index("/v2/models/{model}")


def test_the_rest_of_a_path_comes_after_every_other(behind: HttpServer) -> None:
    document = configured(behind.url)
    document["paths"]["/v2/{proxy=**}"] = document["paths"]["/v2/models/index"]
    found = paths(document)
    assert found[-1].template == "/v2/{proxy=**}"
    for path, taken in (("/v2/a/b/c", True), ("/v2/", True), ("/v2", False), ("/v3/a", False)):
        assert bool(found[-1].shape.fullmatch(path)) is taken


def test_the_answer_of_a_function_is_passed_on_as_it_is(call: Called, function: Function) -> None:
    function.says = Response(418, [("Content-Type", "application/json"), ("X-Own", "1")], b'{"short": "stout"}')
    assert call("GET", "/v2/models/m") == (418, {"short": "stout"})


def test_a_function_that_takes_longer_than_the_deadline_is_not_waited_for(
    behind: HttpServer, function: Function
) -> None:
    called = Called(configured(behind.url, seconds=1))
    function.seconds = 1.5
    assert called("GET", "/v2/models/m") == (504, {"code": 504, "message": "upstream request timeout"})
    called.gateway.close()


def test_a_function_that_is_gone_is_a_503(call: Called, behind: HttpServer) -> None:
    behind.close()
    assert call("GET", "/v2/models/m")[0] == 503


@pytest.mark.parametrize(("size", "status"), [(32 * 1024 * 1024, 200), (32 * 1024 * 1024 + 1, 413)])
def test_a_request_may_have_32_mebibytes(call: Called, size: int, status: int) -> None:
    assert call("POST", "/v2/models/m/infer", b"x" * size)[0] == status


def test_another_configuration_is_served_at_the_same_address(call: Called, behind: HttpServer) -> None:
    document = configured(behind.url)
    document["paths"]["/new"] = document["paths"].pop("/v2/models/index")
    host = call.gateway.host
    call.gateway.change(Config(document=document, account="other@p"))
    assert call("GET", "/new")[1]["headers"]["authorization"].startswith("Bearer other@p")
    assert call.gateway.host == host


def test_a_request_is_answered_by_the_configuration_that_it_came_under(behind: HttpServer) -> None:
    """Another takes its place before it is passed on, and whoever waits for that may then delete the function."""
    changes: list[threading.Thread] = []

    def ask(path: str = "/v2/models/m") -> tuple[int, Any]:
        connection = http.client.HTTPConnection(gateway.host, timeout=20)
        connection.request("GET", path)
        response = connection.getresponse()
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    def token(account: str, _audience: str | None) -> str:
        if account == "before@p":
            changes.append(threading.Thread(target=gateway.change, args=[after]))
            changes[0].start()
            while ask("/new")[0] == 404:
                pass
            assert changes[0].is_alive()
        return account

    config = Config(document=configured(behind.url), account="before@p")
    document = configured("http://127.0.0.1:9")
    document["paths"]["/new"] = document["paths"].pop("/v2/models/index")
    after = Config(document=document, account="after@p")
    gateway = Gateway(config, token=token, signer=Signer(), port=0)
    try:
        assert ask()[1]["headers"]["authorization"] == "Bearer before@p"
        changes[0].join(20)
        assert not changes[0].is_alive()
        assert ask()[0] == 503
    finally:
        gateway.close()


# Tokens ------------------------------------------------------------------------------------


@pytest.fixture
def issuer() -> Iterator[HttpServer]:
    """An issuer that signs tokens and publishes its keys."""
    numbers = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
    known = {"keys": [{**numbers, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def answer(request: Request) -> Response:
        if request.path == "/.well-known/openid-configuration":
            return json_response(200, {"jwks_uri": f"{server.url}/keys"})
        return json_response(200, known) if request.path == "/keys" else json_response(404, {})

    with HttpServer(answer, limit=0) as server:
        yield server


def claims(issuer: str, **changed: object) -> dict[str, Any]:
    now = int(time.time())
    values = {"iss": issuer, "sub": "ann", "aud": "predictions", "iat": now, "exp": now + 600, **changed}
    return {key: value for key, value in values.items() if value is not None}


def signed(claims: Mapping[str, Any], key: Any = KEY, algorithm: str = "RS256") -> dict[str, str]:
    token = jwt.encode(dict(claims), key, algorithm=algorithm, headers={"kid": "one"})
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(params=["discovered", "configured"])
def closed(behind: HttpServer, issuer: HttpServer, request: pytest.FixtureRequest) -> Iterator[Called]:
    keys = f"{issuer.url}/keys" if request.param == "configured" else None
    called = Called(configured(behind.url, routes.Issuer(issuer=issuer.url, audiences=("predictions",), keys=keys)))
    yield called
    called.gateway.close()


def test_a_valid_token_lets_a_caller_in_and_says_who_he_is(closed: Called, issuer: HttpServer) -> None:
    status, echoed = closed("GET", "/v2/models/m", headers=signed(claims(issuer.url)))
    assert status == 200
    info = echoed["headers"]["x-apigateway-api-userinfo"]
    assert json.loads(base64.urlsafe_b64decode(info))["sub"] == "ann"


@pytest.mark.parametrize(
    ("changed", "status", "expected"),
    [
        ({"exp": 1}, 401, "expired"),
        ({"exp": None}, 401, "fails"),
        ({"sub": None}, 401, "fails"),
        ({"aud": "somebody else"}, 403, "Audiences"),
        ({"iss": "https://somebody.example"}, 401, "issuer"),
    ],
)
def test_a_token_that_says_something_else_does_not(
    closed: Called, issuer: HttpServer, changed: dict[str, object], status: int, expected: str
) -> None:
    received, answer = closed("GET", "/v2/models/m", headers=signed(claims(issuer.url, **changed)))
    assert received == status, answer
    assert expected in answer["message"]


def test_a_token_of_somebody_elses_key_or_of_none_does_not(closed: Called, issuer: HttpServer) -> None:
    for headers in (
        {},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer abc"},
        signed(claims(issuer.url), OTHER),
        signed(claims(issuer.url), "a secret of thirty-two letters..", "HS256"),
        signed(claims(issuer.url), None, "none"),
    ):
        assert closed("GET", "/v2/models/m", headers=headers)[0] == 401


def test_an_issuer_that_cannot_be_asked_lets_nobody_in(behind: HttpServer, issuer: HttpServer) -> None:
    called = Called(configured(behind.url, routes.Issuer(issuer=issuer.url, audiences=("predictions",))))
    issuer.close()
    assert called("GET", "/v2/models/m", headers=signed(claims(issuer.url)))[0] == 401
    called.gateway.close()


def test_a_token_that_an_account_of_the_project_signed_lets_in(behind: HttpServer) -> None:
    own = routes.Issuer(issuer=CALLER, audiences=(CALLER,), keys=f"{KEYS}{CALLER}")
    called = Called(configured(behind.url, own))
    good = called.signer.sign(CALLER, claims(CALLER, sub=CALLER, aud=CALLER))
    assert called("GET", "/v2/models/m", headers={"Authorization": f"Bearer {good}"})[0] == 200
    stranger = called.signer.sign("stranger@p", claims(CALLER, sub=CALLER, aud=CALLER))
    assert called("GET", "/v2/models/m", headers={"Authorization": f"Bearer {stranger}"})[0] == 401
    called.gateway.close()


# What is refused before anything is served ---------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "value", "expected"),
    [
        (("paths", "/v2/models/{model}", "get", "x-google-backend"), None, "has no x-google-backend"),
        (("paths", "/v2/models/{model}", "get", "x-google-backend", "path_translation"), "CONSTANT", "APPEND_PATH"),
        (("paths", "/v2/models/{model}", "get", "x-google-backend", "disable_auth"), True, "disable_auth"),
        (("security",), [{"nobody": []}], "nobody is not among the securityDefinitions"),
        (("securityDefinitions",), {"key": {"type": "apiKey", "in": "query", "name": "key"}}, "type oauth2"),
    ],
)
def test_a_document_that_says_what_is_not_understood_is_refused(
    keys: tuple[str, ...], value: object, expected: str
) -> None:
    document = copy.deepcopy(configured("http://127.0.0.1:1"))
    inner = document
    for step in keys[:-1]:
        inner = inner[step]
    inner[keys[-1]] = value
    with pytest.raises(ValueError, match=expected):
        paths(document)
