"""Runs: the list, one of them, and how several differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from interface import layout
from models.task import lower_is_better
from sml import sentences
from sml.console import charts
from sml.console.asked import ask
from sml.console.charts import Mark
from sml.console.site import Page
from sml.console.web import NUMBER, Reply
from sml.console.words import number, text
from sml.mistake import Mistake
from sml.records import at_once, reason, said

if TYPE_CHECKING:
    from functions.core.registry.pointer import Entry
    from sml.console.source import Source
    from sml.console.web import Request
    from sml.records import Record, Records

MANY = 200
"""Runs of a page."""
LONG = 90
"""Letters of a reason in a list; the run's own page has all of it."""
REPORT = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; "
    "frame-ancestors 'self'",
    "x-frame-options": "SAMEORIGIN",
}
"""A report is written by training: whatever is in it runs nothing, fetches nothing, and cannot leave its frame."""


def listed(source: Source, request: Request) -> Page:
    """Runs, the newest first, by model and status."""
    stack, model, status = source.stack, request.asked("model"), request.asked("status")
    names = [stack.model(model)] if model else stack.models
    rows = [row for some in at_once(lambda name: _rows(source.records(name)), names) for row in some]
    statuses = sorted({str(row["status"]) for row in rows})
    rows = sorted((row for row in rows if status in ("", row["status"])), key=lambda row: row["created"], reverse=True)
    page = max(int(request.asked("page")) if NUMBER.fullmatch(request.asked("page")) else 1, 1)
    facts = {
        "rows": rows[(page - 1) * MANY : page * MANY],
        "total": len(rows),
        "number": page,
        "pages": -(-len(rows) // MANY),
        "names": stack.models,
        "statuses": statuses,
        "chosen": {"model": model, "status": status},
    }
    return Page(template="runs.html", title="Runs", facts=facts)


def run(source: Source, request: Request, model: str, run: str) -> Page:
    """One run: its data, its checks, its experiments, its release."""
    del request
    records = source.records(model)
    record = records.run(run)
    name, found = record["run"], _report(source, record)
    ranked = [one for one in records.leaderboard(name) if isinstance(one, dict)]
    facts = {
        "record": record,
        "why": _guarded(reason, record),
        "evidence": sentences.evidence(record),
        "began": sentences.began(record["schedule"]) if isinstance(record.get("schedule"), dict) else "",
        "decided": sentences.decided(record["approval"]) if isinstance(record.get("approval"), dict) else "",
        "origin": sentences.origin(record["origin"]) if isinstance(record.get("origin"), dict) else "",
        "retrained": sentences.retrained(record),
        "suspects": sentences.suspects(record),
        "naive": sentences.naive(metrics) if isinstance(metrics := record.get("metrics"), dict) else (),
        "checks": [{**check, "said": said(check)} for check in record.get("checks", ())],
        "rejected": found.get("reasons") or (),
        "rejected_cause": found.get("cause"),
        "experiments": ranked,
        "planned": records.planned(name),
        "has_report": bool(record.get("version") or record.get("checks")),
        **_experiments(ranked),
    }
    try:
        facts["entries"] = [entry for entry in reversed(records.live().history) if _is_of(entry, record)]
    except Mistake as damaged:
        facts["damaged"] = str(damaged)
    return Page(template="run.html", title=f"Run {name}", model=model, facts=facts)


def report(source: Source, request: Request, model: str, run: str) -> Reply:
    """The report of a run, for its frame."""
    del request
    records = source.records(model)
    return Reply(body=records.report(records.run(run)), headers=REPORT)


def compare(source: Source, request: Request) -> Page:
    """What differs between runs, and their scores."""
    from sml.commands import runs  # noqa: PLC0415

    chosen = [str(one).partition("/") for one in request.query.get("run", ())]
    models = {model for model, _, _ in chosen}
    if len(chosen) < 2 or len(models) != 1:
        raise Mistake("choose two runs or more of one model in the list of runs")
    model = models.pop()
    told = ask(source.stack, runs.compare, model=model, chosen=[run for _, _, run in chosen])
    compared: Sequence[Mapping[str, Any]] = told.table.documents
    names = list(dict.fromkeys(name for facts in compared for name in facts if name != "run"))
    rows = [_difference(name, [facts.get(name) for facts in compared]) for name in names]
    facts = {
        "runs": [facts["run"] for facts in compared],
        "scores": [row for row in rows if _is_score(row["name"])],
        "differing": [row for row in rows if not _is_score(row["name"]) and row["differs"]],
        "alike": [row for row in rows if not _is_score(row["name"]) and not row["differs"]],
    }
    return Page(template="compare.html", title="Runs compared", model=model, facts=facts)


def _is_of(entry: Entry, record: Record) -> bool:
    """Return whether an entry of the history is of a run's release: a rollback by hand is of another execution."""
    back = entry.event == "rolled_back" and entry.version == record.get("version")
    return entry.run == record["run"] or back


def _report(source: Source, record: Record) -> Mapping[str, Any]:
    """Return what was said of a run's dataset: in its record where it was refused, else beside the dataset."""
    if isinstance(record.get("report"), dict):
        return record["report"]
    key = f"{record.get('model')}/{layout.DATASETS}{record.get('dataset')}/report.json"
    try:
        found = source.stack.data.find_json(key)
    except Exception:
        return {}  # whoever may read the registry need not read the data
    return found if isinstance(found, dict) else {}


def _rows(records: Records) -> list[Record]:
    """Return a row for each run; one whose record cannot be read has a row that says so."""
    read = records.runs()
    rows = [_row(records.model, record) for record in read]
    known = {row["run"] for row in rows}
    missing = {"status": "damaged", "why": "there is no record of it, or one that is no JSON", "created": ""}
    return [*rows, *({**missing, "run": run, "model": records.model} for run in records.run_ids() if run not in known)]


def _row(model: str, record: Record) -> Record:
    known = {"run": str(record.get("run")), "model": model, "created": str(record.get("created") or "")}
    try:
        why, scored = reason(record), _score(record)
        shown = ("rows", "rejected_rows", "version")
        return {
            **known,
            **{name: record.get(name) for name in shown},
            "status": str(record.get("status")),
            "source": str(record.get("source") or "").rpartition("/")[2],
            "score": scored,
            "why": why if len(why) <= LONG else f"{why[: LONG - 3]}...",
        }
    except Exception:
        return {**known, "status": "damaged", "why": "its record is not what a run's record holds"}


def _score(record: Record) -> tuple[str, float] | None:
    """Return the score that the gate asked for, by its name."""
    holdout = (record.get("metrics") or {}).get("holdout") or {}
    found = [check for check in record.get("checks", ()) if check["name"] in holdout]
    return (found[0]["name"], found[0]["value"]) if found else None


def _experiments(ranked: Sequence[Record]) -> dict[str, Any]:
    """Return the names of the parameters, and the charts of experiments that have a score."""
    names = list(dict.fromkeys(name for one in ranked for name in (one.get("params") or {})))
    scored = [one for one in ranked if isinstance(one.get("mean"), int | float)]
    metric = next((str(one["metric"]) for one in scored if one.get("metric")), "score")
    facts: dict[str, Any] = {"params": names, "metric": metric}
    if len(scored) < 2:
        return facts
    rows = [
        {**(one.get("params") or {}), metric: one["mean"], "id": one.get("id"), "title": _title(one, metric)}
        for one in scored
    ]
    marks = [
        Mark(x=one["seconds"], y=one["mean"], title=_title(one, metric), key=str(one.get("id")), name=_series(place))
        for place, one in enumerate(scored)
        if isinstance(one.get("seconds"), int | float)
    ]
    facts["parallel"] = charts.parallel(rows, [*names, metric], f"Parameters of each experiment, and its {metric}")
    facts["scatter"] = charts.scatter(marks, "seconds of fitting", metric, f"{metric} of each experiment by its time")
    return facts


def _series(place: int) -> str:
    return "best" if place == 0 else "other"


def _title(one: Record, metric: str) -> str:
    params = ", ".join(f"{name} {text(value)}" for name, value in (one.get("params") or {}).items())
    return f"{one.get('id')}: {metric} {number(one.get('mean'))}; {params}"


def _difference(name: str, values: Sequence[Any]) -> dict[str, Any]:
    differs = len({str(value) for value in values}) > 1
    return {"name": name, "values": values, "differs": differs, "best": _best(name, values)}


def _is_score(name: str) -> bool:
    return name.startswith(("holdout ", "cross-validated "))


def _best(name: str, values: Sequence[Any]) -> Any:
    numbers = [value for value in values if isinstance(value, int | float)]
    if not _is_score(name) or len(set(numbers)) < 2:
        return None
    return min(numbers) if lower_is_better(name.partition(" ")[2]) else max(numbers)


def _guarded(make: Any, record: Record) -> str:
    try:
        return make(record)
    except Exception:
        return "its record is not what a run's record holds"
