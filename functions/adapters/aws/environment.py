"""What a Lambda function is told by its environment: the only reader of it."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Made = TypeVar("Made")


def composed(entry: Callable[[Environment], Made]) -> Made:
    """What the entry makes of this function's variables, made once in each copy of the function."""
    return _composed(entry)


@cache
def _composed(entry: Callable[[Environment], Any]) -> Any:
    return entry(Environment(os.environ, store_options=store_options(os.environ)))


def store_options(values: Mapping[str, str]) -> dict[str, Any]:
    """How stores are reached. Region and credentials are AWS's own variables, which the client reads itself."""
    endpoint = values.get("AWS_ENDPOINT_URL")
    if not endpoint:
        return {"virtual_hosted_style_request": True}
    # A bucket has its own host name on S3; at another endpoint only paths tell buckets apart.
    return {"virtual_hosted_style_request": False, "endpoint": endpoint}
