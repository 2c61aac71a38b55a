"""The tables over copied files of captures: requests, and the rows of those whose rows are captured."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from functions.core.watching.capture_file import ANSWER, PARTITIONS
from interface.column_types import Engine, type_of
from interface.tables import CAPTURES, PREDICTIONS, Column
from sml.query.engine import name, text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from interface.tables import Table
    from sml.query.answers import Answer
    from sml.query.copied import Copied
    from sml.query.syntax import Needed

FILED = {"row_count": "_rows", "champion_version": "_champion", "place": "_row"}
"""What a column of ours is called in the files, if not like ours with _ in front."""
IN_FOLDERS = ("day", "model", "version")
"""What no column of a file says."""
Shape = tuple[str, str, tuple[tuple[str, str], ...]]
"""A model, a version where that matters, and the columns of a file with their types."""


def captures_of(files: Sequence[Copied], schemas: Mapping[str, Mapping[str, str]]) -> tuple[str, dict[str, int]]:
    """Return the SELECT of the captures, and in how many files, of an older release, each column is missing."""
    lacking: dict[str, int] = defaultdict(int)
    selects = []
    for (model, _, columns), paths in _shapes(files, schemas, by_version=False).items():
        known = _placed(columns)
        for column in CAPTURES.columns:
            if column.name not in IN_FOLDERS and _filed(column) not in known:
                lacking[column.name] += len(paths)
        # A request has a line for each row that is captured of it, or one without a row.
        where = f" where {known['_row']} is null or {known['_row']} = 0" if "_row" in known else ""
        taken = _fixed(CAPTURES, model, known)
        selects.append(f"select {taken} from {_read(paths, len(columns))}{where}")  # noqa: S608 - quoted names and texts
    return " union all ".join(selects or [_empty(CAPTURES)]), dict(lacking)


def predictions_of(
    files: Sequence[Copied], schemas: Mapping[str, Mapping[str, str]], answers: Mapping[tuple[str, str], Answer]
) -> str:
    """Return the SELECT of the rows. `answers` are by model and version."""
    shapes = _shapes(files, schemas, by_version=True)
    texts = {own for _, _, columns in shapes for own, kind in columns if kind == "BYTE_ARRAY"}
    called: dict[str, str] = {}
    """What each column of a file is called in the table."""
    selects = []
    for (model, version, columns), paths in shapes.items():
        known = _placed(columns)
        if "_row" not in known:
            continue
        parts = [_fixed(PREDICTIONS, model, known, _decided(answers.get((model, version)), known))]
        for own in known:
            if (ours := _open(own)) is not None:
                shown = called.get(own) or called.setdefault(own, _unlike(ours, called.values()))
                kind = "VARCHAR" if own in texts else "DOUBLE"
                parts.append(f"cast({known[own]} as {kind}) as {name(shown)}")
        taken = ", ".join(parts)
        read = f"{_read(paths, len(columns))} where {known['_row']} is not null"
        selects.append(f"select {taken} from {read}")  # noqa: S608 - quoted
    return " union all by name ".join(selects or [_empty(PREDICTIONS)])


def _shapes(
    files: Sequence[Copied], schemas: Mapping[str, Mapping[str, str]], *, by_version: bool
) -> dict[Shape, list[str]]:
    """Return the files that can be read alike, each by its path."""
    found: dict[Shape, list[str]] = defaultdict(list)
    for one in files:
        path = str(one.path)
        found[one.model, one.version if by_version else "", tuple(schemas[path].items())].append(path)
    return found


def _filed(column: Column) -> str:
    return FILED.get(column.name, f"_{column.name}")


def may_be_read(own: str, needed: Needed) -> bool:
    """Return whether a question may come to read a column of a file."""
    if own == "_row":
        return True
    for table in (CAPTURES, PREDICTIONS):
        if table.name in needed.tables:
            ours = (column.name for column in table.columns if _filed(column) == own)
            if needed.may_ask(*ours) if table is CAPTURES else _may_be_of_rows(own, [*ours], needed):
                return True
    return False


def _may_be_of_rows(own: str, ours: Sequence[str], needed: Needed) -> bool:
    if own.startswith(ANSWER) and needed.may_ask("predicted", "predicted_number"):
        return True
    shown = _open(own)
    if shown is None:
        return bool(ours) and needed.may_ask(*ours)
    # Where another column is called alike, a number stands behind it.
    return needed.columns is None or any(each.startswith(shown) for each in needed.columns)


def _fixed(table: Table, model: str, known: Mapping[str, str], more: Mapping[str, str] | None = None) -> str:
    """Return the columns of the schema, from a file with these columns; one that it lacks is empty."""
    more = {"model": text(model), **{each: name(each) for each in ("day", "version")}, **(more or {})}
    parts = []
    for column in table.columns:
        value = more.get(column.name) or known.get(_filed(column), "null")
        parts.append(f"cast({value} as {type_of(column.kind, Engine.DUCKDB)}) as {name(column.name)}")
    return ", ".join(parts)


def _empty(table: Table) -> str:
    columns = (f"cast(null as {type_of(each.kind, Engine.DUCKDB)}) as {name(each.name)}" for each in table.columns)
    return f"select {', '.join(columns)} where false"


def _placed(columns: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return by which name each column of a file is read: by its place, as two names may be one to SQL."""
    return {own: f"c{at}" for at, (own, _) in enumerate(columns)}


def _read(paths: Sequence[str], width: int) -> str:
    listed = ", ".join(map(text, paths))
    places = ", ".join(f"c{at}" for at in range(width))
    types = "{'version': 'VARCHAR', 'day': 'DATE'}"
    return f"read_parquet([{listed}], hive_partitioning = true, hive_types = {types}) as file ({places})"


def _open(own: str) -> str | None:
    """Return what a column of a model's rows is called in the table; None for one that tells of the request."""
    if own.startswith(ANSWER):
        return f"out_{_plain(own.removeprefix(ANSWER))}"
    if not own.startswith("_"):
        return f"in_{_plain(own)}"
    kept_apart = own.startswith("__") or own.removeprefix("_") in PARTITIONS
    return f"in_{_plain(own.removeprefix('_'))}" if kept_apart else None


def _plain(own: str) -> str:
    """Return a name that needs no quotes, whatever a feature is called."""
    return re.sub(r"\W+", "_", own.lower()).strip("_")


def _unlike(ours: str, taken: Collection[str]) -> str:
    """Return a name, with a number behind it where another one is called so: to SQL, Age and age are one."""
    number, shown = 1, ours
    while shown in taken:
        number += 1
        shown = f"{ours}_{number}"
    return shown


def _decided(answer: Answer | None, known: Mapping[str, str]) -> dict[str, str]:
    """Return what says which class, or number, was answered, as far as a file has the numbers."""
    if answer is None:
        return {}
    if answer.is_number:
        return {"predicted_number": known[f"{ANSWER}value"]} if f"{ANSWER}value" in known else {}
    columns = [known.get(f"{ANSWER}{each}", "") for each in answer.classes]
    if not columns or not all(columns):
        return {}
    if answer.threshold is not None:
        positive, value = answer.threshold
        reached, else_ = text(answer.classes[positive]), text(answer.classes[1 - positive])
        return {"predicted": f"case when {columns[positive]} >= {value!r} then {reached} else {else_} end"}
    greatest = f"greatest({', '.join(columns)})"
    cases = " ".join(f"when {each} then {text(said)}" for each, said in zip(columns, answer.classes, strict=True))
    return {"predicted": f"case {greatest} {cases} end"}
