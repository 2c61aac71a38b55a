"""One file of three estimators answers as they do, whatever they are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, checker, helper
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import QuantileRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
from functions.core.training.answers import TOLERANCE
from functions.core.training.fitted import Fitted
from functions.core.training.fitting import fitted
from functions.core.training.interval_graph import bounded, has_an_end, joined
from functions.core.training.number_answers import Ends, NumberAnswers, differences
from functions.core.training.regression import Regression
from functions.core.training.signature import HIGH, INPUT, LOW, VALUE
from models.contract import Target
from models.interval import Interval

RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 3)).astype(np.float32)
Y = 50 + 30 * X[:, 0].astype(np.float64) - 5 * X[:, 1] + 5 * RNG.normal(size=200)
TASK = Regression(Target(name="price"), (), Interval(coverage=0.8))
MIDDLES: dict[str, Any] = {
    "ridge": make_pipeline(StandardScaler(), Ridge()),
    "forest": RandomForestRegressor(5, max_depth=4, random_state=0),
    "boosting": HistGradientBoostingRegressor(max_iter=10),
}
ENDS: dict[str, Any] = {
    "linear": lambda q: make_pipeline(StandardScaler(), QuantileRegressor(quantile=q, alpha=0)),
    "trees": lambda q: GradientBoostingRegressor(loss="quantile", alpha=q, n_estimators=10, random_state=0),
    "histograms": lambda q: HistGradientBoostingRegressor(loss="quantile", quantile=q, max_iter=10),
}
NUMBER = st.floats(-1e3, 1e3, width=32)


class Model:
    """Three fitted estimators, and the one file of them."""

    def __init__(self, middle: Any, end: Any) -> None:
        self.fitted: Fitted[NumberAnswers] = fitted(
            middle.fit(X, Y), TASK, ends=[end(quantile).fit(X, Y) for quantile in TASK.quantiles]
        )
        self.file = self.fitted.to_onnx(3)
        self.session = Session(self.file)

    def served(self, x: np.ndarray) -> NumberAnswers:
        return served(self.session, x)


def served(session: Session, x: np.ndarray) -> NumberAnswers:
    outputs = session.run({INPUT: Tensor.of("FP32", x.shape, x.ravel().tolist())})
    value, low, high = (np.array(outputs[name].values(), dtype=np.float64) for name in (VALUE, LOW, HIGH))
    return NumberAnswers(values=value, ends=Ends(low=low, high=high))


@pytest.fixture(scope="module")
def linear() -> Model:
    return Model(MIDDLES["boosting"], ENDS["linear"])


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("middle", MIDDLES)
def test_the_file_answers_as_its_three_estimators_and_is_the_same_again(middle: str, end: str) -> None:
    model = Model(MIDDLES[middle], ENDS[end])
    checker.check_model(ModelProto.FromString(model.file))
    assert [spec.name for spec in model.session.outputs] == [VALUE, LOW, HIGH]
    assert [spec.name for spec in model.session.inputs] == [INPUT]
    assert differences(model.fitted.answers(X), model.served(X)).distance.max() < TOLERANCE / 10
    assert model.fitted.to_onnx(3) == model.file


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=20))
def test_any_rows_are_answered_as_the_estimators_do_with_ends_that_never_cross(
    linear: Model, rows: list[tuple[float, ...]]
) -> None:
    x = np.array(rows, dtype=np.float32)
    found, wanted = linear.served(x), linear.fitted.answers(x)
    assert found.ends is not None
    assert wanted.ends is not None
    assert (found.ends.low <= found.values).all()
    assert (found.values <= found.ends.high).all()
    scale = float(np.abs(X @ np.array([30.0, 5.0, 1.0])).max()) + float(np.abs(x).max()) * 40
    for ours, theirs in ((found.ends.low, wanted.ends.low), (found.ends.high, wanted.ends.high)):
        assert np.abs(ours - theirs).max() <= TOLERANCE * scale


def numbered(**outputs: str) -> bytes:
    """Return a file whose outputs are each one of the columns of its input: the place of the column by name."""
    nodes, constants = [], []
    for name, column in outputs.items():
        constants.append(helper.make_tensor(f"{name}_at", TensorProto.INT64, [1], [int(column)]))
        nodes.append(helper.make_node("Gather", [INPUT, f"{name}_at"], [name], axis=1))
    graph = helper.make_graph(
        nodes,
        "columns",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in outputs],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10).SerializeToString()


WHOLE = Session(bounded(joined(numbered(value="0"), numbered(value="1"), numbered(value="2"))))
AT_ONCE = Session(bounded(numbered(high="2", value="0", low="1")))


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=9))
def test_an_end_that_would_cross_the_number_is_the_number(rows: list[tuple[float, ...]]) -> None:
    x = np.array(rows, dtype=np.float32)
    for session in (WHOLE, AT_ONCE):
        found = served(session, x)
        assert found.ends is not None
        assert found.values.tolist() == x[:, 0].tolist()
        assert found.ends.low.tolist() == np.minimum(x[:, 1], x[:, 0]).tolist()
        assert found.ends.high.tolist() == np.maximum(x[:, 2], x[:, 0]).tolist()


def test_an_end_that_is_none_stays_visible() -> None:
    found = served(WHOLE, np.array([[1, math.nan, 2], [1, 0, math.nan]], dtype=np.float32))
    assert found.ends is not None
    assert np.isnan(found.ends.low).tolist() == [True, False]
    assert np.isnan(found.ends.high).tolist() == [False, True]


def test_a_file_says_whether_it_has_an_end() -> None:
    assert [has_an_end(numbered(**{name: "0"})) for name in ("value", "low", "high")] == [False, True, True]


@pytest.mark.parametrize("file", [b"", b"no ONNX file"], ids=["empty", "text"])
def test_what_is_no_file_of_onnx_is_left_to_those_that_open_it(file: bytes) -> None:
    assert (bounded(file), joined(file, file, file), has_an_end(file)) == (file, file, False)
