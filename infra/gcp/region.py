"""The region of everything in the stack."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp


def region() -> str:
    """The provider's own `gcp:region`, or what its environment variables say.

    Buckets, functions and gateways have no default of their own: each needs to be told.
    Raises `pulumi.RunError` that names the file and the line to write.
    """
    found = gcp.config.region
    if not found:
        raise pulumi.RunError(
            f"Pulumi.{pulumi.get_stack()}.yaml: gcp:region is missing; any region of Cloud Run functions is accepted."
            " Write, for example:\nconfig:\n  gcp:region: europe-west1"
        )
    return found
