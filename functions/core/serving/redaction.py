"""What captures do not keep as it came: columns that are left out, or of which a keyed digest is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, Self

from functions.core.registry.captures import REDACTED
from functions.core.runtime.digest import keyed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.serving.servable import Place, Servable

How = Literal["omit", "hash"]
_DIGITS = 16
"""Of a digest in base 16: among a billion values two have the same one in about 3 of 100 cases."""
_VERSIONS = 16
"""Whose columns are remembered."""


class Redaction:
    """Which columns are redacted, and how, whatever version has them."""

    def __init__(self, columns: Mapping[str, How], key: str = "") -> None:
        """`key` makes digests that nobody can compute who does not have it. Raise `ValueError` where one is needed."""
        if not key and "hash" in columns.values():
            raise ValueError("columns are to be hashed, and there is no key")
        self._columns = columns
        self._keyed = keyed(key.encode())
        self._known: dict[str, tuple[tuple[str, How, Place], ...]] = {}

    @classmethod
    def of(cls, columns: str | None, key: str | None) -> Self | None:
        """Return the one that a stack sets for its functions, as JSON by column; None where nothing is redacted."""
        return None if columns is None else cls(json.loads(columns), key or "")

    def apply(self, servable: Servable, contents: dict[str, Any]) -> None:
        """Redact what a capture keeps of a request that a version answered, in place."""
        known = self._known.get(servable.version)
        if known is None:
            places = servable.places()
            known = tuple((name, how, places[name]) for name, how in sorted(self._columns.items()) if name in places)
            if len(self._known) >= _VERSIONS:
                self._known.clear()
            self._known[servable.version] = known
        if not known:
            return
        inputs = contents["inputs"]
        for name, how, place in known:
            if isinstance(inputs, list):
                self._redact(name, how, place, inputs)
            else:
                self._redact_tensor(name, how, place, inputs[place.input])
        contents[REDACTED] = [name for name, _, _ in known]

    def digest(self, column: str, values: Sequence[Any]) -> str:
        """Return what is kept of a column's values in a row: the beginning of their HMAC-SHA-256 in base 16."""
        text = f"{column}\0{','.join(map(repr, values))}".encode(errors="surrogatepass")
        return self._keyed(text).hex()[:_DIGITS]

    def _redact(self, name: str, how: How, place: Place, rows: list[list[Any]]) -> None:
        """Redact a column in rows of values. A missing value stays one."""
        own = slice(place.start, place.stop)
        for row in rows:
            values = row[own]
            kept = None if how == "omit" or None in values else self.digest(name, values)
            row[own] = [kept] * len(values)
            for at in place.telling:
                row[at] = None

    def _redact_tensor(self, name: str, how: How, place: Place, tensor: dict[str, Any]) -> None:
        """Redact columns of a tensor [rows, columns], or a whole tensor, of which a digest is kept for each row."""
        if "data" not in tensor:
            return
        flat, shape = list(tensor["data"]), tensor["shape"]
        rows = shape[0] if shape else 1
        width = len(flat) // rows if rows else 0
        cut = [flat[at * width : (at + 1) * width] for at in range(rows)]
        if not place.is_whole:
            self._redact(name, how, place, cut)
            tensor["data"] = [value for row in cut for value in row]
        elif how == "hash":
            tensor["data"] = [self.digest(name, row) for row in cut]
        else:
            del tensor["data"]
