"""IAM conditions of two forms, which are the part of CEL that the program uses:

    resource.name.startsWith("projects/_/buckets/b/objects/prefix")
    api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("prefix")

or any number of these, joined by `||`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

NAME = re.compile(r'resource\.name\.startsWith\("([^"\\]*)"\)')
LISTED = re.compile(r'api\.getAttribute\("storage\.googleapis\.com/objectListPrefix", ""\)\.startsWith\("([^"\\]*)"\)')


@dataclass(frozen=True, kw_only=True)
class RequestAttributes:
    """The attributes of a request that a condition may read."""

    name: str
    """The resource's name: `projects/_/buckets/b/objects/key`, or the bucket's when it is listed."""
    list_prefix: str = ""
    """The prefix of a list request."""


Condition = Callable[[RequestAttributes], bool]


def condition(expression: str) -> Condition:
    """Parse an expression. Raises `ValueError` for one of another form."""
    clauses = [_clause(part.strip()) for part in expression.split("||")]
    return lambda attributes: any(clause(attributes) for clause in clauses)


def _clause(text: str) -> Condition:
    if match := NAME.fullmatch(text):
        return lambda attributes, start=match[1]: attributes.name.startswith(start)
    if match := LISTED.fullmatch(text):
        return lambda attributes, start=match[1]: attributes.list_prefix.startswith(start)
    raise ValueError(
        f"the condition {text!r} cannot be evaluated here; accepted: resource.name.startsWith(...) and"
        ' api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith(...), joined by ||'
    )
