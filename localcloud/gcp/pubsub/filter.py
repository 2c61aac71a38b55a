"""Message filters of subscriptions.

```
filter    = condition ("AND" condition)* | condition ("OR" condition)*
condition = ["NOT"] ("(" filter ")" | comparison)
comparison = attributes:KEY | attributes.KEY = "VALUE" | hasPrefix(attributes.KEY, "PREFIX")
```
https://cloud.google.com/pubsub/docs/subscription-message-filter. `!=` is refused: the page does
not say whether it matches a message without the attribute; `NOT` is unambiguous.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

Attributes = Mapping[str, str]
Filter = Callable[[Attributes], bool]

LONGEST = 256
"""The longest filter, in bytes."""
TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*")
      | (?P<word>[A-Za-z0-9_-]+)
      | (?P<mark>!=|[().,:=])
    )""",
    re.VERBOSE,
)


def parse(text: str) -> Filter:
    """Return a function that tells whether a message with some attributes is delivered.

    An empty filter delivers everything: `parse('attributes.kind = "a"')({"kind": "a"})` is true.
    Raises `ValueError`, which names the position, for a text that is not in the grammar above.
    """
    if len(text.encode()) > LONGEST:
        raise ValueError(f"filter: {len(text.encode())} bytes; accepted: {LONGEST}")
    if not text.strip():
        return lambda _: True
    parser = _Parser(text)
    test = parser.filter()
    if parser.kind != "end":
        parser.refuse("the end")
    return test


class _Parser:
    """A recursive-descent parser with one token of look-ahead, in `kind` and `value`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next = 0
        self._advance()

    def refuse(self, accepted: str) -> NoReturn:
        """Raise `ValueError`, with the position of the current token and what is accepted there."""
        token = self.value or "the end"
        raise ValueError(
            f"filter {self._text!r}, character {self._at + 1}: found {token}, where {accepted} is accepted"
        )

    def _advance(self) -> None:
        rest = self._text[self._next :]
        self._at = self._next + len(rest) - len(rest.lstrip())
        match = TOKEN.match(self._text, self._next)
        if match:
            self.kind, self.value = match.lastgroup or "", match[match.lastgroup or 0]
            self._next = match.end()
        elif rest.strip():
            self.kind, self.value = "unknown", rest.lstrip()[0]
        else:
            self.kind, self.value = "end", ""

    def _take(self, value: str) -> bool:
        if self.kind == "text" or self.value != value:
            return False
        self._advance()
        return True

    def _expect(self, value: str) -> None:
        if not self._take(value):
            self.refuse(value)

    def filter(self) -> Filter:
        """Parse conditions up to the end or a closing parenthesis."""
        parts = [self._condition()]
        joint = self.value if self.kind == "word" and self.value in ("AND", "OR") else ""
        while joint and self._take(joint):
            parts.append(self._condition())
        if self.kind == "word" and self.value in ("AND", "OR"):
            self.refuse(f"{joint} (AND and OR are mixed only with parentheses)")
        test = all if joint == "AND" else any
        return lambda attributes: test(part(attributes) for part in parts)

    def _condition(self) -> Filter:
        if self._take("NOT"):
            inner = self._condition()
            return lambda attributes: not inner(attributes)
        if self._take("("):
            inner = self.filter()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        if self._take("hasPrefix"):
            self._expect("(")
            self._expect("attributes")
            self._expect(".")
            key = self._key()
            self._expect(",")
            prefix = self._literal()
            self._expect(")")
            return lambda attributes: attributes.get(key, "").startswith(prefix) and key in attributes
        if not self._take("attributes"):
            self.refuse("NOT, (, attributes or hasPrefix")
        if self._take(":"):
            key = self._key()
            return lambda attributes: key in attributes
        self._expect(".")
        key = self._key()
        self._expect("=")
        value = self._literal()
        return lambda attributes: attributes.get(key) == value

    def _key(self) -> str:
        if self.kind == "text":
            return self._literal()
        if self.kind != "word":
            self.refuse("an attribute's name")
        key = self.value
        self._advance()
        return key

    def _literal(self) -> str:
        if self.kind != "text":
            self.refuse('a text in "quotes"')
        text = re.sub(r"\\(.)", r"\1", self.value[1:-1])
        self._advance()
        return text
