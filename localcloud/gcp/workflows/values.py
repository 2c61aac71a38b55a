"""Values in a document: JSON in which a text `${...}` is an expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.gcp.workflows import expression
from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.library import functions
from localcloud.gcp.workflows.names import Names
from localcloud.gcp.workflows.steps import Evaluate

FUNCTIONS = functions({}, lambda: 0.0)
"""For their names and numbers of arguments alone."""


class Values:
    """Reads values for the steps of one routine, and tells `names` which variables they read."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def value(self, raw: Any, step: str) -> Evaluate:
        """Raises `Refused` for a text that is neither plain nor one whole expression."""
        if isinstance(raw, Mapping):
            members = {str(key): self.value(member, step) for key, member in raw.items()}
            return lambda scope: {key: member(scope) for key, member in members.items()}
        if isinstance(raw, list):
            listed = [self.value(member, step) for member in raw]
            return lambda scope: [member(scope) for member in listed]
        if raw is not None and not isinstance(raw, (str, int, float)):
            raise Refused(f"{step}: {raw!r} is a {type(raw).__name__}; put it in quotes")
        if isinstance(raw, str) and "${" in raw:
            return self.expression(raw, step)
        return lambda _: raw

    def expression(self, raw: Any, step: str) -> Evaluate:
        """A text that must be an expression."""
        text = raw.strip() if isinstance(raw, str) else ""
        if not (text.startswith("${") and text.endswith("}")):
            raise Refused(f'{step}: {raw!r}: accepted: one expression as the whole text, as in ${{"a" + b}}')
        return self._parsed(text[2:-1], step)

    def target(self, raw: str, step: str) -> tuple[str, tuple[Evaluate, ...]]:
        """The left side of an assignment: a variable, and the keys below it."""
        name, keys = raw.strip(), ()
        for at, mark in enumerate(name):
            if mark in ".[":
                name, keys = name[:at], self._keys(name[at:], step)
                break
        if not name.isidentifier():
            raise Refused(f"{step}: {raw!r} is not a variable's name")
        return name, keys

    def _keys(self, path: str, step: str) -> tuple[Evaluate, ...]:
        found: list[Evaluate] = []
        while path:
            if path.startswith("["):
                inner, closed, path = _bracketed(path)
                if not closed:
                    raise Refused(f"{step}: {path!r}: ] is missing")
                found.append(self._parsed(inner, step))
            else:
                key = path[1:].replace("[", ".").split(".", maxsplit=1)[0]
                if not path.startswith(".") or not key.isidentifier():
                    raise Refused(f"{step}: {path!r} is not a member of a variable")
                path = path[1 + len(key) :]
                found.append(lambda _, key=key: key)
        return tuple(found)

    def _parsed(self, text: str, step: str) -> Evaluate:
        try:
            found = expression.parse(text, FUNCTIONS)
        except ValueError as problem:
            raise Refused(f"{step}: {problem}") from None
        self._names.read(found.names, step)
        return found.evaluate


def _bracketed(path: str) -> tuple[str, bool, str]:
    """What stands in the first pair of brackets, whether it ends, and what follows."""
    depth, quoted = 0, ""
    for at, mark in enumerate(path):
        if quoted:
            quoted = "" if mark == quoted else quoted
        elif mark in "\"'":
            quoted = mark
        elif mark in "[]":
            depth += 1 if mark == "[" else -1
            if depth == 0:
                return path[1:at], True, path[at + 1 :]
    return path, False, path
