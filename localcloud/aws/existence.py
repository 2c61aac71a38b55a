"""Whether the embedded AWS still has a resource, and whether a policy is what it was, asked of its own API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.aws.session import Session
from localcloud.engine.resource_handler import Exists, Reads, Resource

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


def reads_policy(
    service: str, operation: str, arguments: Mapping[str, Argument], policy: Callable[[Mapping[str, Any]], Any]
) -> Reads:
    """Return a reader of the input `policy`: `policy` finds it in the answer of an operation, as text or as an object.

    Its text may have other spaces and another order of keys, and mean the same.
    """

    def reads(session: Session, resource: Resource) -> Mapping[str, Any]:
        values = {name: value(resource) for name, value in arguments.items()}
        found = policy(getattr(session.client(service), operation)(**values))
        document = json.loads(found) if isinstance(found, str) else found
        return {} if document == json.loads(resource.inputs["policy"]) else {"policy": json.dumps(document)}

    return reads


def _status(problem: ClientError) -> int:
    return problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
