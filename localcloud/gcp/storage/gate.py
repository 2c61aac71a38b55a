"""Who may do what, asked before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from localcloud.support.http_server import Request


class Authorize(Protocol):
    def __call__(self, token: str | None, verb: str, bucket: str, key: str, /) -> bool:
        """Whether whoever has the bearer token (None: nobody knows who asks) may.

        `verb` is the last part of a permission on objects: get, list, create, delete; for
        `list`, `key` is the prefix. `admin` stands for everything else.
        """
        ...


Finalized = Callable[[str, str, int, int], None]
"""Bucket, key, generation and size in bytes of an object that has just been written."""
Need = tuple[str, str, str]
"""Verb, bucket and key."""


def refusal(authorize: Authorize, request: Request, *needs: Need) -> int | None:
    """The status of a request that lacks one of its needs: 401 for nobody, 403 for somebody. None: go on."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    who = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    if all(authorize(who, *need) for need in needs):
        return None
    return 401 if who is None else 403
