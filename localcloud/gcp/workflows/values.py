"""The values in a document: JSON in which a text `${...}` is an expression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localcloud.gcp.workflows import expression
from localcloud.gcp.workflows.errors import Refused
from localcloud.gcp.workflows.library import functions
from localcloud.gcp.workflows.names import Names
from localcloud.gcp.workflows.steps import Evaluate

FUNCTIONS = functions({}, lambda: 0.0)
"""The known functions, used only for their names and numbers of arguments."""


class Values:
    """Parses values for the steps of one routine, and records in `names` which variables they read."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def value(self, raw: Any, step: str) -> Evaluate:
        """Parse a value. Raises `Refused` for a text that is neither plain nor one whole expression."""
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
        """Parse a text that must be an expression. Raises `Refused`."""
        text = raw.strip() if isinstance(raw, str) else ""
        if not (text.startswith("${") and text.endswith("}")):
            raise Refused(f'{step}: {raw!r}: accepted: one expression as the whole text, as in ${{"a" + b}}')
        return self._parsed(text[2:-1], step)

    def target(self, raw: str, step: str) -> tuple[str, tuple[Evaluate, ...]]:
        """Parse the left side of an assignment: return the variable, and the keys below it. Raises `Refused`."""
        name, keys = raw.strip(), ()
        for at, mark in enumerate(name):
            if mark in ".[":
                name, keys = name[:at], self._keys(name[at:], step)
                break
        if not name.isidentifier():
            raise Refused(f"{step}: {raw!r} is not a variable's name")
        return name, keys

    def _keys(self, path: str, step: str) -> tuple[Evaluate, ...]:
        keys: list[Evaluate] = []
        while path:
            if path.startswith("["):
                inner, closed, path = _bracketed(path)
                if not closed:
                    raise Refused(f"{step}: {path!r}: ] is missing")
                keys.append(self._parsed(inner, step))
            else:
                key = path[1:].replace("[", ".").split(".", maxsplit=1)[0]
                if not path.startswith(".") or not key.isidentifier():
                    raise Refused(f"{step}: {path!r} is not a member of a variable")
                path = path[1 + len(key) :]
                keys.append(lambda _, key=key: key)
        return tuple(keys)

    def _parsed(self, text: str, step: str) -> Evaluate:
        try:
            parsed = expression.parse(text, FUNCTIONS)
        except ValueError as problem:
            raise Refused(f"{step}: {problem}") from None
        self._names.read(parsed.names, step)
        return parsed.evaluate


def _bracketed(path: str) -> tuple[str, bool, str]:
    """Return the text in the first pair of brackets, whether the pair is closed, and the text after it."""
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
