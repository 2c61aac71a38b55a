"""DuckDB, locked: it reads the tables that it was given and one folder, and no network, no extension, no other file."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from interface.column_types import Engine, rendered
from interface.tables import BY_NAME, TABLES
from sml.mistake import Mistake, TooLate
from sml.query.syntax import needed

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    from arro3.core import Table

    from sml.query.syntax import Needed

MEMORY_MB = 2_000
"""What the engine may hold, beside which nothing goes to a disk."""
CONFIGURATION: Mapping[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    # A name in a question is a table of ours, and none of this program's variables.
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": f"{MEMORY_MB}MB",
}
AT_ONCE = 10_000
"""Rows that are taken from the engine at once."""
INTERRUPTED = "Query interrupted"
"""What DuckDB says in place of `KeyboardInterrupt` of a question that Ctrl-C has ended."""
ACCEPTED = "accepted: one SELECT, as `select day, count(*) from captures group by day`"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a question came to."""

    columns: Sequence[str]
    """Their names, each once."""
    rows: Sequence[Sequence[Any]]


class Locked:
    """One database in memory, for one question."""

    def __init__(self, folder: Path) -> None:
        """`folder` is all that it may read, and has the files of the tables."""
        self._duck = duckdb.connect(":memory:", config={**CONFIGURATION})
        self._duck.execute("set timezone = 'UTC'")
        self._duck.execute(f"set allowed_directories = [{text(str(folder))}]")
        self._duck.execute("set enable_external_access = false")

    def close(self) -> None:
        self._duck.close()

    def needed(self, question: str) -> Needed:
        """Return what a question is asked of, before any table is there.

        Raise `Mistake` for what is no single SELECT, names a table that there is not, or cannot be right whatever
        is in the tables.
        """
        with _told():
            statements = duckdb.extract_statements(question)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise Mistake(f"that is no question that can be asked here; {ACCEPTED}")
        for table in TABLES:
            columns = ", ".join(f"{name(each)} {kind}" for each, kind in rendered(table, Engine.DUCKDB).items())
            self._duck.execute(f"create table {name(table.name)} ({columns})")
        found = needed(self._tree(question))
        with _told():
            if not any(BY_NAME[each].open for each in found.tables):
                self._duck.execute(f"explain {question}")
        # One that is not filled has to be missing: a question that hides its name would find it empty.
        for table in TABLES:
            self._duck.execute(f"drop table {name(table.name)}")
        return found

    def _tree(self, question: str) -> Any:
        written = self._duck.execute("select json_serialize_sql(?)", [question]).fetchone()
        tree = json.loads(written[0]) if written else {}
        if tree.get("error"):
            raise Mistake(f"DuckDB: {tree.get('error_message')}; {ACCEPTED}")
        return tree

    def fill(self, table: str, content: Table) -> None:
        """Make a table of what is in memory."""
        self._duck.register(f"_{table}", content)
        columns = ", ".join(
            f"cast({name(each)} as {kind}) as {name(each)}"
            for each, kind in rendered(BY_NAME[table], Engine.DUCKDB).items()
        )
        held = name(f"_{table}")
        self._duck.execute(f"create view {name(table)} as select {columns} from {held}")  # noqa: S608 - quoted names

    def view(self, table: str, select: str) -> None:
        """Make a table of what a SELECT over files of the folder finds, each time that it is asked for."""
        self._duck.execute(f"create view {name(table)} as {select}")

    def schemas(self, paths: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the columns of Parquet files, each with what Parquet calls its type: by path."""
        found: dict[str, dict[str, str]] = {path: {} for path in paths}
        listed = ", ".join(map(text, paths))
        asked = f"select file_name, name, type from parquet_schema([{listed}])"  # noqa: S608 - quoted texts
        for path, column, kind in self._listed(asked) if paths else ():
            if kind is not None:  # the first is the schema itself
                found[path][column] = kind
        return found

    def columns_in(self, paths: Sequence[str]) -> dict[str, list[tuple[str, int, int]]]:
        """Return where the columns of Parquet files lie, by their ends: name, first byte and size; by path."""
        found: dict[str, list[tuple[str, int, int]]] = {path: [] for path in paths}
        listed = ", ".join(map(text, paths))
        first = "least(data_page_offset, coalesce(nullif(dictionary_page_offset, 0), data_page_offset))"
        asked = f"""select file_name, path_in_schema, {first}, total_compressed_size
            from parquet_metadata([{listed}])"""  # noqa: S608 - quoted texts
        for path, column, start, size in self._listed(asked) if paths else ():
            found[path].append((column, start, size))
        return found

    def _listed(self, asked: str) -> Sequence[Sequence[Any]]:
        with _told():
            return self._duck.execute(asked).fetchall()

    def ask(self, question: str, seconds: float) -> Found:
        """Return the answer to a question. Raise `Mistake` where there is none, `TooLate` after so many seconds."""
        self._duck.execute("set lock_configuration = true")
        late = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._duck.interrupt)
        late.start()
        until = time.monotonic() + seconds
        try:
            with _told():
                answered = self._duck.execute(question)
                columns = [column[0] for column in answered.description or ()]
                return Found(columns=_apart(columns), rows=_fetched(answered, until))
        except (duckdb.InterruptException, TimeoutError):
            raise TooLate(
                f"no answer within {seconds:g} seconds: ask for fewer days (--since), or wait longer (--timeout)"
            ) from None
        except duckdb.OutOfMemoryException:
            raise Mistake(
                f"the question needs more than {MEMORY_MB:,} MB of memory: ask for fewer days, columns or groups"
            ) from None
        finally:
            late.cancel()


def _fetched(answered: duckdb.DuckDBPyConnection, until: float) -> list[tuple[Any, ...]]:
    """Return all rows. Raise `TimeoutError` after the time: DuckDB has ended by then, and cannot be interrupted."""
    rows: list[tuple[Any, ...]] = []
    while part := answered.fetchmany(AT_ONCE):
        rows += part
        if time.monotonic() > until:
            raise TimeoutError
    return rows


@contextmanager
def _told() -> Generator[None]:
    """Tell what the engine does not accept in one sentence, without the excerpt that follows it."""
    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except RuntimeError as problem:
        if str(problem) != INTERRUPTED:
            raise
        raise KeyboardInterrupt from None
    except duckdb.PermissionException:
        raise Mistake("a question reads the tables alone: no file, no address and no extension") from None
    except duckdb.Error as problem:
        said = " ".join(str(problem).partition("\n\n")[0].split())
        raise Mistake(f"DuckDB: {said[:300]}") from None


def name(each: str) -> str:
    """Return a name as SQL has it, whatever is in it."""
    return '"' + each.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def _apart(names: Sequence[str]) -> list[str]:
    """Return names of which no two are alike: a second one ends with 2."""
    known: dict[str, int] = {}
    found = []
    for each in names:
        known[each] = known.get(each, 0) + 1
        found.append(each if known[each] == 1 else f"{each}_{known[each]}")
    return found
