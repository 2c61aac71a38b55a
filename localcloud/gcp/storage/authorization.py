"""Checks the permissions of a request before it is executed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from localcloud.support.http_server import Request


class Authorize(Protocol):
    """Decides whether a caller may access an object."""

    def __call__(self, token: str | None, verb: str, bucket: str, key: str, /) -> bool:
        """Return whether the caller with a bearer token (None: an anonymous one) has a permission.

        `verb` is the last part of a permission on objects: get, list, create, delete; for
        `list`, `key` is the prefix. `admin` stands for every other operation.
        """
        ...


Finalized = Callable[[str, str, int, int], None]
"""Takes the bucket, key, generation and size in bytes of an object that has just been written."""
Need = tuple[str, str, str]
"""A verb, a bucket and a key."""


def refusal(authorize: Authorize, request: Request, *needs: Need) -> int | None:
    """Return 401 for an anonymous caller and 403 for another one who lacks a permission, or None if all are there."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    if all(authorize(bearer, *need) for need in needs):
        return None
    return 401 if bearer is None else 403
