"""The last step before a release: what a run has come to is assessed, and registered or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.registry.runs import SELECTED, Status, check_recipe
from functions.core.registry.versions import Registry
from functions.core.selection.bring_your_own import BringYourOwnAssessment
from functions.core.selection.trained import TrainedAssessment
from functions.core.storage.objects import Missing, Objects
from models.catalogue import by_kind, load
from models.section import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from functions.core.selection.assessment import Assessment
    from models.bring_your_own import BringYourOwn
    from models.contract import Contract

NARROWED = "narrowed"
"""The answer after a round that is not the last."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """One call of the step. `at` is the time of day that records show, `folder` holds the models' own folders."""

    data: Objects
    models: Objects
    at: str
    folder: Path = FOLDER

    def __call__(self, model: str, run: str, in_round: int | None = None) -> dict[str, Any]:
        """Return `{"status": "registered" | "refused", "version": ...}`; the run's record holds every check.

        After a round that is not the last: `{"status": "narrowed", "experiments": [...], "round": ...}`, the
        experiments that go on, and the number of their round. None is the last round. Model and run are named, too.

        Raise `NothingTrained`, `TooManyFailed`, `Unfinished` and `Outdated`.
        """
        registry = Registry(self.models, model)
        record = registry.read_run(run)
        if record is None:
            raise Missing(f"{model} has no run {run}")
        about = {"model": model, "run": run}
        if record["status"] not in SELECTED:
            contract = load(model, self.folder)
            check_recipe(record, contract, self.folder)
            assessment = self._assessment(contract)
            if narrowed := assessment.narrow(record, in_round):
                return {**about, "status": NARROWED, "version": None, **narrowed}
            changes = assessment.assess(record)
            # Another delivery of the step has perhaps gone on to release: what it wrote stays.
            record = registry.update_run(
                run, lambda current: current if current["status"] in SELECTED else {**current, **changes}
            )
        refused = record["status"] == Status.REFUSED
        status = str(Status.REFUSED if refused else Status.REGISTERED)
        return {**about, "status": status, "version": record["version"]}

    def _assessment(self, contract: Contract | BringYourOwn) -> Assessment:
        known = vars(self)
        return by_kind(
            contract,
            trained=lambda contract: TrainedAssessment(contract=contract, **known),
            bring_your_own=lambda contract: BringYourOwnAssessment(contract=contract, **known),
        )
