"""What `sml check` says."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from sml.init.shown import show_table
from sml.init.words import listed, of, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sml.init.verdict import RejectedRow, Verdict

_SHOWN_REASONS = 5


def report(verdict: Verdict, path: Path, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        print(json.dumps(asdict(verdict), indent=2, ensure_ascii=False))
        return
    if verdict.rows:
        print(f"{verdict.model}: {of(verdict.accepted_rows, verdict.rows)} of {path} are accepted")
    if verdict.classes and verdict.accepted_rows:
        print(f"classes: {', '.join(f'{shortened(name, 20)} {count:,}' for name, count in verdict.classes.items())}")
    if verdict.numbers is not None:
        least, greatest = verdict.numbers
        print(f"numbers to predict: from {least:.6g} to {greatest:.6g}")
    for told, names in (
        ("id, given back by jobs", verdict.id),
        ("ignored, as model.yaml says", verdict.ignored),
        ("passed over, as model.yaml does not name them", verdict.passed_over),
    ):
        if names:
            print(f"{told}: {listed(names, 12)}")
    for line in _becoming(verdict):
        print(line)
    if verdict.rejected:
        several = f"{verdict.rejected_rows:,} rows are set aside, the first of them:"
        title = "1 row is set aside:" if verdict.rejected_rows == 1 else several
        rows = [_row(row) for row in verdict.rejected]
        show_table(title, (verdict.unit, "column", "value", "why"), rows)
    for line in _noted(verdict):
        print(line)
    print("this table would be trained on" if verdict.accepted else f"this table would be rejected: {verdict.cause}")


def _becoming(verdict: Verdict) -> Iterator[str]:
    """Yield what columns become, how rows are split, and what they weigh."""
    for name, told in verdict.becomes.items():
        yield f"{shortened(name)} becomes {told}"
    if verdict.series is not None:
        yield f"series: {verdict.series['said']}"
    if verdict.split is not None:
        yield f"split {verdict.split['said']}"
    if verdict.weights is not None:
        yield f"weights {verdict.weights['said']}"


def _noted(verdict: Verdict) -> Iterator[str]:
    """Yield why rows are set aside, and what there is to look at in the others."""
    for reason in verdict.reasons[:_SHOWN_REASONS]:
        told = f"{reason['column']} {reason['reason']}".strip()
        rows = "1 row" if reason["count"] == 1 else f"{reason['count']:,} rows"
        yield f"{rows}: {shortened(told, 300)}"
    for suspect in verdict.suspects:
        yield f"look at: {shortened(suspect['said'], 300)}"


def _row(row: RejectedRow) -> tuple[str, str, str, str]:
    value = "" if row.value is None else repr(shortened(row.value)) if row.value else "(empty)"
    return str(row.location), shortened(row.column) or "(the row)", value, shortened(row.reason, 200)
