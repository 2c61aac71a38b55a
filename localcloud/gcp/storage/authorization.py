"""Checks the permissions of a request before it is executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from localcloud.support.http_server import Request


class Authorize(Protocol):
    """Decides whether a caller may access an object."""

    def __call__(self, token: str | None, verb: str, bucket: str, key: str | None, /) -> bool:
        """Return whether the caller with a bearer token (None: an anonymous one) has a permission.

        `verb` is the last part of a permission on objects: get, list, create, delete; for
        `list`, `key` is the prefix, or None for a request that is none to list. `admin` stands for
        every other operation.
        """
        ...


Finalized = Callable[[str, str, int, int], None]
"""Takes the bucket, key, generation and size in bytes of an object that has just been written."""
Need = tuple[str, str, str | None]
"""A verb, a bucket and a key."""


def missing(bucket: str) -> Need:
    """Return what a caller needs to be told that an object does not exist: who may not list is told 403, not 404.

    https://cloud.google.com/storage/docs/troubleshooting and https://github.com/googleapis/google-api-php-client/issues/1791
    """
    return "list", bucket, None


def refusal(authorize: Authorize, request: Request, *needs: Need) -> int | None:
    """Return 401 for an anonymous caller and 403 for another one who lacks a permission, or None if all are there."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    if all(authorize(bearer, *need) for need in needs):
        return None
    return 401 if bearer is None else 403
