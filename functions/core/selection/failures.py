"""The experiments of a run that failed: how many, why, and whether that is more than the contract lets pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from models.contract import Search

MOST_REASONS = 10
LONGEST = 300
"""Letters of a reason in a sentence."""


class TooManyFailed(RuntimeError):
    """More experiments failed than the contract lets pass. The text has the reasons, the most frequent first."""


def failures_of(board: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many experiments of a leaderboard failed, of how many, and why, the most frequent reason first."""
    reasons: dict[str, list[str]] = {}
    for line in board:
        if line["status"] == "failed":
            reasons.setdefault(str(line["error"]), []).append(line["id"])
    by_frequency = sorted(reasons.items(), key=lambda item: -len(item[1]))
    return {
        "failed": sum(map(len, reasons.values())),
        "of": len(board),
        "reasons": [{"error": error, "experiments": names} for error, names in by_frequency[:MOST_REASONS]],
    }


def said_of(failures: Mapping[str, Any]) -> str:
    """Say how many experiments failed, and why: `2 of 20 experiments failed: 2 by ValueError: no`."""
    return f"{failures['failed']} of {failures['of']} experiments failed: {'; '.join(_reasons(failures['reasons']))}"


def _reasons(reasons: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    return (f"{len(one['experiments'])} by {one['error'][:LONGEST]}" for one in reasons)


def check_failures(failures: Mapping[str, Any], search: Search) -> None:
    """Raise `TooManyFailed` where more experiments failed than `search` lets pass."""
    most, share = search.maximum_failed_share, failures["failed"] / failures["of"]
    if share > most:
        raise TooManyFailed(f"{said_of(failures)}; search.maximum_failed_share lets {most:.0%} pass")
