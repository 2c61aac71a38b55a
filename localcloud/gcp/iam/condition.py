"""IAM conditions, in the part of CEL that the program uses:

    resource.name.startsWith("projects/_/buckets/b/objects/prefix")
    resource.type == "storage.googleapis.com/Bucket"
    api.getAttribute("storage.googleapis.com/objectListPrefix", "default").startsWith("prefix")

joined by `||`, `&&` and parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

OPERATORS = 12
"""The most logical operators in a condition: https://cloud.google.com/iam/docs/conditions-overview"""
TEXT = r'"([^"\\]*)"'
NAME = re.compile(rf"resource\.name\.startsWith\({TEXT}\)")
TYPE = re.compile(rf"resource\.type == {TEXT}")
LISTED = re.compile(rf'api\.getAttribute\("storage\.googleapis\.com/objectListPrefix", {TEXT}\)\.startsWith\({TEXT}\)')


@dataclass(frozen=True, kw_only=True)
class RequestAttributes:
    """The attributes of a request that a condition may read."""

    name: str
    """The resource's name: `projects/_/buckets/b/objects/key`, or the bucket's when it is listed."""
    list_prefix: str | None = None
    """The prefix of a list request; None for any other request, which has no such attribute."""

    @property
    def type(self) -> str:
        """The resource's type: https://cloud.google.com/iam/docs/conditions-resource-attributes#resource-type."""
        return f"storage.googleapis.com/{'Object' if '/objects/' in self.name else 'Bucket'}"


Condition = Callable[[RequestAttributes], bool]


def condition(expression: str) -> Condition:
    """Parse an expression. Raises `ValueError` for one that uses more of CEL, or too many operators."""
    if len(re.findall(r"\|\||&&", expression)) > OPERATORS:
        raise ValueError(f"the condition {expression!r} has too many logical operators; accepted: {OPERATORS}")
    parser = _Parser(expression)
    result = parser.any()
    if parser.rest:
        raise parser.refusal()
    return result


class _Parser:
    """A recursive-descent parser; `rest` is what was not read yet."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self.rest = expression.strip()

    def any(self) -> Condition:
        """Read clauses that are joined by `||`."""
        clauses = [self._all()]
        while self._take("||"):
            clauses.append(self._all())
        return lambda attributes: any(clause(attributes) for clause in clauses)

    def _all(self) -> Condition:
        clauses = [self._clause()]
        while self._take("&&"):
            clauses.append(self._clause())
        return lambda attributes: all(clause(attributes) for clause in clauses)

    def _clause(self) -> Condition:
        if self._take("("):
            inner = self.any()
            if not self._take(")"):
                raise self.refusal()
            return inner
        if match := self._match(NAME):
            return lambda attributes, start=match[1]: attributes.name.startswith(start)
        if match := self._match(TYPE):
            return lambda attributes, kind=match[1]: attributes.type == kind
        if match := self._match(LISTED):
            return lambda attributes, default=match[1], start=match[2]: (
                default if attributes.list_prefix is None else attributes.list_prefix
            ).startswith(start)
        raise self.refusal()

    def _take(self, mark: str) -> bool:
        if taken := self.rest.startswith(mark):
            self.rest = self.rest[len(mark) :].lstrip()
        return taken

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if match := pattern.match(self.rest):
            self.rest = self.rest[match.end() :].lstrip()
        return match

    def refusal(self) -> ValueError:
        """Return the exception that says what is accepted."""
        listed = 'api.getAttribute("storage.googleapis.com/objectListPrefix", ...).startsWith(...)'
        return ValueError(
            f"the condition {self._expression!r} cannot be evaluated here; accepted: resource.name.startsWith(...),"
            f" resource.type == ... and {listed}, joined by ||, && and parentheses"
        )
