"""What truths say of a challenger: how much farther from them its answers are than those of the champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from functions.core.release.evidence import evidence_above, evidence_of_less_loss, loss_shown_at_most
from functions.core.release.question import Question, rounded

_EVEN = 0.5
"""Of what the two differ by, the challenger's disadvantage is half where none of them is better."""


@dataclass(frozen=True, kw_only=True)
class LossQuestion(Question):
    """The loss: of each pair of answers from -1 to 1, above 0 where the champion's is nearer to the truth.

    `count` are pairs with truths, `total` is what was lost where the challenger was worse.
    """

    better: float
    """What was won where it was better."""
    is_expected: bool
    """Whether a promotion waits for truths; else they are asked once there are any."""
    one_class: str = ""
    """The one class that all truths were of; "" where there were several, or none, or numbers."""
    early: int = 0
    """Truths that came before their requests, and do not count."""

    @property
    def is_asked(self) -> bool:
        return self.is_expected or self.count > 0

    @property
    def against(self) -> float:
        """The evidence that the challenger is farther from the truths than the champion."""
        return evidence_above(self.total, self.total + self.better, _EVEN)

    @property
    def right_more_often(self) -> float:
        """The evidence that it is nearer to them."""
        return self._said_of_all(evidence_above(self.better, self.total + self.better, _EVEN))

    @property
    def in_favour(self) -> float:
        """The evidence that the loss is below what is unacceptable."""
        return self._said_of_all(evidence_of_less_loss(self.total, self.better, self.count, self.unacceptable))

    def shown(self, risk: float) -> float:
        """Return the loss below which the outcomes show this one to be."""
        return loss_shown_at_most(self.total, self.better, self.count, risk)

    @property
    def rate(self) -> float:
        return (self.total - self.better) / self.count if self.count else 0.0

    def document(self) -> dict[str, Any]:
        more = {"worse": rounded(self.total), "better": rounded(self.better), "early": self.early}
        return {**super().document(), **more, "right_more_often": rounded(self.right_more_often)}

    def _said_of_all(self, evidence: float) -> float:
        """Return evidence for a challenger; no more than none where all truths are of one class.

        One that always answers this class would be right each time.
        """
        return min(evidence, 1.0) if self.one_class else evidence
