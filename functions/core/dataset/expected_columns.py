"""Whether a table has the columns that a contract expects, and which of its names may have been meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.table import ACCEPTED

if TYPE_CHECKING:
    from functions.core.dataset.wanted import Facts, Rows
    from models.contract import Contract

LISTED = 100
"""Names that are listed, and letters of each."""


def no_row(rows: Rows) -> RejectedDataset:
    """Return why a file without columns is rejected: by the first of its lines, none of which is a row."""
    faulty = [some.refused[min(some.refused)] for some in rows if some.refused]
    if not faulty:
        return RejectedDataset("the file has no columns and no rows")
    return RejectedDataset(f"{rows.facts.unit} {faulty[0].location}: {faulty[0].faults[0][1]}; {ACCEPTED}")


def check_columns(facts: Facts, contract: Contract) -> list[str]:
    """Return the columns that nothing asks for. Raise `RejectedDataset` where some lack, or more are not allowed."""
    optional = {feature.name for feature in contract.columns if feature.missing != "reject"}
    if facts.format != "JSON Lines":  # whose writers often leave out what is missing
        optional = set()
    expected = [*(feature.name for feature in contract.columns), contract.target.name]
    expected += [name for name in contract.row_columns if name not in expected]
    optional -= {*contract.row_columns}
    missing = [name for name in expected if name not in facts.columns and name not in optional]
    extra = [name for name in facts.columns if name not in {*expected, *contract.id, *contract.ignore}]
    if not missing and (not extra or contract.quality.extra_columns == "ignore"):
        return [name[:LISTED] for name in extra]
    if len(missing) == len(expected):
        named = ", ".join(expected[:10]) + (f", ... ({len(expected)} in all)" if len(expected) > 10 else "")
        raise RejectedDataset(
            f"the file names none of the expected columns, which are {named}; it begins with {_begin(facts.columns)}",
            missing_columns=missing,
        )
    problems = [
        f"{name[:LISTED] or '(a column without a name)'} is not expected{_meant_for(name, missing or expected)}"
        for name in extra
    ]
    problems += [f"{name} is missing" for name in missing]
    raise RejectedDataset(
        "; ".join(problems[:10]) + (f"; and {len(problems) - 10} more" if len(problems) > 10 else ""),
        missing_columns=missing,
        unexpected_columns=[name[:LISTED] for name in extra[:LISTED]],
    )


def _begin(columns: tuple[str, ...]) -> str:
    """Return the first names of a header, short enough for a sentence."""
    first = ", ".join(repr(name[:40]) for name in columns[:5])
    return first + (f", ... ({len(columns)} in all)" if len(columns) > 5 else "")


def _meant_for(name: str, candidates: list[str]) -> str:
    """Return a question after the candidate that a name may have been meant for; nothing where none is near."""
    near = sorted(candidates, key=lambda other: -_likeness(name, other))[:1]
    return f"; did you mean {near[0]}?" if near and _likeness(name, near[0]) > 0.6 else ""


def _likeness(one: str, other: str) -> float:
    """Return how alike two names are, 0 to 1, also by their words in any order: radius_mean, mean_radius."""
    words = [" ".join(sorted(name.lower().replace("_", " ").replace("-", " ").split())) for name in (one, other)]
    return max(
        difflib.SequenceMatcher(None, one[:100].lower(), other.lower()).ratio(),
        difflib.SequenceMatcher(None, words[0][:100], words[1]).ratio(),
    )
