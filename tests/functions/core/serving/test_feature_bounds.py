"""The quick look at many numbers finds whatever the slow one would."""

from __future__ import annotations

import math
import struct

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.onnx.tensor import Tensor
from functions.core.serving.feature_bounds import bounds_graph
from functions.core.serving.tabular import FEW, Bounds
from models.feature import Feature, UnacceptableValue

FEATURES = (
    Feature(name="free"),
    Feature(name="positive", minimum=0.0),
    Feature(name="narrow", minimum=-0.1, maximum=0.1),
    Feature(name="whole", kind="integer", minimum=-3, maximum=1e9),
    Feature(name="colour", kind="category", categories=("red", "green", "blue")),
    Feature(name="known", kind="boolean"),
    Feature(name="kept", maximum=10.0, missing="keep"),
)
GOOD = (1e30, 0.0, 0.1, 7.0, 2.0, 1.0, math.nan)
BAD = (math.inf, -1e-30, 0.10001, 7.5, 3.0, 0.5, 10.001)


def tensor(*rows: tuple[float, ...]) -> Tensor:
    return Tensor.of("FP32", (len(rows), len(FEATURES)), [value for row in rows for value in row])


@pytest.fixture(scope="module")
def bounds() -> Bounds:
    return Bounds(FEATURES)


def test_the_graph_is_an_onnx_model(bounds: Bounds) -> None:
    model = onnx.load_from_string(bounds_graph(bounds.terms, bounds.low, bounds.high))
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node][-1] == "ReduceSum"


@pytest.mark.parametrize("rows", [1, FEW, FEW + 1, 50])
def test_rows_that_are_well_are_no_suspects(rows: int, bounds: Bounds) -> None:
    known = (*GOOD[:-1], 10.0)
    assert bounds.suspects(tensor(*[known] * rows)) == []


@pytest.mark.parametrize("rows", [1, FEW, FEW + 1, 50])
@pytest.mark.parametrize("column", range(len(FEATURES)))
@pytest.mark.parametrize("bad", ["beyond", "nan"])
def test_one_bad_number_is_found_at_any_position(rows: int, column: int, bad: str, bounds: Bounds) -> None:
    if bad == "nan" and FEATURES[column].missing == "keep":
        return
    wrong = [*GOOD[:-1], 0.0]
    wrong[column] = BAD[column] if bad == "beyond" else math.nan
    table: list[tuple[float, ...]] = [GOOD] * rows
    table[rows // 2] = tuple(wrong)
    assert rows // 2 in bounds.suspects(tensor(*table))


def test_a_missing_value_that_is_kept_is_well(bounds: Bounds) -> None:
    assert bounds.suspects(tensor(*[GOOD] * (FEW + 1))) == []


def test_a_bound_is_met_by_the_number_that_stands_for_it() -> None:
    edge = Bounds([Feature(name="share", minimum=0.1, maximum=0.7)])
    numbers = struct.unpack("<2f", struct.pack("<2f", 0.1, 0.7))
    assert numbers[0] > 0.1
    assert numbers[1] < 0.7
    for rows in (1, FEW + 1):
        for number in numbers:
            assert edge.suspects(Tensor.of("FP32", (rows, 1), [number] * rows)) == []


VALUES = st.floats(width=32) | st.sampled_from([*GOOD, *BAD, 0.0, 1.0, 2.0])


@settings(deadline=None)
@given(st.lists(st.tuples(*[VALUES] * len(FEATURES)), min_size=1, max_size=FEW * 3))
def test_whatever_a_feature_refuses_is_among_the_suspects(rows: list[tuple[float, ...]]) -> None:
    bounds = Bounds(FEATURES)
    suspects = set(bounds.suspects(tensor(*rows)))
    for place, row in enumerate(tensor(*rows).values()[at : at + len(FEATURES)] for at in _starts(rows)):
        assert place in suspects or all(map(accepts, bounds.terms, row))


def _starts(rows: list[tuple[float, ...]]) -> range:
    return range(0, len(rows) * len(FEATURES), len(FEATURES))


def accepts(feature: Feature, value: float) -> bool:
    if math.isnan(value):
        return feature.missing == "keep"
    if feature.kind == "category":
        return value in range(len(feature.categories))
    try:
        feature.known(value)
    except UnacceptableValue:
        return False
    return True
