"""The experiments of a run that failed, or were skipped: how many, why, and whether the contract lets so many fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.plan import SKIPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from models.contract import Search

MOST_REASONS = 10
LONGEST = 300
"""Letters of a reason in a sentence."""


class TooManyFailed(RuntimeError):
    """More experiments failed than the contract lets pass. The text has the reasons, the most frequent first."""


def failures_of(board: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many experiments of a leaderboard failed, of how many that ran, and why, the most frequent first."""
    reasons: dict[str, list[str]] = {}
    for line in board:
        if line["status"] == "failed":
            reasons.setdefault(str(line["error"]), []).append(line["id"])
    by_frequency = sorted(reasons.items(), key=lambda item: -len(item[1]))
    return {
        "failed": sum(map(len, reasons.values())),
        "of": len(board) - skipped_in(board),
        "reasons": [{"error": error, "experiments": names} for error, names in by_frequency[:MOST_REASONS]],
    }


def skipped_in(board: Iterable[Mapping[str, Any]]) -> int:
    """Return how many experiments of a leaderboard were skipped."""
    return sum(line["status"] == SKIPPED for line in board)


def skipped_of(board: Sequence[Mapping[str, Any]], search: Search) -> dict[str, Any]:
    """Return `{"skipped": ...}`, how many experiments were skipped and why; nothing where none was."""
    skipped = skipped_in(board)
    if not skipped:
        return {}
    cap = "what a run may use" if search.budget is None else f"the cap of {search.budget.words}"
    told = f"{len(board) - skipped} of {len(board)} experiments, then {cap}"
    return {"skipped": {"skipped": skipped, "of": len(board), "said": told}}


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
