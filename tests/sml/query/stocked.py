"""A stack whose stores hold something for every table, and questions about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from functions.core.registry import usage_records
from functions.core.registry.daily_usage import DailyUsage, Day
from functions.core.registry.truths import REQUEST, Row
from functions.core.runtime.usage import Usage
from functions.core.storage.objects import Objects
from functions.core.watching.compaction import Compaction
from interface import layout
from sml.query.asking import Asked, Asking, Reading
from sml.query.source import Days
from sml.stack import Stack
from tests.functions.core.watching.rows import DAY, FEATURES, MODEL, OTHER, VERSION, Service, named
from tests.functions.core.watching.told import Callers

CHALLENGER = "c" * 16
DAYS = Days(all=[named(day) for day in range(-1, 4)])
RUN, REJECTED = "0123456789abcdef", "fedcba9876543210"
USED = Usage(10, 2.0, 1.0, 0.25, 0.5, 3.0, 1.0)


@dataclass(kw_only=True)
class Stocked:
    """What a question needs of a stack."""

    name: str = "local"
    models: list[str] = field(default_factory=lambda: [MODEL])
    registry: Objects = field(default_factory=Objects.in_memory)
    captures: Objects = field(default_factory=Objects.in_memory)
    data: Objects = field(default_factory=Objects.in_memory)
    jobs: Objects = field(default_factory=Objects.in_memory)
    told: list[Sequence[Reading]] = field(default_factory=list)

    def ask(self, question: str, *, days: Days = DAYS, most_mb: float = 10, seconds: float = 20) -> Asked:
        asking = Asking(
            stack=cast("Stack", self),
            models=self.models,
            days=days,
            most_mb=most_mb,
            seconds=seconds,
            tell=self.told.append,
        )
        return asking.ask(question)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.ask(question).found.rows]


def of(service: Service) -> Stocked:
    return Stocked(registry=service.models, captures=service.captures)


def compaction(service: Service, captures: Any = None, *, at_once: int = 20) -> Compaction:
    return Compaction(captures or service.captures, MODEL, service.checks.columns, at_once=at_once)


def whole() -> Stocked:
    """Return a stack with a compacted day, one that is not, and records of every kind."""
    callers = Callers()
    service = callers.service
    stack = of(service)
    _ask(service, callers)
    service.check(0)
    stack.registry.put_json(
        f"{MODEL}/{layout.WATCH}{named(1)}.json",
        {"version": VERSION, "columns": [{"name": "size", "state": "drifted", "index": 0.75, "chance": 0.1}]},
    )
    compaction(service).compact(named(0))
    _train(stack)
    usage = DailyUsage(model=MODEL, models=stack.registry, captures=stack.captures, jobs=stack.jobs)
    usage.write(named(0), Day(predictions={VERSION: USED}, runs={RUN: {"train": USED}}))
    usage_records.note(stack.jobs, f"{layout.JOB_WORK}{MODEL}/job-1", {VERSION: USED}, DAY.timestamp() + 86_400)
    stack.jobs.put_json(
        f"{MODEL}/out/a.csv.json", {"job": "a.csv", "model": MODEL, "version": VERSION, "rows": 9, "refused": 2}
    )
    stack.jobs.put_json(f"{MODEL}/out/b.json", {"job": "b", "model": MODEL, "error": {"detail": "no rows"}})
    stack.jobs.put_json(f"{MODEL}/out/c.json", {"job": "c", "model": MODEL, "cancelled": True})
    stack.jobs.put(f"{MODEL}/out/a.csv.jsonl", b"{}")
    return stack


def _ask(service: Service, callers: Callers) -> None:
    """Have ten rows answered of which the first eight are no and two yes, and truths of four: three of them right."""
    records = service.ask(0, 10)
    for key in list(service.captures.keys(f"{MODEL}/{named(0)}")):
        service.captures.remove([key])
    for at, record in enumerate(records):
        record["outputs"] = [[0.75, 0.25]] if at < 8 else [[0.25, 0.75]]
        record |= {"ms": float(at), "rows": 1, "status": 200, "answered_by": VERSION}
    champion = {"version": VERSION, "ms": 1.0}
    compared = [
        {**records[at], "request": f"c-{at}", "version": CHALLENGER, "variant": "challenger", "ms": 100.0}
        | {"champion": champion, "agreed": int(at < 3), "rows": 1}
        for at in range(4)
    ]
    service.write(0, [*records, *compared, {"request": "lost", "version": OTHER, "status": 500, "error": "failed"}])
    service.write(1, [{**record, "request": f"{record['request']} again"} for record in records[:5]])

    def truth(at: int, value: str) -> dict[Row, Any]:
        return {Row(REQUEST, records[at]["request"], 0): value}

    callers.tell(0, truth(0, "no") | truth(1, "yes") | {Row(REQUEST, "nobody's", 0): "no"})
    callers.tell(0.1, truth(1, "no") | truth(8, "yes") | truth(9, "no"))
    callers.qualities.settle(named(0))


def _train(stack: Stocked) -> None:
    about = {"model": MODEL, "created": f"{named(1)}T04:44:02+00:00", "rows": 90, "rejected_rows": 7}
    run = {
        "run": RUN,
        "status": "promoted",
        "experiment": "e2",
        "dataset": "d1",
        "source": "in.csv",
        "version": VERSION,
    }
    stack.registry.put_json(f"{MODEL}/runs/{RUN}/run.json", {**about, **run, "usage": {"seconds": 4.5, "usd": 0.5}})
    board = [
        {"id": "e2", "params": {"C": 1}, "metric": "roc_auc", "mean": 0.9, "std": 0.01, "seconds": 2.0, "bytes": 1000},
        {"id": "e1", "params": {"C": 9}, "status": "failed", "error": "ValueError"},
    ]
    stack.registry.put_json(f"{MODEL}/runs/{RUN}/leaderboard.json", {"experiments": board})
    reasons = [
        {"column": "age", "reason": "is no number", "count": 5},
        {"column": "", "reason": "is twice", "count": 2},
    ]
    stack.data.put_json(f"{MODEL}/datasets/d1/report.json", {"rows": 97, "reasons": reasons})
    rejected: dict[str, Any] = {"run": REJECTED, "status": "rejected"}
    rejected["report"] = {"rows": 50, "rejected_rows": 40, "reasons": [reasons[0] | {"count": 40}]}
    stack.registry.put_json(
        f"{MODEL}/runs/{REJECTED}/run.json",
        {name: one for name, one in {**about, **rejected}.items() if not name.endswith("rows")},
    )


FEATURE_NAMES = [one.name for one in FEATURES]
