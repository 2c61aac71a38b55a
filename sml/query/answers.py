"""What the numbers of an answer say, by the card of the version that gave it: a class, or a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interface import layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.storage.objects import Objects


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How one version answers."""

    classes: tuple[str, ...] = ()
    """In the order of its numbers; none where it answers numbers, or where nobody knows."""
    is_number: bool = False
    threshold: tuple[int, float] | None = None
    """The class, by its place, that is answered from a probability on, in place of the likeliest one."""

    @classmethod
    def of(cls, card: Mapping[str, Any] | None) -> Answer:
        """Return that of the version of a card; None for a version that is gone."""
        if not isinstance(card, dict):
            return cls()
        target, scores, decision = (card.get(name) or {} for name in ("target", "scores", "threshold"))
        classes = target.get("classes") or scores.get("classes") or ()
        threshold = (int(decision["positive"]), float(decision["value"])) if decision else None
        is_number = not classes and card.get("task") != "finished"
        return cls(classes=tuple(map(str, classes)), is_number=is_number, threshold=threshold)

    def decide(self, outputs: Sequence[float]) -> dict[str, Any]:
        """Return the columns of a table that say what was answered. Raise `LookupError` for too few numbers."""
        if self.is_number:
            return {"predicted_number": outputs[0]}
        if not self.classes:
            return {}
        if self.threshold is not None:
            positive, value = self.threshold
            return {"predicted": self.classes[positive if outputs[positive] >= value else 1 - positive]}
        places = range(len(self.classes))
        return {"predicted": self.classes[max(places, key=lambda at: (outputs[at], -at))]}


class Answers:
    """How the versions of one model answer."""

    def __init__(self, registry: Objects, model: str) -> None:
        self._registry = registry
        self._model = model
        self._cards: dict[str, Mapping[str, Any] | None] = {}

    def card(self, version: str) -> Mapping[str, Any] | None:
        """Return the card of a version; None for one that is gone, or whose card is damaged."""
        if version not in self._cards:
            try:
                card = self._registry.find_json(f"{self._model}/{layout.VERSIONS}{version}/card.json")
            except ValueError:
                card = None
            self._cards[version] = card if isinstance(card, dict) else None
        return self._cards[version]

    def of(self, version: str) -> Answer:
        """Return how a version answers. Raise `LookupError` or `TypeError` for a card that says nonsense."""
        return Answer.of(self.card(version))
