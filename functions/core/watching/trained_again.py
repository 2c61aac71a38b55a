"""What follows from a check: a training that is asked for, or the line of the log that says why none is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.storage.objects import Conflict
from functions.core.watching.retraining import Retraining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.log import Log
    from functions.core.storage.objects import Objects
    from interface.retraining import RetrainingPolicy


@dataclass(frozen=True, kw_only=True)
class TrainedAgain:
    """Asks for trainings of a stack's models. Without a policy there is none to ask for."""

    policy: RetrainingPolicy | None
    models: Objects
    captures: Objects
    data: Objects
    log: Log

    def after(self, model: str, check: Mapping[str, Any], now: float) -> None:
        """Ask for a training of a model if its newest check is a cause, and say what came of that and of those before.

        `now` is in seconds since 1970. What keeps it from that is logged.
        """
        if self.policy is None:
            return
        try:
            self._after(model, check, self.policy, now)
        except Conflict:
            self.log.info("training not asked for: somebody else did meanwhile", model=model)
        except Exception as problem:
            self.log.error("training not asked for", problem=problem, model=model, metric="NotTrainedAgain")

    def _after(self, model: str, check: Mapping[str, Any], policy: RetrainingPolicy, now: float) -> None:
        asked = Retraining(model, models=self.models, captures=self.captures, data=self.data)
        decision, in_vain = asked.consider(policy, causes_of(check), now)
        for one in in_vain:
            about = {"cause": one.cause, "status": one.status, "source": one.source}
            self.log.warning("trained again in vain", model=model, **about, metric="TrainedInVain")
        if decision.begin:
            self.log.info("trained again", model=model, cause=decision.cause, said=decision.said)
        elif decision.cause is not None:
            about = {"cause": decision.cause, "said": decision.said}
            self.log.warning("not trained again", model=model, **about, metric="NotTrainedAgain")


def causes_of(check: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a check has seen that may have the model trained again: the causes, each with its sentence."""
    quality = check.get("quality", {})
    found = [("drift", check["said"])] if check["confirmed"] else []
    return found + ([("quality", quality["said"])] if quality.get("state") == "below" else [])
