"""The environment of a Cloud Run function: nothing else reads it."""

from __future__ import annotations

import json
import os
from functools import cache, partial
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.runtime import spans
from functions.core.runtime.environment import Environment
from functions.core.runtime.usage import since_start
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Composed = TypeVar("Composed")
METADATA = ("GCE_METADATA_HOST", "GCE_METADATA_IP")
"""The variables that name the metadata server, which the client asks for a token. When the first does not answer, it
tries the second, too."""
ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"
"""Where that server tells of the account of a function."""
AUDIENCE = "https://storage.googleapis.com/"
NOBODY = "nobody"
"""A token that stands for no account."""
_ONCE = Lock()
_loaded = 0.0
"""The seconds until this instance's code was imported."""


def composed(entry: Callable[[Environment], Composed], span: spans.Span | None = None) -> Composed:
    """Return what the entry composes from this function's environment, once in each copy of the function.

    `span` is the work for which it is wanted, if that is known already.
    """
    spans.enter(span)
    try:
        with _ONCE:
            return _composed(entry)
    except BaseException:
        spans.enter(None)
        raise


@cache
def _composed(entry: Callable[[Environment], Any]) -> Any:
    began = perf_counter()
    environment = Environment(
        os.environ,
        store_options=store_options(os.environ),
        token=partial(token, os.environ),
        log_level_name="severity",
        traced=partial(traced_fields, os.environ.get(variables.PROJECT, "")),
    )
    work = entry(environment)
    seconds = _loaded + perf_counter() - began
    if environment.metering is not None:
        environment.metering.started(seconds)
    spans.started(seconds)
    environment.log().info("started", ms=round(seconds * 1000, 1))
    return work


def loaded() -> None:
    """Note that the function's code is imported: the start of an instance is billed, whoever waits for it."""
    global _loaded  # noqa: PLW0603 - once in each instance
    _loaded = since_start()


def traced_fields(project: str, span: spans.Span) -> dict[str, Any]:
    """Return the fields by which Cloud Logging and Cloud Trace find the lines of a trace.

    https://cloud.google.com/logging/docs/structured-logging#special-payload-fields
    """
    if not project:
        return {}
    return {
        "logging.googleapis.com/trace": f"projects/{project}/traces/{span.trace_id}",
        "logging.googleapis.com/spanId": span.span_id,
        "logging.googleapis.com/trace_sampled": span.is_sampled,
    }


def token(values: Mapping[str, str]) -> str:
    """Return a token of the function's own service account. Raise `OSError` where the metadata server gives none."""
    import http.client  # noqa: PLC0415 - 40 ms that hardly any copy needs to pay

    connection = http.client.HTTPConnection(values.get(METADATA[0]) or "metadata.google.internal", timeout=5)
    try:
        connection.request("GET", f"{ACCOUNT}/token?audience={AUDIENCE}", headers={"Metadata-Flavor": "Google"})
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise OSError(f"no token: HTTP {response.status}")
    finally:
        connection.close()
    return str(json.loads(content)["access_token"])


def store_options(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the options that stores are opened with: as the function's own service account, by a token.

    The metadata server gives the token. `STORAGE_EMULATOR_HOST` names another Cloud Storage: there a
    token is asked for only where the metadata server is another one, too, since its well-known
    addresses are not on this machine.
    """
    emulator = values.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return {}
    options = {"base_url": emulator if "://" in emulator else f"http://{emulator}"}
    # `skip_signature` does not help: the client obeys it when it reads, not when it writes.
    return options if all(values.get(name) for name in METADATA) else {**options, "bearer_token": NOBODY}
