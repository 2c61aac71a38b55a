"""Expressions, `${...}`. https://cloud.google.com/workflows/docs/reference/syntax/expressions

```
or      = and ("or" and)*
and     = compare ("and" compare)*
compare = sum [("==" | "!=" | "<" | "<=" | ">" | ">=" | "in") sum]
sum     = product (("+" | "-") product)*
product = sign (("*" | "/" | "//" | "%") sign)*
sign    = "-" sign | "not" access | access
access  = atom ("." name | "[" or "]")*
atom    = number | "text" | 'text' | true | false | null | name | function(or, ...) | (or) | [or, ...]
```
The precedence of `not` is not documented: only a single value or an expression in parentheses
may follow it. Comparisons do not chain.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from localcloud.gcp.workflows import operators
from localcloud.gcp.workflows.scope import Scope

LONGEST = 400
"""The longest expression, in characters. https://cloud.google.com/workflows/quotas#resource_limit"""
Evaluate = Callable[[Scope], Any]

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<name>[A-Za-z_]\w*)
      | (?P<mark>==|!=|<=|>=|//|[-+*/%<>()\[\],.])
    )""",
    re.VERBOSE | re.DOTALL,
)
WORDS = frozenset({"and", "or", "not", "in"})
LITERALS: Mapping[str, Any] = {
    **{word: True for word in ("true", "True", "TRUE")},
    **{word: False for word in ("false", "False", "FALSE")},
    "null": None,
}
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in")


@dataclass(frozen=True, kw_only=True)
class Expression:
    """A parsed expression, and the names of the variables that it reads."""

    text: str
    names: frozenset[str]
    evaluate: Evaluate


def parse(text: str, functions: Mapping[str, Callable[..., Any]]) -> Expression:
    """Parse the text between `${` and `}`. Raises `ValueError`, with the position, for what is not in the grammar."""
    if len(text) > LONGEST:
        raise ValueError(f"an expression has {len(text)} characters; accepted: {LONGEST}")
    parser = _Parser(text, functions)
    evaluate = parser.disjunction()
    if parser.kind != "end":
        parser.refuse("the end")
    return Expression(text=text, names=frozenset(parser.names), evaluate=evaluate)


class _Parser:
    """A recursive-descent parser with one token of look-ahead, in `kind` and `value`."""

    def __init__(self, text: str, functions: Mapping[str, Callable[..., Any]]) -> None:
        self._text = text
        self._functions = functions
        self._next = 0
        self.names: set[str] = set()
        self._advance()

    def refuse(self, accepted: str) -> NoReturn:
        """Raise `ValueError`, with the position of the current token and what is accepted there."""
        token = self.value or "the end"
        raise ValueError(f"${{{self._text}}}, character {self._at + 1}: found {token}, where {accepted} is accepted")

    def _advance(self) -> None:
        rest = self._text[self._next :]
        self._at = self._next + len(rest) - len(rest.lstrip())
        match = TOKEN.match(self._text, self._next)
        if match:
            self.kind = match.lastgroup or ""
            self.value = match[self.kind]
            self.kind = "mark" if self.value in WORDS and self.kind == "name" else self.kind
            self._next = match.end()
        else:
            self.kind, self.value = ("unknown", rest.lstrip()[0]) if rest.strip() else ("end", "")

    def _take(self, *marks: str) -> str:
        if self.kind != "mark" or self.value not in marks:
            return ""
        taken = self.value
        self._advance()
        return taken

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            self.refuse(mark)

    def disjunction(self) -> Evaluate:
        """Parse a whole expression, from `or` down."""
        left = self._conjunction()
        while self._take("or"):
            left = operators.either(left, self._conjunction())
        return left

    def _conjunction(self) -> Evaluate:
        left = self._comparison()
        while self._take("and"):
            left = operators.both(left, self._comparison())
        return left

    def _comparison(self) -> Evaluate:
        left = self._binary(self._product, "+", "-")
        if mark := self._take(*COMPARISONS):
            left = operators.binary(mark, left, self._binary(self._product, "+", "-"))
            if self.kind == "mark" and self.value in COMPARISONS:
                self.refuse("and, or or the end (comparisons do not chain)")
        return left

    def _product(self) -> Evaluate:
        return self._binary(self._sign, "*", "/", "//", "%")

    def _binary(self, operand: Callable[[], Evaluate], *marks: str) -> Evaluate:
        left = operand()
        while mark := self._take(*marks):
            left = operators.binary(mark, left, operand())
        return left

    def _sign(self) -> Evaluate:
        if self._take("-"):
            return operators.negative(self._sign())
        if not self._take("not"):
            return self._access()
        inner = self._access()
        if self.kind == "mark" and self.value not in ("and", "or", ")", "]", ","):
            self.refuse("and, or or the end (put what follows not in parentheses)")
        return operators.opposite(inner)

    def _access(self) -> Evaluate:
        value = self._atom()
        while mark := self._take(".", "["):
            if mark == ".":
                if self.kind not in ("name", "mark") or not self.value.isidentifier():
                    self.refuse("a name")
                key = self.value
                self._advance()
                value = operators.member(value, lambda _, key=key: key)
            else:
                value = operators.member(value, self.disjunction())
                self._expect("]")
        return value

    def _atom(self) -> Evaluate:
        kind, value = self.kind, self.value
        if self._take("("):
            inner = self.disjunction()
            self._expect(")")
            return inner
        if self._take("["):
            return operators.listed(self._several("]"))
        if kind not in ("number", "text", "name"):
            self.refuse("a value")
        self._advance()
        if kind == "name" and value not in LITERALS:
            return self._named(value)
        try:
            literal = LITERALS[value] if kind == "name" else _literal(kind, value)
        except ValueError:
            raise ValueError(f"${{{self._text}}}: {value} has an escape that is not known") from None
        return lambda _: literal

    def _named(self, name: str) -> Evaluate:
        """Parse what follows a name: a variable, or the call of a function, whose name may have two parts."""
        dotted = re.compile(r"\s*\.\s*([A-Za-z_]\w*)\s*\(").match(self._text, self._at)
        if self.kind == "mark" and self.value == "." and dotted:
            self._advance()
            return self._call(f"{name}.{dotted[1]}")
        if self.kind == "mark" and self.value == "(":
            return self._call(name, advance=False)
        self.names.add(name)
        return lambda scope: scope.get(name)

    def _call(self, name: str, *, advance: bool = True) -> Evaluate:
        if advance:
            self._advance()
        if name not in self._functions:
            raise ValueError(
                f"${{{self._text}}}: {name} is not known here; accepted: {', '.join(sorted(self._functions))}"
            )
        self._expect("(")
        arguments = self._several(")")
        try:
            inspect.signature(self._functions[name]).bind(*arguments)
        except TypeError as problem:
            raise ValueError(f"${{{self._text}}}: {name}: {problem}") from None
        return lambda scope: scope.functions[name](*(argument(scope) for argument in arguments))

    def _several(self, end: str) -> list[Evaluate]:
        items: list[Evaluate] = []
        while not self._take(end):
            if items:
                self._expect(",")
            items.append(self.disjunction())
        return items


def _literal(kind: str, text: str) -> Any:
    if kind == "number":
        return int(text) if text.isdecimal() else float(text)
    inner = text[1:-1]
    if text[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    return json.loads(f'"{inner}"', strict=False)
