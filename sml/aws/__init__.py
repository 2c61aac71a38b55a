"""Stacks on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.clouds import Cloud
    from sml.tune.trial import Trials

SCHEME = "s3"
"""Of the URLs of its stores."""


def open_account() -> Cloud:
    """Return the account that the environment has a way into."""
    from sml.aws.account import Account  # noqa: PLC0415 - its client takes long to import

    return Account()


def open_trials(outputs: Mapping[str, Any], function: str, entrance: Mapping[str, str] | None) -> Trials:
    """Return the copies of a Lambda function."""
    from sml.aws.trials import Trials  # noqa: PLC0415 - as above

    return Trials(function, region_of(outputs), entrance)


def region_of(outputs: Mapping[str, Any]) -> str:
    """Return the region of a stack, by the ARN of its workflow."""
    return str(outputs["workflow"]).split(":")[3]
