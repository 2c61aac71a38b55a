"""The assessment of a model that is trained here: of the experiments that serve as trained, the best is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.dataset.dataset import Dataset
from functions.core.dataset.effective_rows import effective
from functions.core.onnx.session import BadModel, ModelFailure
from functions.core.registry.live_pointer import Live
from functions.core.registry.runs import RunUsage, trained_by
from functions.core.registry.versions import Corrupt, Registry, features_of
from functions.core.selection.answer_profile import with_answers
from functions.core.selection.assessment import Assessment
from functions.core.selection.candidate import Experiments, NothingTrained, none_succeeded, recorded
from functions.core.selection.coverage import uncovered
from functions.core.selection.doubts import doubts
from functions.core.selection.exactness import answers_of
from functions.core.selection.failures import check_failures, failures_of, said_of, skipped_of
from functions.core.selection.gate import Champion, comparable, judge
from functions.core.selection.importance import reliance
from functions.core.selection.intervals import intervals
from functions.core.selection.report import Story, render
from functions.core.selection.retold import Untold, retold
from functions.core.selection.seen import seen
from functions.core.serving.opening import open_trained
from functions.core.storage.objects import Missing
from functions.core.training.choice import task_of
from interface import layout
from models.light import replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from functions.core.selection.assessment import Record
    from functions.core.selection.candidate import Candidate
    from functions.core.selection.gate import Verdict
    from models.contract import Contract


@dataclass(frozen=True, kw_only=True)
class TrainedAssessment(Assessment):
    contract: Contract

    def assess(self, record: Record) -> Record:
        """Judge the best experiment of a run, and register it if it passes.

        One whose ONNX file answers otherwise than its estimator is passed over for the next best. Where all
        of them do, the best is refused. Raise `TooManyFailed`.
        """
        folder = f"{self.contract.name}/{layout.DATASETS}{record['dataset']}"
        dataset = Dataset.from_bytes(self.data.get(f"{folder}/data.npz"))
        return replace(self, contract=self.contract.with_learnt(dataset.learnt))._assess(record, dataset)

    def _assess(self, record: Record, dataset: Dataset) -> Record:
        contract, registry, run = self.contract, Registry(self.models, self.contract.name), record["run"]
        folder = f"{contract.name}/{layout.DATASETS}{record['dataset']}"
        experiments = Experiments.read(self.models, contract, record)
        profile = self.data.get(f"{folder}/profile.json")
        without = self._without(experiments.board)
        candidate, verdict, passed_over = self._judged(experiments, dataset)
        board = [line | passed_over.get(line["id"], {}) for line in experiments.board]
        self.models.put_json(registry.run_key(run, "leaderboard.json"), {"experiments": board})
        x, y, weight = dataset.x[dataset.holdout], dataset.y[dataset.holdout], dataset.weight_of(dataset.holdout)
        task = task_of(contract)
        naive = task.naive(y, x, weight)
        holdout = {} if verdict.answers is None else task.scores(y, verdict.answers, weight)
        ends = {} if verdict.answers is None else intervals(task, y, verdict.answers, task.metrics, weight)
        metrics = {
            "cross_validation": candidate.experiment["metrics"],
            "holdout": holdout,
            "holdout_intervals": ends,
            "asked": list(dict.fromkeys(contract.measures)),
            **({"naive": naive} if naive else {}),
        }
        warnings = doubts(contract, verdict.checks, len(y), metrics, weight)
        if contract.interval is not None:
            warnings += uncovered(contract.interval, len(y) if weight is None else effective(weight), holdout)
        goes_by = None if verdict.opened is None else reliance(contract, verdict.opened, x, y, weight)
        report = render(
            Story(
                contract=contract,
                record=record,
                board=board,
                candidate=candidate,
                verdict=verdict,
                metrics=metrics,
                profile=profile,
                truth=y,
                holdout=dataset.of(dataset.holdout),
                weight=weight,
                doubts=warnings,
                goes_by=goes_by,
                used=RunUsage(self.models).document(contract.name, run),
            )
        )
        changes: Record = {
            "experiment": candidate.experiment["id"],
            "metrics": metrics,
            "checks": [check.document() for check in verdict.checks],
            "warnings": warnings,
            **({"decision": candidate.experiment["decision"]} if "decision" in candidate.experiment else {}),
            **({} if contract.interval is None else {"interval": {"coverage": contract.interval.coverage}}),
            "passed_over": [{"experiment": name, **why} for name, why in passed_over.items()],
            "selected": self.at,
            **without,
        }
        if verdict.failed:
            self.models.put(registry.run_key(run, "report.html"), report)
            return self.refused(changes, verdict.failed)
        version = replace(candidate.version, card={**candidate.version.card, "metrics": metrics})
        if verdict.answers is not None:
            profile = with_answers(profile, contract, task, verdict.answers)
        return self.registered(changes, version, {"profile.json": profile, "report.html": report})

    def narrow(self, record: Record, in_round: int | None) -> Record:
        model = self.contract.name
        plan, records = recorded(self.models, model, record["run"])
        number = plan.number(in_round)
        if plan.is_last(number):
            return {}
        names = plan.going_on(records, self.contract.search.measure, number)
        if not names:
            raise NothingTrained(none_succeeded(records.values()))
        return {"experiments": names, "round": number + 1, "trainer": trained_by(model, self.folder)}

    def _without(self, board: Sequence[Record]) -> Record:
        """Return what the record says of experiments that failed or were skipped. Raise `TooManyFailed`."""
        skipped = skipped_of(board, self.contract.search)
        if all(line["status"] != "failed" for line in board):
            return skipped
        failures = failures_of(board)
        check_failures(failures, self.contract.search)
        return {"failures": {**failures, "said": said_of(failures)}, **skipped}

    def _judged(self, experiments: Experiments, dataset: Dataset) -> tuple[Candidate, Verdict, dict[str, Record]]:
        """Return the candidate, its verdict, and why better experiments were passed over, by their ids."""
        champion = self._champion(experiments.run, dataset.x[dataset.holdout])
        candidates = experiments.candidates()
        best = next(candidates)
        refusal = judge(self.contract, best, champion, dataset)
        if refusal.answers is not None:
            return best, refusal, {}
        others: dict[str, Record] = {}
        for candidate in candidates:
            verdict = judge(self.contract, candidate, champion, dataset)
            if verdict.answers is not None:
                return candidate, verdict, {best.experiment["id"]: _passed_over(refusal), **others}
            others[candidate.experiment["id"]] = _passed_over(verdict)
        return best, refusal, others

    def _champion(self, record: Mapping[str, Any], x: np.ndarray) -> Champion:
        """Return the live version's answers to the rows `x` float32 [rows, terms], or why there are none.

        `record` is that of the run whose holdout they are.
        """
        registry = Registry(self.models, self.contract.name)
        name = Live(self.models, self.contract.name).read().champion
        if name is None:
            return Champion(answers=None, why_not="there is no champion yet")
        try:
            version = registry.load(name)
            why_not = comparable(version.card, self.contract)
            if why_not:
                return Champion(answers=None, why_not=why_not)
            told = retold(x, self.contract.features, features_of(version.card))
            answers = answers_of(self.contract, open_trained(version), told)
            answers = task_of(self.contract).beside(answers, told)
            trained = registry.read_run(str(version.card.get("run")))
            return Champion(answers=answers, seen=seen(self.data, version.model, version.card, trained, record, told))
        except Untold as problem:
            return Champion(answers=None, why_not=str(problem))
        except (Corrupt, Missing, BadModel, ModelFailure) as problem:
            return Champion(answers=None, why_not=f"the champion cannot be asked: {problem}")


def _passed_over(verdict: Verdict) -> Record:
    return {"passed_over": verdict.checks[0].detail}
