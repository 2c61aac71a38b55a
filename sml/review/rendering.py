"""Documents, rendered: the reports of a review, and the comments as JSON for whoever posts them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sml.mistake import Mistake
from sml.review.compose import compose
from sml.review.documents import Review
from sml.review.markdown import comment, marker
from sml.review.report import Report


def reports(folder: Path) -> list[Report]:
    """Return a report for each stack of the documents in a folder. Raise `Mistake` for documents that are damaged."""
    review = Review.read(folder)
    try:
        return [compose(review, stack, folder) for stack in review.stacks]
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as problem:
        raise Mistake(f"the documents in {folder} cannot be compared: {type(problem).__name__}: {problem}") from None


def comments(found: Iterable[Report]) -> list[dict[str, Any]]:
    """Return what is to be posted: for each stack its Markdown, its marker, and whether there is anything to tell."""
    return [
        {
            "stack": report.stack,
            "changed": report.changed,
            "marker": marker(report.stack),
            "body": comment(report),
        }
        for report in found
    ]
