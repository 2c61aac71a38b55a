"""Rehearse: a version answers what callers asked in the last days, before a single caller sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sml.mistake import FAILED, Mistake
from sml.named import ModelVersion, parted
from sml.session import Session, on_stack

if TYPE_CHECKING:
    from sml.rehearsal import Rehearsal

CAPTURES = "captures"
QUESTIONS = {
    "about": "question",
    "outcomes": "outcomes",
    "rate": "rate",
    "allowed": "allowed",
    "against": "evidence against",
    "in_favour": "evidence for",
}
VERDICTS = {"pass": "it would be promoted", "fail": "it would be withdrawn"}


@on_stack
def rehearse(
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
) -> None:
    """Ask a version here what callers asked the champion, and judge it as a canary is."""
    from sml.rehearsal import rules_of  # noqa: PLC0415 - the judge takes long to import
    from sml.stage import Stage  # noqa: PLC0415 - numpy takes long to import

    model, named = parted(model)
    if against != CAPTURES:
        raise Mistake(f"--against: {against!r} is nothing that can be asked; accepted: {CAPTURES}")
    out, found = session.out, session.stack
    records = found.records(model)
    if named is None:
        raise Mistake(
            f"which version of {model}? `{found.typed('versions', model)}` lists them; accepted: MODEL@VERSION"
        )
    version, rules = str(records.version(named)["version"]), rules_of(model)
    rehearsal = Stage(found, model).rehearse(version, days, most=most, say=out.say)
    metrics, weighing, verdict = rehearsal.judged(rules)
    if differing is not None:
        lines = [json.dumps(one, ensure_ascii=False) for one in rehearsal.differing]
        differing.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    document = {
        "model": model,
        "version": version,
        "from": rehearsal.first,
        "to": rehearsal.last,
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
    out.result(document, *_lines(rehearsal, f"{VERDICTS[verdict.decision]}: {verdict.reason}", differing))
    if not out.as_json:
        questions = weighing.document()["questions"]
        out.table([{"about": about, **one} for about, one in questions.items()], QUESTIONS, empty="")
    if verdict.decision == "fail":
        raise typer.Exit(FAILED)


def _lines(rehearsal: Rehearsal, verdict: str, file: Path | None) -> list[str]:
    then = ", ".join(f"{version[:6]} ({count:,})" for version, count in rehearsal.answered_then.most_common())
    lines = [
        f"{rehearsal.model} @ {rehearsal.version[:6]}, asked what callers asked from {rehearsal.first} to"
        f" {rehearsal.last}: {len(rehearsal.records):,} requests, {rehearsal.rows:,} rows, answered then by {then}",
        verdict,
    ]
    lines += [f"not asked: {count:,} requests {why}" for why, count in rehearsal.passed_over.most_common()]
    if rehearsal.moved:
        lines.append(f"{rehearsal.moved:,} requests are answered otherwise here than then, by the same version")
    if rehearsal.differing:
        where = f": {file} has them" if file else "; --differing FILE writes them down"
        lines.append(f"{len(rehearsal.differing):,} rows are answered otherwise, or not at all{where}")
    return [*lines, ""]
