"""Whether the embedded AWS still has a resource, asked of its own API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws.session import Session
from localcloud.engine.resource_handler import Exists, Resource

GONE = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NotFoundException",
        "OwnershipControlsNotFoundError",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "StateMachineDoesNotExist",
    }
)
"""The codes of errors that say that there is no such thing."""

Argument = Callable[[Resource], Any]


def identity(resource: Resource) -> str:
    """Return the resource's id, as an argument of `asks`."""
    return resource.id


def of(key: str) -> Argument:
    """Return the argument that takes an output or an input of the resource, by its name."""
    return lambda resource: {**resource.inputs, **resource.outputs}.get(key)


def asks(
    service: str,
    operation: str,
    arguments: Mapping[str, Argument],
    has: Callable[[Mapping[str, Any], Resource], bool] | None = None,
) -> Exists:
    """Return a check that calls an operation. The resource is gone when the answer says so, or `has` of it is false.

    An argument that is None is left out. Raises what the client raises for any other error.
    """

    def exists(session: Session, resource: Resource) -> bool:
        values = {name: value(resource) for name, value in arguments.items()}
        try:
            answer = getattr(session.client(service), operation)(
                **{name: value for name, value in values.items() if value is not None}
            )
        except ClientError as problem:
            if problem.response["Error"]["Code"] in GONE or _status(problem) == 404:
                return False
            raise
        return has is None or has(answer, resource)

    return exists


def _status(problem: ClientError) -> int:
    return problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
