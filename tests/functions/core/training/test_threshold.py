from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.training.class_answers import ClassAnswers, Threshold
from functions.core.training.export import decided
from functions.core.training.fitted_classifier import FittedClassifier
from functions.core.training.threshold import chosen, decided_by_others
from functions.core.training.unusable import UnusableEstimator
from models.decision import Decision
from tests.functions.two_classes import TWO

RNG = np.random.default_rng(1)
Y = np.tile([0, 0, 0, 1], 60)
P = np.round(np.clip(0.35 * Y + 0.6 * RNG.random(240), 0, 1), 2)
"""With ties."""
ALL = ClassAnswers.likeliest(np.column_stack([1 - P, P]))
FOLDS = [(Y[rows], ALL.of(rows)) for rows in (slice(0, 80), slice(80, 160), slice(160, 240))]
X = RNG.normal(size=(240, 2)).astype(np.float32) + Y[:, None].astype(np.float32)


def cost(said: np.ndarray) -> float:
    return -float((said & (Y == 0)).sum() + 20 * (~said & (Y == 1)).sum())


def precise(said: np.ndarray) -> float:
    is_precise = said.any() and metrics.precision_score(Y, said) >= 0.8
    return float(metrics.recall_score(Y, said)) if is_precise else -1.0


def recalled(said: np.ndarray) -> float:
    return float(metrics.precision_score(Y, said)) if metrics.recall_score(Y, said) >= 0.9 else -1.0


@pytest.mark.parametrize(
    ("asked", "worth"),
    [
        ({"maximise": "f1"}, lambda said: metrics.f1_score(Y, said)),
        ({"maximise": "accuracy"}, lambda said: metrics.accuracy_score(Y, said)),
        ({"maximise": "balanced_accuracy"}, lambda said: metrics.balanced_accuracy_score(Y, said)),
        ({"costs": {"false_positive": 1, "false_negative": 20}}, cost),
        ({"precision": 0.8}, precise),
        ({"recall": 0.9}, recalled),
    ],
)
def test_no_other_threshold_is_better_on_the_folds(asked: dict[str, Any], worth: Any) -> None:
    found = chosen(Decision.model_validate(asked), FOLDS)
    assert found.positive == 1
    assert found.value not in P, "between two probabilities"
    assert worth(found.value <= P) == pytest.approx(max(worth(other <= P) for other in [*np.unique(P), 2.0]))


def test_a_precision_that_no_threshold_has_is_a_sentence() -> None:
    never = [(1 - y, answers) for y, answers in FOLDS]
    with pytest.raises(
        UnusableEstimator, match=r"no threshold has a precision of 0.99 on the folds; the greatest is 0\."
    ):
        chosen(Decision(precision=0.99), never)
    assert len(decided_by_others(Decision(precision=0.99), never)) == 3, "a round on few rows goes on all the same"


def test_a_fold_is_judged_by_the_threshold_of_the_others() -> None:
    decision = Decision(maximise="f1")
    first, *_ = decided_by_others(decision, FOLDS)
    of_others = chosen(decision, FOLDS[1:])
    assert first.labels.tolist() == (P[:80] >= of_others.value).astype(int).tolist()


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), FixedThresholdClassifier(LogisticRegression(), threshold=0.9)]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:onnx")
def test_the_file_decides_by_the_threshold_and_no_longer_as_the_estimator(estimator: Any) -> None:
    model = FittedClassifier(estimator.fit(X, Y), TWO, Threshold(positive=1, value=0.2))
    outputs = Session(model.finished(model.to_onnx(2))).run({"features": Tensor.over("FP32", X.shape, X.data)})
    labels = np.array(outputs["label"].values())
    assert labels.tolist() == model.answers(X).labels.tolist()
    assert labels.sum() > estimator.predict(X).sum()
    assert model.decision == {"positive": 1, "value": 0.2}


def exported(kind: int, opset: int) -> bytes:
    """A file of a model's own: probabilities of another type than usual, and a label that is [rows, 1]."""
    nodes = [
        helper.make_node("Cast", ["features"], ["probabilities"], to=kind),
        helper.make_node("ArgMax", ["features"], ["label"], axis=1),
    ]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, [None, 1]),
        helper.make_tensor_value_info("probabilities", kind, None),
    ]
    graph = helper.make_graph(
        nodes, "own", [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 2])], outputs
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def test_a_file_of_the_models_own_decides_by_the_threshold_too() -> None:
    rows = np.array([[0.9, 0.1], [0.7, 0.3]], dtype=np.float32)
    file = decided(exported(TensorProto.DOUBLE, 13), Threshold(positive=1, value=0.2))
    outputs = Session(file).run({"features": Tensor.over("FP32", rows.shape, rows.data)})
    assert (outputs["label"].shape, list(outputs["label"].values())) == ((2,), [0, 1])
    assert [decided(no_model, Threshold(positive=1, value=0.2)) for no_model in (b"", b"model")] == [b"", b"model"]
    with pytest.raises(UnusableEstimator, match="has opset 8; a decision needs 9 or a newer one"):
        decided(exported(TensorProto.FLOAT, 8), Threshold(positive=1, value=0.2))


def test_without_a_decision_each_fold_answers_as_its_estimator_does() -> None:
    assert TWO.decided(FOLDS) is None
    assert all(one is other for one, (_, other) in zip(TWO.judged(FOLDS), FOLDS, strict=True))
