"""Requests to AWS's own interfaces, as the function's role: signed by Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. The runtime's boto3 takes a
second to import, is in no archive, and is not in the embedded cloud.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from functions.core.stopping.exchange import exchange

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Credentials:
    key: str
    secret: str
    token: str = ""


class Aws:
    """The interfaces that take and return JSON."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def ask(
        self, service: str, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> dict[str, Any]:
        """Return the answer to a request. Raise as `exchange` does."""
        region = self._environment.text("AWS_REGION")
        suffix = ".cn" if region.startswith("cn-") else ""
        endpoint = self._environment.optional("AWS_ENDPOINT_URL") or f"https://{service}.{region}.amazonaws.com{suffix}"
        parts = urlsplit(endpoint)
        content = b"" if body is None else json.dumps(body).encode()
        # The credentials of a role change while a copy lives.
        credentials = Credentials(
            key=self._environment.text("AWS_ACCESS_KEY_ID"),
            secret=self._environment.text("AWS_SECRET_ACCESS_KEY"),
            token=self._environment.optional("AWS_SESSION_TOKEN") or "",
        )
        target = f"{path}?{urlencode(sorted(query.items()), quote_via=quote)}" if query else path
        headers = signed(
            credentials,
            f"{service}/{region}",
            method,
            f"{parts.scheme}://{parts.netloc}{target}",
            content,
            datetime.now(UTC),
        )
        return exchange(parts, method, target, content, headers)


def signed(
    credentials: Credentials, scope: str, method: str, url: str, content: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers of a request with a JSON body to a `scope`, a service and its region: `lambda/eu-west-1`.

    The query of `url` is sorted and encoded already.
    """
    service, _, region = scope.partition("/")
    parts, stamp = urlsplit(url), now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": "application/json",
        "host": parts.netloc,
        "x-amz-date": stamp,
        **({"x-amz-security-token": credentials.token} if credentials.token else {}),
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    # Every service but S3 has the path encoded twice: once in the request, and once more here.
    path, digest = quote(parts.path, safe="/-_.~"), hashlib.sha256(content).hexdigest()
    request = "\n".join((method, path, parts.query, lines, names, digest))
    place = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", stamp, place, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    proof = f"Credential={credentials.key}/{place}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {proof}"}
