"""What a Lambda function is told by its environment: the only reader of it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.runtime.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obstore.store import S3Credential

Made = TypeVar("Made")
CREDENTIALS, TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"
"""Where a function with snapshots finds credentials, in place of the variables of any other:
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials.
The client of the stores knows the first only together with a file that holds the second."""


def composed(entry: Callable[[Environment], Made]) -> Made:
    """What the entry makes of this function's variables, made once in each copy of the function."""
    return _composed(entry)[0]


def told_to(entry: Callable[[Environment], Any]) -> Environment:
    """What it was made of."""
    return _composed(entry)[1]


@cache
def _composed(entry: Callable[[Environment], Any]) -> tuple[Any, Environment]:
    told = Environment(os.environ, store_options=store_options(os.environ))
    return entry(told), told


def store_options(values: Mapping[str, str]) -> dict[str, Any]:
    """How stores are reached. Region and credentials are AWS's own variables, which the client reads itself,
    save those of a copy that comes from a snapshot."""
    endpoint = values.get("AWS_ENDPOINT_URL")
    # A bucket has its own host name on S3; at another endpoint only paths tell buckets apart.
    options: dict[str, Any] = {"virtual_hosted_style_request": False, "endpoint": endpoint} if endpoint else {}
    if values.get(CREDENTIALS) and values.get(TOKEN):
        options["credential_provider"] = partial(_credentials, values[CREDENTIALS], values[TOKEN])
    return {"virtual_hosted_style_request": True, **options}


def _credentials(url: str, token: str) -> S3Credential:
    """Those of the moment: a snapshot's own would have run out by the time it is used."""
    import http.client  # noqa: PLC0415 - 40 ms that no other copy needs to pay
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=2)
    try:
        connection.request("GET", parts.path, headers={"Authorization": token})
        response = connection.getresponse()
        found = json.loads(response.read())
        if response.status != 200:
            raise OSError(f"no credentials: HTTP {response.status}")
    finally:
        connection.close()
    return {
        "access_key_id": found["AccessKeyId"],
        "secret_access_key": found["SecretAccessKey"],
        "token": found["Token"],
        "expires_at": datetime.fromisoformat(found["Expiration"]),
    }
