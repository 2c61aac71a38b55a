from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

import pytest

from functions.core.jobs.webhook import Webhook
from localcloud.support.http_server import HttpServer, Request, Response

KEY = bytes(range(32))
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"


@pytest.mark.parametrize(("secret", "key"), [(SECRET, KEY), ("x" * 24, b"x" * 24), ("whsec_ none", b"whsec_ none")])
def test_an_event_is_signed_as_standard_webhooks_are(secret: str, key: bytes) -> None:
    sent: list[tuple[str, Mapping[str, str], bytes]] = []

    def send(url: str, headers: Mapping[str, str], body: bytes) -> int:
        sent.append((url, headers, body))
        return 200

    Webhook("https://a/b", secret, send=send, clock=lambda: 1_700_000_000.9).tell("m/j/done", "job.done", {"id": "j"})
    [(url, headers, body)] = sent
    assert url == "https://a/b"
    assert json.loads(body) == {"type": "job.done", "timestamp": "2023-11-14T22:13:20+00:00", "data": {"id": "j"}}
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("m/j/done", "1700000000")
    signed = hmac.digest(key, b"m/j/done.1700000000." + body, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(signed).decode()}"


def test_an_event_is_sent_by_http_and_no_redirect_is_followed() -> None:
    asked: list[Request] = []
    statuses = [202, 302]

    def answer(request: Request) -> Response:
        asked.append(request)
        return Response(statuses[len(asked) - 1], [("Location", "/elsewhere")], b"")

    with HttpServer(answer, limit=10_000) as server:
        webhook = Webhook(f"{server.url}/hook?a=1", SECRET)
        webhook.tell("m/j/done", "job.done", {})
        with pytest.raises(OSError, match="the webhook answered 302"):
            webhook.tell("m/j/done", "job.done", {})
    assert [(request.method, request.path) for request in asked] == [("POST", "/hook?a=1")] * 2
    assert asked[0].header("content-type") == "application/json"


def test_where_nobody_answers_it_is_an_error_of_the_system() -> None:
    with HttpServer(lambda _: Response(200, [], b""), limit=1) as server:
        url = server.url
    with pytest.raises(OSError):  # noqa: PT011 - the system's own words
        Webhook(url, SECRET).tell("m/j/done", "job.done", {})
