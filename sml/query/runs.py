"""Runs, their experiments, and the reasons for which rows of their datasets were set aside, as tables have them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from interface import layout
from sml.query.source import Part, Row, Source, parts_of
from sml.whole import EXPERIMENT, RUN, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.storage.keys import Entry

RECORD, BOARD = "run.json", "leaderboard.json"


class Runs(Source):
    """The records of the runs that began on the days."""

    @cached_property
    def _listed(self) -> dict[str, dict[str, Entry]]:
        """What lies in the folder of each run whose record was written on the days or later: by run, then by name."""
        found: dict[str, dict[str, Entry]] = {}
        prefix = f"{self.model}/{layout.RUNS}"
        for entry in self.stack.registry.entries(prefix):
            run, _, name = entry.key.removeprefix(prefix).partition("/")
            found.setdefault(run, {})[name] = entry
        # A record is written when its run begins, and whenever it goes on: an older one began before the days.
        return {
            run: names
            for run, names in found.items()
            if RECORD in names and f"{names[RECORD].modified:%Y-%m-%d}" >= self.days.first
        }

    def parts(self) -> list[Part]:
        return parts_of(self.stack.registry, [names[RECORD] for names in self._listed.values()])

    def _records(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        """Yield the records of the days, each with its run and its day."""
        for run, names in self._listed.items():
            record = self.document(contents, names[RECORD].key)
            if record is not None and (day := str(record.get("created"))[:10]) in self.days:
                yield {**whole(record, RUN), "run": run, "day": day, "model": self.model}

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        for record in self._records(contents):
            used = record.get("usage")
            used = used if isinstance(used, dict) else {}
            billed = {name: used.get(name) for name in ("seconds", "usd")}
            # The record of a run whose dataset was rejected has them in its report.
            told = {**(record.get("report") or {}), **record}
            counted = {"row_count": told.get("rows"), "rejected_rows": told.get("rejected_rows")}
            yield {**record, **counted, **billed}


class Experiments(Runs):
    """The experiments of these runs: from their leaderboards, or from their own records while there is none."""

    def parts(self) -> list[Part]:
        wanted = [entry for names in self._listed.values() for entry in _of_experiments(names)]
        return [*super().parts(), *parts_of(self.stack.registry, wanted)]

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        for record in self._records(contents):
            about = {name: record[name] for name in ("run", "day", "model")}
            for entry in _of_experiments(self._listed[record["run"]]):
                found = self.document(contents, entry.key) or {}
                each = found.get("experiments") if entry.key.endswith(BOARD) else [found]
                for one in each if isinstance(each, list) else ():
                    if isinstance(one, dict) and "id" in one:
                        yield {**about, **_experiment(one), "chosen": one["id"] == record.get("experiment")}


def _of_experiments(names: Mapping[str, Entry]) -> list[Entry]:
    if BOARD in names:
        return [names[BOARD]]
    return [entry for name, entry in names.items() if name.startswith("experiments/") and name.endswith(".json")]


def _experiment(found: Row) -> Row:
    """Return an experiment as a row. That of a run under way has no mean: the leaderboard names the metric."""
    one = whole(found, EXPERIMENT)
    return {**one, "experiment": one["id"], "params": json.dumps(one.get("params") or {}, sort_keys=True)}


class Rejections(Runs):
    """The reasons, from the record of a run whose dataset was rejected, else from the report of its dataset."""

    def parts(self) -> list[Part]:
        prefix = f"{self.model}/{layout.DATASETS}"
        reports = [entry for entry in self.stack.data.entries(prefix) if entry.key.endswith("/report.json")]
        return [*super().parts(), *(parts_of(self.stack.data, reports) if self._listed else ())]

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        for record in self._records(contents):
            about = {name: record.get(name) for name in ("run", "day", "model", "source")}
            key = f"{self.model}/{layout.DATASETS}{record.get('dataset')}/report.json"
            report = record.get("report") or self.document(contents, key) or {}
            # The report of a dataset is what the record of a run has as its own.
            for one in (whole({"report": report}, RUN).get("report") or {}).get("reasons") or ():
                yield {**about, "field": one.get("column"), "reason": one["reason"], "row_count": one["count"]}
