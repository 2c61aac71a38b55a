"""Stacks on AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.clouds import Account, Way
    from sml.tune.trial import Trials

SCHEME = "s3"
"""Of the URLs of its stores."""
TELEMETRY = {"provider": "aws", "platform": "aws_lambda", "messaging": "aws_sqs"}
"""What OpenTelemetry calls them."""
ONE_CALLER = False
"""Whether all whom an API with `auth: iam` knows are one caller to it. Each signs with an identity of its own."""


def open_account(way: Way | None) -> Account:
    """Return the account that the environment has a way into, or the embedded cloud that `way` leads to."""
    from sml.aws import account  # noqa: PLC0415 - its client takes long to import

    return account.Account(way)


def open_trials(outputs: Mapping[str, Any], function: str, way: Way | None) -> Trials:
    """Return the copies of a Lambda function."""
    from sml.aws.trials import Trials  # noqa: PLC0415 - as above

    return Trials(function, region_of(outputs), way)


def write_permission(url: str, key: str) -> str:
    """Return the permission to write an object of a bucket, and on what."""
    return f"s3:PutObject on arn:aws:s3:::{url.partition('://')[2].rstrip('/')}/{key}"


def region_of(outputs: Mapping[str, Any]) -> str:
    """Return the region of a stack, by the ARN of its workflow."""
    return str(outputs["workflow"]).split(":")[3]
