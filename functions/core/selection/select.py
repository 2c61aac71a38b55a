"""The last step before a release: the best experiment, or the finished model, is judged, and registered or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.dataset import Dataset
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.registry.live_pointer import Live
from functions.core.registry.runs import SELECTED, Status, check_recipe
from functions.core.registry.versions import Corrupt, Registry
from functions.core.selection import admission
from functions.core.selection.candidate import best_of
from functions.core.selection.gate import Champion, Check, comparable, judge, probabilities_of
from functions.core.selection.report import Story, render
from functions.core.serving.classifier import Classifier
from functions.core.storage.objects import Missing, Objects
from functions.core.training.metrics import scores
from models.bring_your_own import FILE, GOLDEN, BringYourOwn
from models.catalogue import load
from models.section import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from models.contract import Contract


@dataclass(frozen=True, kw_only=True)
class Selection:
    """One call of the step. `at` is the time of day that records show, `folder` holds the models' own folders."""

    data: Objects
    models: Objects
    at: str
    folder: Path = FOLDER

    def __call__(self, model: str, run: str) -> dict[str, Any]:
        """`{"status": "registered" | "refused", "version": ...}`; the run's record holds every check.

        Raises `NothingTrained`, `Unfinished` and `Outdated`.
        """
        registry = Registry(self.models, model)
        record = registry.read_run(run)
        if record is None:
            raise Missing(f"{model} has no run {run}")
        if record["status"] not in SELECTED:
            contract = load(model, self.folder)
            check_recipe(record, contract, self.folder)
            if isinstance(contract, BringYourOwn):
                changes = self._admit(contract, record)
            else:
                changes = self._select(contract, record)
            # Somebody who was faster has perhaps gone on to release: what they wrote stays.
            record = registry.update_run(
                run, lambda found: found if found["status"] in SELECTED else {**found, **changes}
            )
        refused = record["status"] == Status.REFUSED
        return {"status": str(Status.REFUSED if refused else Status.REGISTERED), "version": record["version"]}

    def _select(self, contract: Contract, record: dict[str, Any]) -> dict[str, Any]:
        """Judge the best experiment and register it if it passes; what the run's record has to say about it."""
        registry, run = Registry(self.models, contract.name), record["run"]
        candidate = best_of(self.models, contract, record)
        self.models.put_json(registry.run_key(run, "leaderboard.json"), {"experiments": candidate.board})
        folder = f"{contract.name}/datasets/{record['dataset']}"
        dataset = Dataset.from_bytes(self.data.get(f"{folder}/data.npz"))
        profile = self.data.get(f"{folder}/profile.json")
        x, y = dataset.x[dataset.holdout], dataset.y[dataset.holdout]
        verdict = judge(contract, candidate.version, self._champion(contract, registry, x), x, y)
        holdout = {} if verdict.probabilities is None else scores(y, verdict.probabilities)
        metrics = {"cross_validation": candidate.experiment["metrics"], "holdout": holdout}
        changes = {
            "experiment": candidate.experiment["id"],
            "metrics": metrics,
            "checks": [check.document() for check in verdict.checks],
            "selected": self.at,
        }
        story = Story(
            contract=contract,
            record=record,
            candidate=candidate,
            verdict=verdict,
            metrics=metrics,
            profile=profile,
            truth=y,
        )
        if verdict.failed:
            self.models.put(registry.run_key(run, "report.html"), render(story))
            return {**changes, "status": Status.REFUSED, "version": None, "cause": _sentence(verdict.failed)}
        version = candidate.version
        extras = {"profile.json": profile, "report.html": render(story)}
        name = registry.register(version.onnx, {**version.card, "metrics": metrics}, version.golden, extras)
        return {**changes, "status": Status.REGISTERED, "version": name}

    def _admit(self, contract: BringYourOwn, record: dict[str, Any]) -> dict[str, Any]:
        """Examine a finished model and register it if it passes; what the run's record has to say about it."""
        registry, run = Registry(self.models, contract.name), record["run"]
        onnx = self.models.get(registry.run_key(run, FILE))
        requests = self.folder / contract.name / GOLDEN
        found = admission.examine(contract, onnx, requests.read_bytes() if requests.is_file() else None)
        page = admission.render(contract, record, found)
        self.models.put(registry.run_key(run, "report.html"), page)
        changes = {"checks": [check.document() for check in found.checks], "selected": self.at}
        if found.failed:
            return {**changes, "status": Status.REFUSED, "version": None, "cause": _sentence(found.failed)}
        made = admission.version(contract, record, onnx, found)
        name = registry.register(made.onnx, made.card, made.golden, {"report.html": page})
        return {**changes, "status": Status.REGISTERED, "version": name}

    def _champion(self, contract: Contract, registry: Registry, x: np.ndarray) -> Champion:
        name = Live(self.models, contract.name).read().champion
        if name is None:
            return Champion(probabilities=None, why_not="there is no champion yet")
        try:
            version = registry.load(name)
            why_not = comparable(version.card, contract)
            if why_not:
                return Champion(probabilities=None, why_not=why_not)
            return Champion(probabilities=probabilities_of(Classifier(version), x))
        except (Corrupt, Missing, BadModel, ModelFailure) as problem:
            return Champion(probabilities=None, why_not=f"the champion cannot be asked: {problem}")


def _sentence(failed: Sequence[Check]) -> str:
    return "; ".join(map(_complaint, failed))


def _complaint(check: Check) -> str:
    if check.bound is None:
        return f"{check.name}: {check.detail}"
    value = "unknown" if check.value is None else f"{check.value:.4g}"
    return f"{check.name} is {value}, bound {check.bound:.4g}" + (f" ({check.detail})" if check.detail else "")
