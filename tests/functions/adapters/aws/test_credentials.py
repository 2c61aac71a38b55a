"""The credentials and connections of a copy that comes from a snapshot, with both ends of them on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from obstore.store import S3Store

from functions.adapters.aws.environment import store_options
from functions.core.runtime.environment import Environment
from functions.core.storage import store_url

if TYPE_CHECKING:
    from obstore.store import ClientConfig

SECRET = "a token of the runtime"


@dataclass
class Cloud:
    """Record who asked for an object, and over which connection."""

    url: str = ""
    lifetime: timedelta = timedelta(hours=1)
    issued: int = 0
    signed: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)

    def credentials(self) -> dict[str, str]:
        self.issued += 1
        until = (datetime.now(UTC) + self.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        number = str(self.issued)
        return {
            "AccessKeyId": f"KEY{number}",
            "SecretAccessKey": "secret",
            "Token": f"session-{number}",
            "Expiration": until,
        }

    def environment(self, token: str = SECRET) -> Environment:
        values = {
            "MODELS_URL": "s3://models",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.url}/2021-04-23/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": token,
        }
        return Environment(values, store_options={**store_options(values), "region": "eu-west-1"})


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    def without_tls(bucket: str, *, client_options: ClientConfig, **options: Any) -> S3Store:
        return S3Store(bucket, client_options={**client_options, "allow_http": True}, **options)

    monkeypatch.setattr(store_url, "S3Store", without_tls)
    cloud = Cloud()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            authorization = self.headers.get("Authorization", "")
            if self.path.endswith("/credentials"):
                allowed = authorization == SECRET
                self.reply(200 if allowed else 403, json.dumps(cloud.credentials() if allowed else {}).encode())
                return
            cloud.signed.append(authorization)
            cloud.sessions.append(self.headers.get("x-amz-security-token", ""))
            cloud.connections.append(self.client_address[1])
            self.reply(200, b"an object")

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("etag", '"1"')
            self.send_header("last-modified", "Tue, 24 Nov 2026 00:00:00 GMT")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cloud.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_requests_are_signed_with_the_credentials_of_the_moment(cloud: Cloud) -> None:
    assert cloud.environment().store("MODELS_URL").get("a/key") == b"an object"
    assert cloud.signed[0].startswith("AWS4-HMAC-SHA256 Credential=KEY1/")
    assert cloud.sessions == ["session-1"]


def test_credentials_are_asked_for_again_once_they_have_run_out_and_not_before(cloud: Cloud) -> None:
    store = cloud.environment().store("MODELS_URL")
    store.get("a")
    store.get("b")
    assert cloud.sessions == ["session-1", "session-1"]
    cloud.lifetime = timedelta(seconds=-1)
    renewed = cloud.environment().store("MODELS_URL")
    renewed.get("a")
    renewed.get("b")
    assert cloud.sessions[2:] == ["session-2", "session-3"]


def test_after_a_snapshot_neither_connection_nor_credentials_are_used_again(cloud: Cloud) -> None:
    environment = cloud.environment()
    store = environment.store("MODELS_URL")
    store.get("a")
    store.get("b")
    assert cloud.connections[0] == cloud.connections[1]
    environment.renew()
    store.get("c")
    assert cloud.connections[2] != cloud.connections[1]
    assert cloud.sessions == ["session-1", "session-1", "session-2"]


def test_a_refusal_is_an_error_that_does_not_show_the_token(cloud: Cloud) -> None:
    with pytest.raises(Exception, match="no credentials: HTTP 403") as refused:
        cloud.environment(token="wrong-secret").store("MODELS_URL", patience_seconds=1).get("a")
    assert "wrong-secret" not in str(refused.value)


def test_any_other_copy_reads_the_variables_of_every_function() -> None:
    assert store_options({}) == {"virtual_hosted_style_request": True}
    assert "credential_provider" not in store_options({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/x"})
