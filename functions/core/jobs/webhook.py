"""Tell whoever runs a stack's clients that a job has ended, by one signed request to one URL.

The form is that of Standard Webhooks, which libraries in many languages check:
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from functions.core.runtime import spans
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Send = Callable[[str, Mapping[str, str], bytes], int]

SECONDS = 10.0
"""How long a receiver may take to answer."""
SECRET = "whsec_"  # noqa: S105 - how secrets of Standard Webhooks begin


class Webhook:
    """One receiver of events, and the secret that it checks them by."""

    def __init__(
        self, url: str, secret: str, *, send: Send | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """`secret` is `whsec_` and Base64, or any text. `send(url, headers, body)` returns the status of the answer."""
        self._url = url
        self._key = _key(secret)
        self._send = send or _post
        self._clock = clock

    def tell(self, identity: str, kind: str, data: Mapping[str, Any]) -> None:
        """Send one event. Its `identity` is the same whenever it is sent again.

        Raises `OSError` where it is not received: nobody answers, or with another status than 2xx.
        """
        now = self._clock()
        moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        body = canonical({"type": kind, "timestamp": moment, "data": data})
        signed = b".".join([identity.encode(), str(int(now)).encode(), body])
        signature = base64.b64encode(hmac.digest(self._key, signed, hashlib.sha256)).decode()
        headers = {
            "content-type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": f"v1,{signature}",
        }
        if (span := spans.current()) is not None:
            headers |= span.carrier()
        try:
            status = self._send(self._url, headers, body)
        except http.client.HTTPException as problem:
            raise OSError(f"the webhook does not answer as HTTP does: {type(problem).__name__}") from None
        if not 200 <= status < 300:
            raise OSError(f"the webhook answered {status}; accepted: 2xx")


def _key(secret: str) -> bytes:
    if secret.startswith(SECRET):
        try:
            return base64.b64decode(secret.removeprefix(SECRET), validate=True)
        except ValueError:
            pass
    return secret.encode()


def _post(url: str, headers: Mapping[str, str], body: bytes) -> int:
    """Send a request, and return the status of its answer. No redirect is followed: a signature is for one place."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=SECONDS)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()
