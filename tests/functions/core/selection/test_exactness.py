from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.selection.exactness import answers_of, compare
from functions.core.serving.classifier import Classifier
from functions.core.serving.tabular import Tabular
from functions.core.training import experiment
from functions.core.training.answers import with_gaps
from functions.core.training.class_answers import ClassAnswers, Threshold, undecided
from functions.core.training.experiment import Training
from models.contract import Contract
from tests.functions.bench import MODEL, TRAINING, Bench, contract, csv
from tests.functions.two_classes import TWO

HERE = Path(__file__).parent
CLAIMS: dict[str, Any] = {
    "features": [
        {"name": "days", "kind": "integer", "minimum": 0, "maximum": 20_000_000, "missing": "keep"},
        {"name": "rate", "minimum": 0.1, "maximum": 0.7},
        {"name": "plan", "kind": "category", "categories": ["1", "2"]},
        {"name": "vip", "kind": "boolean"},
    ],
    "target": {"name": "paid", "classes": ["0", "1"]},
    "quality": {"minimum_rows": 50, "maximum_rejected_share": 0.1},
    "search": {"metric": "accuracy", "folds": 3, "seed": 3, "families": [{"family": ["forest"]}]},
    "gate": {"metric": "accuracy", "minimum": 0.0, "slices": []},
}
PLAIN: dict[str, Any] = {
    "features": [{"name": "a"}, {"name": "b"}],
    "target": {"name": "left", "classes": ["no", "yes"]},
    "quality": {"minimum_rows": 10, "maximum_rejected_share": 0.3},
    "search": {"metric": "f1", "folds": 2, "seed": 1, "families": [{"family": ["x"]}]},
    "gate": {"metric": "f1", "minimum": 0.0, "slices": []},
}


TUNED: dict[str, Any] = {"scoring": "f1", "thresholds": 20}
"""How a threshold is chosen: each of these is tried on every fold."""
OTHER_SCALE = {**TUNED, "response_method": "decision_function"}
"""A threshold that is none of probabilities."""


def plain_rows(count: int = 300) -> bytes:
    draw = random.Random(5)  # noqa: S311 - the same rows each time
    lines = ["a,b,left"]
    for _ in range(count):
        a, b = draw.gauss(0, 1), draw.gauss(0, 1)
        lines.append(f"{a:.4f},{b:.4f},{'yes' if a + draw.gauss(0, 1.2) > 0.9 else 'no'}")
    return ("\n".join(lines) + "\n").encode()


@dataclass
class Trained:
    """A run of one or more estimators over a file, with what they are."""

    bench: Bench
    run: str
    answer: dict[str, Any]
    estimators: list[Any]
    """The last fit of each experiment, in order: the one that is exported."""

    @property
    def record(self) -> dict[str, Any]:
        return self.bench.record(self.run)

    @property
    def served(self) -> Classifier:
        return Classifier(self.bench.registry.load(self.answer["version"]))

    @property
    def x(self) -> np.ndarray:
        from functions.core.dataset.dataset import Dataset

        return Dataset.from_bytes(self.bench.data.get(f"{MODEL}/datasets/{self.record['dataset']}/data.npz")).x


Train = Callable[..., Trained]


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Return a function that trains by `fits`, one for each experiment, and selects."""

    def trained(data: bytes, settings: dict[str, Any], *fits: Callable[[Any, Any], Any]) -> Trained:
        bench, estimators = Bench(folder=tmp_path), {}

        def fit(x: np.ndarray, y: np.ndarray, params: dict[str, Any]) -> Any:
            estimators[params["at"]] = fits[params["at"]](x, y)
            return estimators[params["at"]]

        search = {**settings["search"], "families": [{"at": list(range(len(fits)))}]}
        bench.write_model(TRAINING, **{**settings, "search": search})
        monkeypatch.setattr(experiment.Training, "load", lambda *_: Training(fit=fit))
        run, answer = bench.run_through(data)
        return Trained(bench, run, answer, [estimators[at] for at in sorted(estimators)])

    return trained


def check_of(trained: Trained) -> dict[str, Any]:
    return next(check for check in trained.record["checks"] if check["name"] == "serves as trained")


def test_a_missing_number_is_answered_as_the_forest_answers_it(train: Train) -> None:
    data = (HERE / "claims.csv").read_bytes()
    found = train(data, CLAIMS, RandomForestClassifier(n_estimators=20, max_depth=4, random_state=0).fit)
    assert found.answer["status"] == "registered"
    served, [estimator] = found.served, found.estimators
    row = {"days": None, "rate": 0.3, "plan": "1", "vip": True}
    [answered] = served.predictions(served.answer(served.encode([row])), 1)
    [wanted] = estimator.predict_proba(np.array([[np.nan, 0.3, 0, 1]], dtype=np.float32))
    assert answered["probabilities"]["1"] == pytest.approx(wanted[1], abs=1e-6)
    assert answered["label"] == "0"


def test_a_file_that_sends_missing_values_elsewhere_is_refused_with_its_rows(train: Train) -> None:
    bagging = BaggingClassifier(DecisionTreeClassifier(max_depth=4), 5, random_state=0)
    found = train((HERE / "claims.csv").read_bytes(), CLAIMS, bagging.fit)
    assert (found.answer["status"], found.answer["version"]) == ("refused", None)
    [check] = found.record["checks"]
    assert check["name"] == "serves as trained"
    assert "rows otherwise than the estimator; row " in check["detail"]
    assert "(days=missing, rate=0." in check["detail"]
    assert "vip=true" in check["detail"] or "vip=false" in check["detail"]
    assert check["detail"].endswith("fill such values in a pipeline, or take a HistGradientBoostingClassifier")
    assert b"days=missing" in found.bench.models.get(f"{MODEL}/runs/{found.run}/report.html")


def test_what_no_row_of_the_dataset_lacks_is_compared_on_rows_made_up(train: Train) -> None:
    gaps = {**PLAIN, "features": [{"name": "a", "missing": "keep"}, {"name": "b"}]}
    found = train(plain_rows(), gaps, BaggingClassifier(DecisionTreeClassifier(), 5, random_state=0).fit)
    assert not np.isnan(found.x).any()
    assert found.answer["status"] == "refused"
    assert "of 400 rows otherwise" in check_of(found)["detail"]
    assert "a=missing" in check_of(found)["detail"]
    logistic = train(plain_rows(), gaps, LogisticRegression().fit)
    assert check_of(logistic)["detail"] == "onnxruntime answers all 300 rows as the estimator does"


def test_every_row_is_compared_also_those_that_are_kept_out(train: Train) -> None:
    found = train(plain_rows(), PLAIN, LogisticRegression().fit)
    assert check_of(found)["detail"] == "onnxruntime answers all 300 rows as the estimator does"
    assert 0 < check_of(found)["value"] < 1e-6


def test_the_label_of_a_tuned_threshold_is_served_and_judged(train: Train) -> None:
    found = train(plain_rows(), PLAIN, TunedThresholdClassifierCV(LogisticRegression(), **TUNED).fit)
    served, [estimator], x = found.served, found.estimators, found.x
    answers = served_by(served, x)
    assert answers.labels.tolist() == estimator.predict(x).tolist()
    assert (answers.labels != answers.probabilities.argmax(axis=1)).any(), "or this shows nothing"
    [judged] = [check["value"] for check in found.record["checks"] if check["name"] == "f1"]
    from functions.core.dataset.dataset import Dataset

    dataset = Dataset.from_bytes(found.bench.data.get(f"{MODEL}/datasets/{found.record['dataset']}/data.npz"))
    holdout, y = answers.of(dataset.holdout), dataset.y[dataset.holdout]
    assert judged == TWO.score("f1", y, holdout) != TWO.score("f1", y, ClassAnswers.likeliest(holdout.probabilities))
    version = found.bench.registry.load(found.answer["version"])
    assert version.card["threshold"]["positive"] == 1
    assert set(version.golden["labels"]) <= {0, 1, None}


def test_a_label_that_the_file_forgets_is_refused_and_the_sentence_says_what_to_do(train: Train) -> None:
    found = train(plain_rows(), PLAIN, TunedThresholdClassifierCV(LogisticRegression(), **OTHER_SCALE).fit)
    assert found.answer["status"] == "refused"
    detail = found.record["cause"]
    assert "the estimator says yes with 0." in detail
    assert "The probabilities are the same: the estimator's predict decides otherwise than its export" in detail


def test_an_uncalibrated_estimator_is_served_as_it_decides(train: Train) -> None:
    found = train(plain_rows(120), PLAIN, lambda x, y: SVC(probability=True, random_state=0).fit(x, y))
    [estimator] = found.estimators
    assert served_by(found.served, found.x).labels.tolist() == estimator.predict(found.x).tolist()


def test_the_next_best_experiment_is_taken_where_the_best_serves_otherwise(train: Train) -> None:
    def forgetful(x: np.ndarray, y: np.ndarray) -> Any:
        return TunedThresholdClassifierCV(LogisticRegression(), **OTHER_SCALE).fit(x, y)

    found = train(plain_rows(), PLAIN, lambda x, y: make_pipeline(LogisticRegression()).fit(x, y), forgetful)
    assert found.answer["status"] == "registered"
    assert found.record["experiment"] == "e0"
    [passed_over] = found.record["passed_over"]
    assert passed_over["experiment"] == "e1"
    assert "otherwise than the estimator" in passed_over["passed_over"]
    board = found.bench.models.get_json(f"{MODEL}/runs/{found.run}/leaderboard.json")["experiments"]
    assert [("passed_over" in line, line["id"]) for line in board] == [(True, "e1"), (False, "e0")]
    report = found.bench.models.get(f"{MODEL}/versions/{found.answer['version']}/report.html").decode()
    assert "passed over" in report


def test_probabilities_are_within_their_range_in_every_answer(train: Train) -> None:
    data = (HERE / "claims.csv").read_bytes()
    found = train(data, CLAIMS, RandomForestClassifier(n_estimators=20, max_depth=4, random_state=0).fit)
    probabilities = served_by(found.served, found.x).probabilities
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-6


def test_a_champion_is_compared_by_what_its_callers_get(tmp_path: Path) -> None:
    """Whose label is always "no", whatever its probabilities are."""
    bench = Bench(folder=tmp_path)
    stubborn = TRAINING.replace('["probabilities"], ["label"], axis=1, keepdims=0)', '["zeros"], ["label"], axis=1)')
    stubborn = stubborn.replace(
        'helper.make_node("ArgMax", ["zeros"], ["label"], axis=1)',
        'helper.make_node("ReduceSum", ["features", "axes"], ["sum"], keepdims=0),'
        ' helper.make_node("Sub", ["sum", "sum"], ["zeros"]),'
        ' helper.make_node("Cast", ["zeros"], ["label"], to=TensorProto.INT64)',
    ).replace('"one": np.ones(1, dtype=np.float32)', '"one": np.ones(1, dtype=np.float32), "axes": np.array([1])')
    predicts = stubborn.replace(
        "class Linear:", "class Linear:\n    def predict(self, x):\n        return np.zeros(len(x), dtype=int)\n"
    )
    lenient = {"metric": "accuracy", "minimum": 0.0, "slices": []}
    bench.write_model(predicts, gate=lenient)
    _, first = bench.run_through(csv())
    assert first["status"] == "registered"
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, first["version"], "run", 0.0))
    bench.write_model(gate=lenient)
    run, _ = bench.run_through(csv())
    checks = {check["name"]: check["value"] for check in bench.record(run)["checks"]}
    assert checks["margin over the champion"] == pytest.approx(checks["accuracy"] - 0.5, abs=0.05)


def answers(probabilities: list[list[float]], labels: list[int] | None = None) -> ClassAnswers:
    likeliest = ClassAnswers.likeliest(np.array(probabilities))
    return likeliest if labels is None else ClassAnswers(labels=np.array(labels), probabilities=likeliest.probabilities)


def served_by(version: Tabular, x: np.ndarray) -> ClassAnswers:
    found = answers_of(small(), version, x)
    assert isinstance(found, ClassAnswers)
    return found


def small() -> Contract:
    return contract()


X = np.array([[1.5, np.nan, 1], [2, 3, 0]], dtype=np.float32)


def test_a_label_may_differ_only_where_rounding_decides() -> None:
    estimator, served = answers([[0.5, 0.5], [0.2, 0.8]]), answers([[0.49999, 0.50001], [0.2, 0.8]])
    found = compare(small(), X, estimator, served, None)
    assert (found.complaint, found.relabelled) == (None, 1)
    assert found.summary.endswith("1 of them get another label, where 0.0001 decides between two")
    wrong = compare(small(), X, estimator, answers([[0.5, 0.5], [0.2, 0.8]], [0, 0]), None)
    assert wrong.complaint is not None
    assert "1 of 2 rows" in wrong.complaint
    assert "row 1 (size=2.0, weight=3.0, colour=green): the estimator says yes with 0.8, the file no with 0.2" in (
        wrong.complaint
    )


def test_what_is_undecided_is_told_by_the_threshold_where_there_is_one() -> None:
    p = np.array([[0.5, 0.5], [0.7, 0.3], [0.69995, 0.30005]])
    assert undecided(p, None).tolist() == [True, False, False]
    assert undecided(p, Threshold(positive=1, value=0.3)).tolist() == [False, True, True]


def test_the_first_rows_are_shown_and_all_are_counted() -> None:
    x = np.repeat(X, 4, axis=0)
    estimator, served = answers([[0.9, 0.1]] * 8), answers([[0.1, 0.9]] * 8)
    complaint = compare(small(), x, estimator, served, None).complaint
    assert complaint is not None
    assert "8 of 8 rows" in complaint
    assert complaint.count("the estimator says") == 3
    assert "weight=missing, colour=red" in complaint


def test_answers_are_kept_in_few_bytes_and_read_as_they_were() -> None:
    given = answers([[0.25, 0.75], [1.0, 0.0]], [0, 1])
    read = ClassAnswers.from_bytes(given.to_bytes())
    assert read.labels.tolist() == [0, 1]
    assert read.probabilities.tolist() == [[0.25, 0.75], [1.0, 0.0]]
    many = ClassAnswers.likeliest(np.full((10_000, 2), 0.5))
    assert len(many.to_bytes()) < 10_000 * 9 + 1000
    assert given.to_bytes() == answers([[0.25, 0.75], [1.0, 0.0]], [0, 1]).to_bytes()


def test_rows_made_up_lack_one_value_each_that_a_request_may_lack() -> None:
    features = Contract.parse(
        {**contract().model_dump(mode="json"), **CLAIMS, "name": MODEL, "task": "classification"}, "model.yaml"
    ).features
    x = np.arange(40, dtype=np.float32).reshape(10, 4)
    made = with_gaps(x, features)
    assert made.shape == (10, 4)
    assert np.isnan(made[:, 0]).all()
    assert made[:, 1:].tolist() == x[:, 1:].tolist()
    assert with_gaps(x, features[1:]).shape == (0, 4)
