"""What the stack keeps by day, as tables have it: truths, costs, drift; and jobs, by the day on which they ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.core.registry.daily_usage import DailyUsage, Day
from interface import layout
from sml.query.answers import Answers
from sml.query.source import Part, Row, Source, day_in, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from functions.core.runtime.usage import Usage


class Truths(Source):
    """The labelled rows of the days, each with what was answered."""

    def parts(self) -> list[Part]:
        listed = self.stack.captures.entries(f"{self.model}/{layout.LABELLED}")
        wanted = (one for one in listed if one.key.endswith("/rows.jsonl") and one.key.split("/")[-2] in self.days)
        return parts_of(self.stack.captures, wanted)

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        answers = Answers(self.stack.registry, self.model)
        for key, content in contents.items():
            about = {"day": key.split("/")[-2], "model": self.model}
            for line in content.splitlines():
                try:
                    row = json.loads(line)
                    time, version, truth = float(row["time"]), str(row["version"]), row["truth"]
                    predicted = answers.of(version).decide(row["outputs"])
                except (ValueError, LookupError, TypeError):
                    self.damaged += [key] if key not in self.damaged else []
                    continue
                told = {"truth": truth} if isinstance(truth, str) else {"truth_number": truth}
                yield {**about, "time": time, "version": version, **told, **predicted}


class Costs(Source):
    """The stored sums of the days, and of others, today among them, what the records say."""

    def _stored(self) -> str:
        return f"{self.model}/{layout.USAGE}".rstrip("/")

    def parts(self) -> list[Part]:
        listed = self.stack.registry.entries(self._stored())
        return parts_of(self.stack.registry, (one for one in listed if day_in(one.key) in self.days))

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        usage = DailyUsage(
            model=self.model, models=self.stack.registry, captures=self.stack.captures, jobs=self.stack.jobs
        )
        found: dict[str, Day] = {}
        for key in contents:
            document = self.document(contents, key)
            try:
                found |= {} if document is None else {day_in(key): Day.of(document)}
            except (LookupError, TypeError, AttributeError):
                self.damaged.append(key)
        found |= usage.sums([day for day in self.days.all if day not in found])
        for day, used in sorted(found.items()):
            about = {"day": day, "model": self.model}
            for kind, versions in (("predictions", used.predictions), ("jobs", used.jobs)):
                for version, one in sorted(versions.items()):
                    yield {**about, "kind": kind, "version": version, **_used(one)}
            for run, steps in sorted(used.runs.items()):
                for step, one in sorted(steps.items()):
                    yield {**about, "kind": "training", "run": run, "step": step, **_used(one)}


def _used(one: Usage) -> Row:
    grams = one.grams_operational + one.grams_embodied
    numbers = {name: getattr(one, name) for name in ("seconds", "gb_seconds", "usd", "kwh")}
    return {"calls": int(one.calls), **numbers, "grams": grams}


class Drift(Source):
    """What each check says of each column."""

    def parts(self) -> list[Part]:
        listed = self.stack.registry.entries(f"{self.model}/{layout.WATCH}".rstrip("/"))
        return parts_of(self.stack.registry, (one for one in listed if day_in(one.key) in self.days))

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        for key in contents:
            check = self.document(contents, key) or {}
            columns = check.get("columns")
            for one in columns if isinstance(columns, list) else ():
                if not isinstance(one, dict) or "name" not in one:
                    self.damaged += [key] if key not in self.damaged else []
                    continue
                about = {"day": day_in(key), "model": self.model, "version": check.get("version")}
                yield {**about, **one, "field": one["name"], "psi": one.get("index")}


class Jobs(Source):
    """The jobs that ended on the days. The result of a job in JSON has its predictions, too, which are passed over."""

    def parts(self) -> list[Part]:
        listed = self.stack.jobs.entries(f"{self.model}/{layout.JOB_RESULTS}")
        wanted = [one for one in listed if one.key.endswith(".json") and f"{one.modified:%Y-%m-%d}" in self.days]
        self._ended = {one.key: one.modified.timestamp() for one in wanted}
        return parts_of(self.stack.jobs, wanted)

    def rows(self, contents: Mapping[str, bytes]) -> Iterator[Row]:
        for key in contents:
            if (result := self.document(contents, key)) is None:
                continue
            ended = self._ended[key]
            error = result.get("error")
            status = "cancelled" if result.get("cancelled") else "failed" if error else "done"
            yield {
                **{name: result.get(name) for name in ("job", "version", "refused")},
                "day": _day_of(ended),
                "model": self.model,
                "ended": ended,
                "status": status,
                "row_count": result.get("rows"),
                "error": error.get("error", error.get("detail")) if isinstance(error, dict) else error,
            }


def _day_of(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
