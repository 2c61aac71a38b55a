"""Rehearse: a version answers what callers asked in the last days, before a single caller sees it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sml.file import require_place
from sml.mistake import FAILED, Mistake
from sml.named import ModelVersion, parted
from sml.options import Seconds
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from functions.core.release.judge import Verdict
    from functions.core.release.rollout_metrics import RolloutMetrics
    from functions.core.release.weighing import Weighing
    from sml.output import Output
    from sml.rehearsal import Rehearsal
    from sml.rehearsed_truths import RehearsedTruths

CAPTURES = "captures"
JOB_SECONDS = 3600.0
QUESTIONS = {
    "about": "question",
    "outcomes": "outcomes",
    "rate": "rate",
    "allowed": "allowed",
    "against": "evidence against",
    "in_favour": "evidence for",
}
QUALITY = {
    "metric": "metric",
    "candidate": "this version",
    "between": "95 of 100",
    "champion": "champion",
    "champion_between": "95 of 100",
    "rows": "rows",
    "beside": "of",
}
VERDICTS = {"pass": "it would be promoted", "fail": "it would be withdrawn"}


@on_stack
def rehearse(  # noqa: PLR0913, PLR0917 - an option each
    session: Session,
    model: ModelVersion,
    against: Annotated[
        str, typer.Option("--against", help="What is asked: captures, which hold what callers asked.")
    ] = CAPTURES,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="Of how many days, today included.")] = 7,
    most: Annotated[
        int, typer.Option("--most", min=1, help="Requests at most: of more, an even share is asked.")
    ] = 10_000,
    differing: Annotated[
        Path | None,
        typer.Option("--differing", help="A file for the rows that are answered otherwise, a line of JSON each."),
    ] = None,
    by_job: Annotated[
        bool, typer.Option("--by-job", help="Have a job of the stack answer, in place of this machine.")
    ] = False,
    timeout: Seconds = JOB_SECONDS,
) -> None:
    """Ask a version what callers asked the champion, here or by a job, and judge it as a canary is."""
    from functions.core.watching.qualities import answered_of  # noqa: PLC0415 - numpy takes long to import
    from sml.rehearsal import contract_of  # noqa: PLC0415
    from sml.rehearsed_truths import truths_of  # noqa: PLC0415
    from sml.rehearsed_verdict import judged  # noqa: PLC0415

    model, named = parted(model)
    if against != CAPTURES:
        raise Mistake(f"--against: {against!r} is nothing that can be asked; accepted: {CAPTURES}")
    if differing is not None:
        require_place(differing)
    out, found = session.out, session.stack
    records = found.records(model)
    if named is None:
        raise Mistake(
            f"which version of {model}? `{found.typed('versions', model)}` lists them; accepted: MODEL@VERSION"
        )
    version, contract = str(records.version(named)["version"]), contract_of(model)
    answered = answered_of(contract)
    stage = _stage(session, model, contract, answered, seconds=timeout if by_job else None)
    rehearsal = stage.rehearse(version, days, most=most, say=out.say)
    truths = truths_of(found, contract, answered, rehearsal, stage.requests.card, time.time())
    metrics, weighing, verdict = judged(rehearsal, contract.rollout, truths)
    if differing is not None:
        lines = [json.dumps(one, ensure_ascii=False) for one in rehearsal.differing]
        differing.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    told = None if truths is None else truths.document()
    document = {**_document(rehearsal, verdict, metrics, weighing), "truths": told}
    said = [] if truths is None else list(truths.lines())
    out.result(document, *_lines(rehearsal, f"{VERDICTS[verdict.decision]}: {verdict.reason}", said, differing))
    if not out.as_json:
        _show(out, weighing, truths)
    if verdict.decision == "fail":
        raise typer.Exit(FAILED)


def _stage(session: Session, model: str, contract: Any, answered: Any, *, seconds: float | None) -> Any:
    """Return where a version answers: this machine, or a job that is waited for so many seconds."""
    from models.catalogue import labels_of  # noqa: PLC0415 - contracts take long to import

    if seconds is not None:
        from sml.job_stage import JobStage  # noqa: PLC0415 - numpy takes long to import

        return JobStage(session.stack, model, answered, seconds=seconds)
    from sml.stage import Stage  # noqa: PLC0415

    return Stage(session.stack, model, answered if labels_of(contract) is not None else None)


def _document(rehearsal: Rehearsal, verdict: Verdict, metrics: RolloutMetrics, weighing: Weighing) -> dict[str, Any]:
    return {
        "model": rehearsal.model,
        "version": rehearsal.version,
        "from": rehearsal.first,
        "to": rehearsal.last,
        "by_job": rehearsal.job or None,
        "answered_then": dict(rehearsal.answered_then),
        "rows": rehearsal.rows,
        "differing_rows": len(rehearsal.differing),
        "moved": rehearsal.moved,
        "passed_over": dict(rehearsal.passed_over),
        "decision": verdict.decision,
        "reason": verdict.reason,
        "metrics": metrics.document(),
        "weighing": weighing.document(),
    }


def _show(out: Output, weighing: Weighing, truths: RehearsedTruths | None) -> None:
    questions = weighing.document()["questions"]
    out.table([{"about": about, **one} for about, one in questions.items()], QUESTIONS, empty="")
    if truths is None:
        return
    from sml.rehearsed_truths import metrics_shown  # noqa: PLC0415 - numpy takes long to import

    if shown := metrics_shown(truths.quality, truths.answered.measure):
        out.line("")
        rows = [
            {**one, "between": _between(one["interval"]), "champion_between": _between(one["champion_interval"])}
            for one in shown
        ]
        out.table(rows, QUALITY, empty="")


def _between(interval: list[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}"


def _lines(rehearsal: Rehearsal, verdict: str, truths: list[str], file: Path | None) -> list[str]:
    then = ", ".join(f"{version[:6]} ({count:,})" for version, count in rehearsal.answered_then.most_common())
    by = " by a job" if rehearsal.job else ""
    lines = [
        f"{rehearsal.model} @ {rehearsal.version[:6]}, asked{by} what callers asked from {rehearsal.first} to"
        f" {rehearsal.last}: {len(rehearsal.records):,} requests, {rehearsal.rows:,} rows, answered then by {then}",
        verdict,
    ]
    lines += [f"not asked: {count:,} requests {why}" for why, count in rehearsal.passed_over.most_common()]
    if len(rehearsal.answered_then) > 1:
        lines.append(f"{len(rehearsal.answered_then)} versions answered then: a promotion lies between")
    if rehearsal.moved:
        lines.append(f"{rehearsal.moved:,} requests are answered otherwise here than then, by the same version")
    if rehearsal.differing:
        where = f": {file} has them" if file else "; --differing FILE writes them down"
        lines.append(f"{len(rehearsal.differing):,} rows are answered otherwise, or not at all{where}")
    return [*lines, *truths, ""]
