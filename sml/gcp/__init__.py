"""Stacks on GCP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.clouds import Cloud
    from sml.tune.trial import Trials

SCHEME = "gs"
"""Of the URLs of its stores."""


def open_account() -> Cloud:
    """Return the account that the environment has a way into."""
    from sml.gcp.account import Account  # noqa: PLC0415 - its client takes long to import

    return Account()


def open_trials(outputs: Mapping[str, Any], function: str, entrance: Mapping[str, str] | None) -> Trials:
    """Return the copies of a Cloud Run function."""
    from sml.gcp.trials import Trials  # noqa: PLC0415 - as above

    return Trials(function, str(outputs["workflow"]).partition("/workflows/")[0], entrance)


def region_of(outputs: Mapping[str, Any]) -> str:
    """Return the region of a stack, by the name of its workflow."""
    return str(outputs["workflow"]).split("/")[3]
