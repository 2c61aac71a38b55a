"""One request to a cloud's own interface, and its answer: JSON both."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult

from functions.core.stopping.asked_part import Refused

SECONDS = 30
LONGEST_ERROR = 300


def exchange(
    endpoint: SplitResult, method: str, target: str, content: bytes, headers: Mapping[str, str]
) -> dict[str, Any]:
    """Return the answer to a request for `target`, a path with its query; an empty one where it has no body.

    Raise `Refused` for any status of 300 and above, and `OSError` where nobody answers.
    """
    kind = http.client.HTTPSConnection if endpoint.scheme == "https" else http.client.HTTPConnection
    connection = kind(endpoint.netloc, timeout=SECONDS)
    try:
        connection.request(method, target, content or None, dict(headers))
        response = connection.getresponse()
        answer = response.read()
    except http.client.HTTPException as problem:
        raise OSError(f"{endpoint.netloc} did not answer: {problem}") from None
    finally:
        connection.close()
    if response.status >= 300:
        said = " ".join(answer.decode(errors="replace").split())[:LONGEST_ERROR]
        raise Refused(f"{method} {target.partition('?')[0]}", response.status, said)
    return json.loads(answer) if answer else {}
