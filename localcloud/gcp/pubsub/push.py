"""Push requests over HTTP."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from localcloud.support.ports import LOOPBACK

ACKNOWLEDGED = frozenset({102, 200, 201, 202, 204})
"""https://cloud.google.com/pubsub/docs/push#receive_push: any other status makes Pub/Sub deliver it again."""
Send = Callable[[str, Mapping[str, str], bytes, float], int]
"""Takes a URL, headers, a body and seconds; POSTs the body and returns the status.

Raises `OSError` or `http.client.HTTPException` when there is no response in time.
"""


def post(url: str, headers: Mapping[str, str], body: bytes, seconds: float) -> int:
    """POST to this machine over plain HTTP and return the status. Raises `OSError` for any other URL."""
    target = urlsplit(url)
    if target.scheme != "http" or target.hostname != LOOPBACK:
        raise OSError(f"{url} is not on this machine: an embedded cloud sends to http://{LOOPBACK} alone")
    connection = http.client.HTTPConnection(LOOPBACK, target.port, timeout=seconds)
    try:
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()
