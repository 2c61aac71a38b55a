"""Stacks on GCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.clouds import Account, Way
    from sml.tune.trial import Trials

SCHEME = "gs"
"""Of the URLs of its stores."""
TELEMETRY = {"provider": "gcp", "platform": "gcp_cloud_run", "messaging": "gcp_pubsub"}
"""What OpenTelemetry calls them."""
ONE_CALLER = True
"""Whether all whom an API with `auth: iam` knows are one caller to it. All sign as one account of the stack, and the
gateway sees no more."""


def open_account(way: Way | None) -> Account:
    """Return the account that the environment has a way into, or the embedded cloud that `way` leads to."""
    from sml.gcp import account  # noqa: PLC0415 - its client takes long to import

    return account.Account(way)


def open_trials(outputs: Mapping[str, Any], function: str, way: Way | None) -> Trials:
    """Return the copies of a Cloud Run function."""
    from sml.gcp.trials import Trials  # noqa: PLC0415 - as above

    return Trials(function, str(outputs["workflow"]).partition("/workflows/")[0], way)


def write_permission(url: str, key: str) -> str:
    """Return the permissions to write an object of a bucket, and on what."""
    bucket = url.partition("://")[2].rstrip("/")
    return f"storage.objects.create or storage.objects.delete on projects/_/buckets/{bucket}/objects/{key}"


def region_of(outputs: Mapping[str, Any]) -> str:
    """Return the region of a stack, by the name of its workflow."""
    return str(outputs["workflow"]).split("/")[3]
