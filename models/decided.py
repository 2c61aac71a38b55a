"""Where a model of two classes decides, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def decides(decision: Mapping[str, Any]) -> str:
    """Say where a model of two classes decides, and why there: `from a probability of 0.31 on: the greatest f1 ...`.

    `decision` is that of a card or a record: its threshold, what it was chosen for, and what it comes to on the folds.
    """
    folds = ", ".join(f"{name} {value:.3g}" for name, value in (decision.get("folds") or {}).items())
    return (
        f"from a probability of {decision['threshold']:.4g} on: {decision['for']}{folds and f'; on the folds {folds}'}"
    )
