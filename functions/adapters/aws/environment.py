"""The environment of a Lambda function: nothing else reads it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from functools import cache, partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.runtime import spans
from functions.core.runtime.environment import Environment
from functions.core.runtime.usage import since_start
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obstore.store import S3Credential

Composed = TypeVar("Composed")
_XRAY = os.environ.get(variables.XRAY) == "yes"
"""Whether X-Ray keeps traces of this function."""
_loaded = 0.0
"""The seconds until this copy's code was imported, if they are billed."""
CREDENTIALS, TOKEN = "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN"
"""The variables that lead a function with snapshots to its credentials, in place of those of any other function:
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials. The stores' client uses the
first only together with a file that holds the second."""


def composed(entry: Callable[[Environment], Composed], span: spans.Span | None = None) -> Composed:
    """Return what the entry composes from this function's environment, once in each copy of the function.

    `span` is the work for which it is wanted, if that is known already.
    """
    spans.enter(span)
    try:
        return _composed(entry)[0]
    except BaseException:
        spans.enter(None)
        raise


def environment_of(entry: Callable[[Environment], Any]) -> Environment:
    """Return the environment that the entry composed it from."""
    return _composed(entry)[1]


@cache
def _composed(entry: Callable[[Environment], Any]) -> tuple[Any, Environment]:
    began = perf_counter()
    traced = traced_fields if _XRAY else None
    environment = Environment(os.environ, store_options=store_options(os.environ), metrics=_metrics, traced=traced)
    work = entry(environment)
    seconds = _loaded + perf_counter() - began
    if environment.metering is not None:
        environment.metering.started(seconds)
    if _loaded:
        spans.started(seconds)
        environment.log().info("started", ms=round(seconds * 1000, 1))
    return work, environment


def loaded() -> None:
    """Note that the function's code is imported. A start that no request waits for is not billed as one's own.

    Those are the starts of provisioned copies and of snapshots.
    """
    global _loaded  # noqa: PLW0603 - once in each copy
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand":
        _loaded = since_start()


def _metrics(dimensions: Mapping[str, str]) -> dict[str, Any]:
    from functions.core.runtime.embedded_metrics import embedded  # noqa: PLC0415 - no answer waits for it

    return embedded(dimensions, os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "none"))


def cloud_trace(header: str) -> tuple[str, str]:
    """Return the id of X-Ray's trace as W3C writes one, and as X-Ray does where it keeps the trace; empty for none.

    `header` is `Root=1-<8 digits>-<24 digits>;...;Sampled=1`:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    at = header.find("Root=1-") + 5
    root = header[at : at + 35] if at > 4 else ""
    trace_id = root[2:10] + root[11:]
    if len(trace_id) != 32 or trace_id.strip("0123456789abcdef"):
        return "", ""
    return trace_id, root if "Sampled=1" in header else ""


def called() -> tuple[str, str]:
    """Return the same of the call that is under way, which Lambda tells by a variable; empty without X-Ray."""
    return cloud_trace(os.environ.get("_X_AMZN_TRACE_ID", "")) if _XRAY else ("", "")


def traced_fields(span: spans.Span) -> dict[str, Any]:
    """Return the field by which CloudWatch and X-Ray find the lines of a trace."""
    return {"xray_trace_id": span.cloud_id} if span.cloud_id else {}


def store_options(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the options that stores are opened with.

    The client itself reads region and credentials from AWS's own variables, except in a copy that comes
    from a snapshot.
    """
    endpoint = values.get("AWS_ENDPOINT_URL")
    # A bucket has its own host name on S3; at another endpoint only paths tell buckets apart.
    options: dict[str, Any] = {"virtual_hosted_style_request": False, "endpoint": endpoint} if endpoint else {}
    if values.get(CREDENTIALS) and values.get(TOKEN):
        options["credential_provider"] = partial(_credentials, values[CREDENTIALS], values[TOKEN])
    return {"virtual_hosted_style_request": True, **options}


def _credentials(url: str, token: str) -> S3Credential:
    """Fetch the current credentials: those in a snapshot would have expired when it is used.

    Raise `OSError` for an answer other than 200.
    """
    import http.client  # noqa: PLC0415 - 40 ms that no other copy needs to pay
    from urllib.parse import urlsplit  # noqa: PLC0415

    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=2)
    try:
        connection.request("GET", parts.path, headers={"Authorization": token})
        response = connection.getresponse()
        credentials = json.loads(response.read())
        if response.status != 200:
            raise OSError(f"no credentials: HTTP {response.status}")
    finally:
        connection.close()
    return {
        "access_key_id": credentials["AccessKeyId"],
        "secret_access_key": credentials["SecretAccessKey"],
        "token": credentials["Token"],
        "expires_at": datetime.fromisoformat(credentials["Expiration"]),
    }
