"""Runs: what was trained on, what came of it, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.mistake import Mistake
from sml.options import Model, Run
from sml.output import Output
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.records import Records
    from sml.typed import Typed

COLUMNS = {
    "run": "run",
    "model": "model",
    "status": "status",
    "created": "created (UTC)",
    "rows": "rows",
    "metric": "score",
    "version": "version",
    "source": "from",
    "reason": "why",
}
MANY = 30
"""Runs of a list where no other number is asked for."""


@on_stack
def runs(
    session: Session,
    model: Annotated[str | None, typer.Argument(help="One model alone.", metavar="MODEL")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most, the newest first.")] = MANY,
) -> None:
    """List runs, the newest first, and the trainings that wait for their slot."""
    from sml.records import at_once  # noqa: PLC0415 - the stores' client takes long to import

    out, found = session.out, session.stack
    wanted = [found.records(name) for name in ([found.model(model)] if model else found.models)]
    waiting = [record for some in at_once(lambda one: one.scheduled(), wanted) for record in some]
    records = [*waiting, *(record for some in at_once(lambda one: one.runs(), wanted) for record in some)]
    records = sorted(records, key=lambda record: str(record.get("created")), reverse=True)
    rows = [_row(record) for record in records[:limit]]
    columns = {key: title for key, title in COLUMNS.items() if key != "model" or not model}
    out.table(rows, columns, empty=_none(found.typed, model or found.models[0]), documents=records[:limit])
    if len(records) > limit:
        out.line(f"{len(records) - limit:,} more: --limit {len(records)}")
    for record in waiting:
        out.line(f"{record['model']} waits {record['cause']}")


@on_stack
def show(
    session: Session,
    model: Model,
    run: Run,
) -> None:
    """Show one run: its data, its experiments, its gate, its release."""
    from models.decided import decides  # noqa: PLC0415
    from sml.records import reason, said  # noqa: PLC0415 - the store's client takes long to import
    from sml.sentences import (  # noqa: PLC0415
        began,
        decided,
        evidence,
        holdout,
        interval,
        naive,
        origin,
        retrained,
        said_of,
        suspects,
    )

    out, found = session.out, session.stack
    records = found.records(model)
    record = records.run(run)
    if out.as_json:
        out.fields({**record, "experiments": records.leaderboard(record["run"])})
        return
    schedule = record.get("schedule")
    named = ("run", "status", "source", "created", "rows", "rejected_rows", "dataset", "experiment", "version")
    facts = {name: record.get(name) for name in named}
    facts |= {"series": said_of(record, "series")} if "series" in record else {}
    parts = ("split", "weights", "failures", "skipped")
    facts |= {**{name: said_of(record, name) for name in parts}, "why": reason(record)}
    facts |= {"evidence": weighed} if (weighed := evidence(record)) else {}
    told = {"approval": decided, "origin": origin, "decision": decides, "interval": interval}
    facts |= {name: say(record[name]) for name, say in told.items() if isinstance(record.get(name), dict)}
    facts |= {"began": began(schedule)} if isinstance(schedule, dict) else {}
    facts |= {"retraining": again} if (again := retrained(record)) else {}
    out.fields(record, facts)
    for title, lines in (
        (
            "checks",
            [f"{'passed' if check['passed'] else 'NOT PASSED':<11}{said(check)}" for check in record.get("checks", ())],
        ),
        ("look at", [str(one["said"]) for one in suspects(record)]),
        ("on the holdout, and between which values on other rows like it (95 %)", holdout(record.get("metrics") or {})),
        ("naive forecasts on the same rows", naive(record.get("metrics") or {})),
        ("too small to tell", [str(warning) for warning in record.get("warnings") or ()]),
        ("rejected", _rejected(record)),
        ("not used", [str(column) for column in record.get("passed_over", ())]),
    ):
        if lines:
            out.line(f"\n{title}")
            for line in lines:
                out.line(f"  {line}")
    if ranked := records.leaderboard(record["run"]):
        out.line("")
        _experiments(out, ranked)


@on_stack
def leaderboard(
    session: Session,
    model: Model,
    run: Annotated[str | None, typer.Argument(help="By default the newest one.", metavar="RUN")] = None,
) -> None:
    """List the experiments of a run, the best first."""
    from sml.sentences import holdout, naive  # noqa: PLC0415

    out, found = session.out, session.stack
    records = found.records(model)
    record = _one(records, model, run)
    _experiments(out, records.leaderboard(record["run"]))
    if beside := naive(record.get("metrics") or {}):
        out.line("\non the holdout")
        for line in [*holdout(record["metrics"]), *beside]:
            out.line(f"  {line}")


@on_stack
def compare(
    session: Session,
    model: Model,
    chosen: Annotated[list[str], typer.Argument(help="Two runs or more, by the first letters.", metavar="RUN RUN...")],
) -> None:
    """Compare runs: what differs in their data, parameters and scores."""
    out, found = session.out, session.stack
    records = found.records(model)
    compared = [_compared(records, records.run(run)) for run in chosen]
    if len(compared) < 2:
        raise Mistake("two runs or more are compared")
    names = list(dict.fromkeys(name for facts in compared for name in facts))
    rows = [
        {"": name, **{facts["run"]: facts.get(name) for facts in compared}}
        for name in names
        if name != "run" and len({str(facts.get(name)) for facts in compared}) > 1
    ]
    alike = [name for name in names if name != "run" and len({str(facts.get(name)) for facts in compared}) == 1]
    columns = {"": "", **{facts["run"]: facts["run"] for facts in compared}}
    out.table(rows, columns, empty="they do not differ", documents=compared)
    if alike:
        out.line(f"alike: {', '.join(alike)}")


@on_stack
def report(
    session: Session,
    model: Model,
    run: Annotated[
        str | None, typer.Argument(help="By default the newest one that has a report.", metavar="RUN")
    ] = None,
    file: Annotated[Path | None, typer.Option("--file", "-o", help="Write it there, and do not open it.")] = None,
) -> None:
    """Open a run's report in the browser."""
    import tempfile  # noqa: PLC0415 - hardly ever needed
    import webbrowser  # noqa: PLC0415

    out, found = session.out, session.stack
    records = found.records(model)
    record = _one(records, model, run, with_version=run is None)
    page = records.report(record)
    where = file or Path(tempfile.mkdtemp(prefix="sml-")) / f"{model}-{record['run']}.html"
    where.write_bytes(page)
    if file is None and not webbrowser.open(where.as_uri()):
        out.say("no browser could be opened here")
    out.line(str(where))


def _one(records: Records, model: str, run: str | None, *, with_version: bool = False) -> dict[str, Any]:
    if run is not None:
        return records.run(run)
    known = [record for record in records.runs() if record.get("version") or not with_version]
    if not known:
        raise Mistake(_none(records.typed, model))
    return known[0]


def _none(typed: Typed, model: str) -> str:
    return f"there is no run yet: `{typed('upload', model, 'FILE')}` starts one"


def _row(record: dict[str, Any]) -> dict[str, Any]:
    from sml.records import reason  # noqa: PLC0415

    holdout = (record.get("metrics") or {}).get("holdout") or {}
    score = next((check["value"] for check in record.get("checks", ()) if check["name"] in holdout), None)
    source = str(record.get("source") or "").rpartition("/")[2]
    created = str(record.get("created") or "")[:19].replace("T", " ")
    why = reason(record)
    short = why if len(why) <= 60 else f"{why[:57]}..."
    return {**record, "metric": score, "source": source, "created": created, "reason": short}


def _experiments(out: Output, ranked: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for one in ranked for name in (one.get("params") or {})))
    rows = [
        {
            **{key: one.get(key) for key in ("id", "mean", "std", "seconds", "bytes")},
            "status": _how_far(one),
            **{f"p.{name}": (one.get("params") or {}).get(name) for name in names},
        }
        for one in ranked
    ]
    metric = next((one["metric"] for one in ranked if "metric" in one), "score")
    columns = {"id": "experiment", "mean": metric, "std": "+-", **{f"p.{name}": name for name in names}}
    columns |= {"seconds": "seconds", "bytes": "bytes", "status": "status"}
    out.table(rows, columns, empty="no experiment is done yet", documents=ranked)
    failed: dict[str, list[dict[str, Any]]] = {}
    for one in ranked:
        if one.get("error"):
            failed.setdefault(str(one["error"]), []).append(one)
    for error, alike in failed.items():
        out.line(f"\n{', '.join(one['id'] for one in alike)} failed: {error}")
        for line in alike[0].get("trace") or ():
            out.line(f"  {line}")
    if skipped := [one for one in ranked if one.get("status") == "skipped"]:
        out.line(f"\n{', '.join(one['id'] for one in skipped)} skipped: {skipped[0].get('why')}")


def _how_far(experiment: dict[str, Any]) -> object:
    """Return what became of an experiment; of one that was stopped early, also on how many rows it was measured."""
    rows = experiment.get("rows")
    return f"stopped after {rows:,} rows" if isinstance(rows, int) else experiment.get("status")


def _rejected(record: dict[str, Any]) -> list[str]:
    """Return why rows of a rejected dataset were not acceptable, the most frequent reason first."""
    found = record.get("report") or {}
    lines = [str(found["cause"])] if found.get("cause") else []
    for why in found.get("reasons") or ():
        first = next(
            (f", first at {key[6:-1]} {why[key][0]}" for key in why if key.startswith("first_") and why[key]), ""
        )
        lines.append(f"{why.get('column') or 'the row'} {why['reason']}: {why['count']:,} rows{first}")
    return lines


def _compared(records: Records, record: dict[str, Any]) -> dict[str, Any]:
    from sml.sentences import ends, said_of  # noqa: PLC0415

    ranked = records.leaderboard(record["run"])
    best = next((one for one in ranked if one.get("id") == record.get("experiment")), {})
    named = (
        "run",
        "status",
        "created",
        "source",
        "rows",
        "rejected_rows",
        "dataset",
        "contract",
        "code",
        "lock",
        "version",
    )
    holdout = (record.get("metrics") or {}).get("holdout") or {}
    scores: dict[str, Any] = {
        f"holdout {name}": value for name, value in holdout.items() if isinstance(value, int | float)
    }
    scores |= {f"holdout {name}, 95 %": ends(record["metrics"], name) for name in holdout}
    crossed = (record.get("metrics") or {}).get("cross_validation") or {}
    scores |= {f"cross-validated {name}": value["mean"] for name, value in crossed.items()}
    return {
        **{
            name: str(record[name])[:16] if name in ("dataset", "contract", "code", "lock") else record[name]
            for name in named
            if record.get(name) is not None
        },
        **{f"parameter {name}": value for name, value in (best.get("params") or {}).items()},
        **scores,
        "experiments": len(ranked),
        **({"weights": said_of(record, "weights")} if record.get("weights") else {}),
    }
