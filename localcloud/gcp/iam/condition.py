"""The IAM conditions of the program: a small part of CEL, and nothing beyond it.

    resource.name.startsWith("projects/_/buckets/b/objects/prefix")
    api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith("prefix")

any number of them, joined by `||`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

NAME = re.compile(r'resource\.name\.startsWith\("([^"\\]*)"\)')
LISTED = re.compile(r'api\.getAttribute\("storage\.googleapis\.com/objectListPrefix", ""\)\.startsWith\("([^"\\]*)"\)')


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a condition may look at."""

    name: str
    """Of the resource: `projects/_/buckets/b/objects/key`, or the bucket's own when it is listed."""
    list_prefix: str = ""


Condition = Callable[[Asked], bool]


def condition(expression: str) -> Condition:
    """What the expression says. Raises `ValueError` for one of another shape."""
    clauses = [_clause(part.strip()) for part in expression.split("||")]
    return lambda asked: any(clause(asked) for clause in clauses)


def _clause(text: str) -> Condition:
    if found := NAME.fullmatch(text):
        return lambda asked, start=found[1]: asked.name.startswith(start)
    if found := LISTED.fullmatch(text):
        return lambda asked, start=found[1]: asked.list_prefix.startswith(start)
    raise ValueError(
        f"the condition {text!r} cannot be evaluated here; accepted: resource.name.startsWith(...) and"
        ' api.getAttribute("storage.googleapis.com/objectListPrefix", "").startsWith(...), joined by ||'
    )
