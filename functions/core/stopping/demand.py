"""What is demanded of a stack: that it stop or go on, or that it be told what stopping would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

BUDGET = "the budget"
"""Who demands it where no person does."""
LONGEST = 300
"""Characters of a text that a demand brings."""


class Action(StrEnum):
    STOP = "stop"
    RESUME = "resume"
    REHEARSE = "rehearse"
    """Tell what a stop would do, and do nothing."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One demand, of a person or of the budget."""

    action: Action
    by: str
    why: str = ""
    id: str = ""
    """By which who waits for it knows what came of it."""
    month: str = ""
    """Of a budget: the month whose cost it is about, as `2026-12`. Empty for a person."""
    spent: float | None = None
    """Of a budget that tells every cost: what it is. None: it has said itself that it is too much."""

    @classmethod
    def of_person(cls, message: Mapping[str, Any]) -> Self:
        """Read a demand as `document` writes it. Raise `ValueError` for any other."""
        accepted = ", ".join(Action)
        if message.get("action") not in list(Action):
            raise ValueError(f"the message demands none of {accepted}")
        texts = {name: message.get(name, "") for name in ("by", "why", "id")}
        if not all(isinstance(text, str) for text in texts.values()) or not texts["by"]:
            raise ValueError("the message does not say by whom, why and under which id, as texts")
        return cls(action=Action(message["action"]), **{name: text[:LONGEST] for name, text in texts.items()})

    def document(self) -> dict[str, str]:
        """Return a person's demand as a message."""
        return {"action": self.action, "by": self.by, "why": self.why, "id": self.id}
