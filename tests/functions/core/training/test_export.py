from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, load_model_from_string
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.export import bounded, threshold_of, to_onnx
from functions.core.training.fitting import fitted
from tests.functions.two_classes import TWO

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:sklearn"),  # an SVC with probabilities is given up some day
    pytest.mark.filterwarnings("ignore::DeprecationWarning:onnx"),
]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(240, 2)).astype(np.float32)
Y = (X[:, 0] + RNG.normal(size=240) > 0.5).astype(np.int64)
GAPS = X.copy()
GAPS[::9, 1] = np.nan


def served(onnx: bytes, x: np.ndarray) -> ClassAnswers:
    outputs = Session(onnx).run({"features": Tensor.over("FP32", x.shape, x.data)})
    labels, probabilities = outputs["label"], outputs["probabilities"]
    return ClassAnswers(
        labels=np.array(labels.values()), probabilities=np.array(probabilities.values()).reshape(probabilities.shape)
    )


def tuned(**options: Any) -> TunedThresholdClassifierCV:
    """A threshold that is chosen among a few, of which each is tried on every fold."""
    return TunedThresholdClassifierCV(LogisticRegression(), scoring="f1", thresholds=20, **options)


@pytest.mark.parametrize(
    "estimator",
    [
        tuned,
        lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.2),
        lambda: FixedThresholdClassifier(LogisticRegression(), threshold=0.7, pos_label=0),
        lambda: FixedThresholdClassifier(RandomForestClassifier(10, random_state=0), threshold=0.3),
        lambda: FixedThresholdClassifier(make_pipeline(StandardScaler(), LogisticRegression()), threshold=0.2),
        lambda: make_pipeline(StandardScaler(), tuned()),
        lambda: make_pipeline(StandardScaler(), FixedThresholdClassifier(LogisticRegression(), threshold=0.2)),
        lambda: GridSearchCV(tuned(), {"estimator__C": [0.1, 1.0]}, cv=2),
    ],
)
def test_an_estimator_with_a_threshold_is_served_as_it_decides(estimator: Callable[[], Any]) -> None:
    trained = estimator().fit(X, Y)
    wanted, found = fitted(trained, TWO).answers(X), served(to_onnx(trained, 2), X)
    assert (wanted.labels != wanted.probabilities.argmax(axis=1)).any(), "or this shows nothing"
    assert found.labels.tolist() == wanted.labels.tolist()
    assert np.abs(found.probabilities - wanted.probabilities).max() < 1e-6
    threshold = threshold_of(trained)
    assert threshold is not None
    assert (
        (wanted.probabilities[:, threshold.positive] >= threshold.value) == (wanted.labels == threshold.positive)
    ).all()


def test_an_uncalibrated_estimator_is_served_as_it_decides() -> None:
    trained = SVC(probability=True, random_state=0).fit(X, Y)
    wanted, found = fitted(trained, TWO).answers(X), served(to_onnx(trained, 2), X)
    assert (wanted.labels != wanted.probabilities.argmax(axis=1)).any(), "or this shows nothing"
    assert found.labels.tolist() == wanted.labels.tolist()


def test_a_threshold_that_is_not_one_of_probabilities_is_left_out() -> None:
    assert threshold_of(tuned(response_method="decision_function").fit(X, Y)) is None
    assert threshold_of(LogisticRegression().fit(X, Y)) is None


@pytest.mark.parametrize("seen", [X, GAPS], ids=["whole", "with gaps"])
@pytest.mark.parametrize(
    "estimator",
    [
        lambda: RandomForestClassifier(10, random_state=0),
        lambda: ExtraTreesClassifier(10, random_state=0),
        lambda: DecisionTreeClassifier(random_state=0),
        lambda: HistGradientBoostingClassifier(max_iter=10),
        lambda: make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0)),
        lambda: FixedThresholdClassifier(RandomForestClassifier(10, random_state=0), threshold=0.3),
    ],
)
def test_a_forest_sends_missing_values_where_its_estimator_does(estimator: Callable[[], Any], seen: np.ndarray) -> None:
    trained = estimator().fit(seen, Y)
    wanted, found = fitted(trained, TWO).answers(GAPS), served(to_onnx(trained, 2), GAPS)
    assert np.abs(found.probabilities - wanted.probabilities).max() < 1e-6
    assert found.labels.tolist() == wanted.labels.tolist()


@pytest.mark.parametrize("base", [0.0, 1.6e9])
def test_histogram_trees_split_numbers_of_32_bits_as_their_estimator_does(base: float) -> None:
    rng = np.random.default_rng(3)
    # Neighbours among such numbers have no number of 32 bits between them, or their mean is not one.
    near = base + rng.integers(0, 40, size=(600, 3)) * (128 if base else 0.1)
    x = near.astype(np.float32)
    y = (rng.random(600) < (x[:, 0] - base > np.median(x[:, 0] - base)) * 0.6 + 0.2).astype(np.int64)
    trained = HistGradientBoostingClassifier(max_iter=40, min_samples_leaf=2, max_bins=255).fit(x, y)
    expected, found = fitted(trained, TWO).answers(x), served(to_onnx(trained, 3), x)
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-5)


def test_probabilities_are_from_0_to_1_and_sum_to_1() -> None:
    onnx = to_onnx(RandomForestClassifier(20, random_state=0).fit(X, Y), 2)
    outside, inside = served(onnx, X).probabilities, served(bounded(onnx), X).probabilities
    assert outside.min() < 0 or outside.max() > 1, "or this shows nothing"
    assert inside.min() >= 0
    assert inside.max() <= 1
    assert np.abs(inside.sum(axis=1) - 1).max() < 1e-6
    assert np.abs(inside - outside).max() < 1e-6


def identity(name: str = "probabilities", rank: int = 2) -> bytes:
    shape = [None, 2, 1][:rank]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["features"], [name])],
        "given back",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_what_is_no_number_stays_visible_and_a_file_of_ones_own_is_bounded_too() -> None:
    rows = np.array([[np.nan, 0.5], [-1e-7, 1.0000001], [0.0, 0.0], [0.25, 0.75]], dtype=np.float32)
    found = Session(bounded(identity())).run({"features": Tensor.over("FP32", rows.shape, rows.data)})
    none, sure, nothing, kept = np.array(found["probabilities"].values()).reshape(4, 2)
    assert np.isnan(none).any()
    assert 0 <= sure[0] < sure[1] <= 1
    assert nothing.tolist() == [0, 0]
    assert kept.tolist() == [0.25, 0.75]


@pytest.mark.parametrize("onnx", [b"", b"model", b"\xff\xff", identity("scores"), identity(rank=1)])
def test_what_has_no_probabilities_is_left_as_it_is(onnx: bytes) -> None:
    assert bounded(onnx) == onnx


def test_a_probability_that_a_branch_reads_is_renamed_there_too() -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["probabilities"], ["kept"])],
        "branch",
        [],
        [helper.make_tensor_value_info("kept", TensorProto.FLOAT, [None, 2])],
    )
    model = load_model_from_string(identity())
    model.graph.initializer.append(helper.make_tensor("always", TensorProto.BOOL, [], [True]))
    model.graph.node.append(helper.make_node("If", ["always"], ["again"], then_branch=branch, else_branch=branch))
    model.graph.output.append(helper.make_tensor_value_info("again", TensorProto.FLOAT, [None, 2]))
    rows = np.array([[0.25, 0.75]], dtype=np.float32)
    found = Session(bounded(model.SerializeToString())).run({"features": Tensor.over("FP32", rows.shape, rows.data)})
    assert found["again"].values() == found["probabilities"].values() == (0.25, 0.75)


def test_the_same_estimator_gives_the_same_bytes() -> None:
    trained = FixedThresholdClassifier(RandomForestClassifier(5, random_state=0), threshold=0.3).fit(GAPS, Y)
    assert bounded(to_onnx(trained, 2)) == bounded(to_onnx(trained, 2))
