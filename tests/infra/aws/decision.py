"""What IAM decides: an Allow lets pass what no Deny refuses.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from tests.infra.aws import whole as w


def allowed(statements: Iterable[w.Statement], action: str, resource: str, prefix: str | None = None) -> bool:
    """Return whether a role may do this; `prefix` is the one that a request to list names, None where there is none.

    `*` stands for any characters, slashes too.
    """
    effects = {
        statement["Effect"]
        for statement in statements
        if action in w.listed(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in w.listed(statement["Resource"]))
        and _holds(statement, prefix)
    }
    return effects == {"Allow"}


def _holds(statement: w.Statement, prefix: str | None) -> bool:
    """Return whether a statement's condition holds. With `IfExists` it does where the request has no such key."""
    for operator, keys in statement.get("Condition", {}).items():
        if operator not in ("StringLike", "StringLikeIfExists") or set(keys) != {"s3:prefix"}:
            raise NotImplementedError(f"{operator} of {', '.join(keys)}")
        if prefix is None:
            if not operator.endswith("IfExists"):
                return False
        elif not any(fnmatchcase(prefix, pattern) for pattern in w.listed(keys["s3:prefix"])):
            return False
    return True
