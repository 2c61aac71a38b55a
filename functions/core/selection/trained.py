"""The assessment of a model that is trained here: the best experiment is held against the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.dataset.dataset import Dataset
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.registry.live_pointer import Live
from functions.core.registry.versions import Corrupt, Registry
from functions.core.selection.assessment import Assessment
from functions.core.selection.candidate import best_of
from functions.core.selection.gate import Champion, comparable, judge, probabilities_of
from functions.core.selection.report import Story, render
from functions.core.serving.classifier import Classifier
from functions.core.storage.objects import Missing
from functions.core.training.metrics import scores
from interface import layout
from models.light import replace

if TYPE_CHECKING:
    import numpy as np

    from functions.core.selection.assessment import Record
    from models.contract import Contract


@dataclass(frozen=True, kw_only=True)
class TrainedAssessment(Assessment):
    contract: Contract

    def assess(self, record: Record) -> Record:
        """Judge the best experiment of a run, and register it if it passes."""
        contract, registry, run = self.contract, Registry(self.models, self.contract.name), record["run"]
        candidate = best_of(self.models, contract, record)
        self.models.put_json(registry.run_key(run, "leaderboard.json"), {"experiments": candidate.board})
        folder = f"{contract.name}/{layout.DATASETS}{record['dataset']}"
        dataset = Dataset.from_bytes(self.data.get(f"{folder}/data.npz"))
        profile = self.data.get(f"{folder}/profile.json")
        x, y = dataset.x[dataset.holdout], dataset.y[dataset.holdout]
        verdict = judge(contract, candidate.version, self._champion(registry, x), x, y)
        holdout = {} if verdict.probabilities is None else scores(y, verdict.probabilities)
        metrics = {"cross_validation": candidate.experiment["metrics"], "holdout": holdout}
        report = render(
            Story(
                contract=contract,
                record=record,
                candidate=candidate,
                verdict=verdict,
                metrics=metrics,
                profile=profile,
                truth=y,
            )
        )
        changes: Record = {
            "experiment": candidate.experiment["id"],
            "metrics": metrics,
            "checks": [check.document() for check in verdict.checks],
            "selected": self.at,
        }
        if verdict.failed:
            self.models.put(registry.run_key(run, "report.html"), report)
            return self.refused(changes, verdict.failed)
        version = replace(candidate.version, card={**candidate.version.card, "metrics": metrics})
        return self.registered(changes, version, {"profile.json": profile, "report.html": report})

    def _champion(self, registry: Registry, x: np.ndarray) -> Champion:
        """Return the live version's answers to the rows `x` float32 [rows, features], or why there are none."""
        name = Live(self.models, self.contract.name).read().champion
        if name is None:
            return Champion(probabilities=None, why_not="there is no champion yet")
        try:
            version = registry.load(name)
            why_not = comparable(version.card, self.contract)
            if why_not:
                return Champion(probabilities=None, why_not=why_not)
            return Champion(probabilities=probabilities_of(Classifier(version), x))
        except (Corrupt, Missing, BadModel, ModelFailure) as problem:
            return Champion(probabilities=None, why_not=f"the champion cannot be asked: {problem}")
