"""What the text of a question names: tables, and their columns, by the tree that DuckDB makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interface.tables import BY_NAME
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Node = dict[str, Any]

WHOLE = frozenset({"STAR", "SHOW_REF", "PIVOT"})
"""The types of what takes all columns there are."""
LIST_OF_TABLES = "SHOW_SPECIAL"
"""How `show tables` and `describe` of nothing are shown: before a table is filled, there is none to show."""
PLAIN_JOIN = "REGULAR"


@dataclass(frozen=True, kw_only=True)
class Needed:
    """What a question is asked of."""

    tables: Sequence[str]
    columns: frozenset[str] | None
    """The names that may be those of columns, in small letters; None where it may ask for all."""

    def may_ask(self, *names: str) -> bool:
        """Return whether it may ask for one of some columns."""
        return self.columns is None or not self.columns.isdisjoint(names)


def needed(tree: object) -> Needed:
    """Return what a question is asked of. Raise `Mistake` for a table that there is not."""
    nodes = list(_nodes(tree))
    own = {one["key"].lower() for node in nodes for one in node.get("cte_map", {}).get("map", ())}
    tables = [node for node in nodes if node.get("type") == "BASE_TABLE" and node.get("schema_name") in {"", "main"}]
    named = {str(node["table_name"]).lower() for node in tables}
    if any(node.get("show_type") == LIST_OF_TABLES and node.get("query") is None for node in nodes):
        raise Mistake(f"--tables lists the tables and their columns; there are: {', '.join(BY_NAME)}")
    unknown = sorted(named - own - set(BY_NAME))
    if unknown:
        raise Mistake(f"there is no table {unknown[0][:60]}; there are: {', '.join(BY_NAME)}")
    known = [table for table in BY_NAME if table in named]
    return Needed(tables=known, columns=None if _takes_all(nodes, tables) else frozenset(_names(nodes)))


def _takes_all(nodes: Sequence[Node], tables: Sequence[Node]) -> bool:
    rows = {str(table[name]).lower() for table in tables for name in ("table_name", "alias")}
    for node in nodes:
        names = node.get("column_names") if node.get("type") == "COLUMN_REF" else None
        # The name of a table in the place of a column is a whole row.
        if names and len(names) == 1 and names[0].lower() in rows:
            return True
        if node.get("type") in WHOLE or node.get("class") in WHOLE or node.get("column_name_alias"):
            return True
        if node.get("type") == "JOIN" and node.get("ref_type") != PLAIN_JOIN and node.get("ref_type") != "CROSS":
            return True
    return False


def _names(nodes: Sequence[Node]) -> Iterator[str]:
    for node in nodes:
        for name in (*(node.get("column_names") or ()), *(node.get("using_columns") or ())):
            yield str(name).lower()


def _nodes(tree: object) -> Iterator[Node]:
    """Yield every object of a JSON value."""
    if isinstance(tree, dict):
        yield tree
    for one in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _nodes(one)
