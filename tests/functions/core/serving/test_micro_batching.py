"""Overlaps are made, not waited for: the first run is held until everybody else stands in line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.onnx.session import ModelFailure, Session
from functions.core.onnx.tensor import Tensor
from functions.core.serving.micro_batching import Batch
from tests.functions.serving import model_bytes

POISON = -1.0
Rows = Sequence[float]


def column(values: Rows, datatype: str = "FP32", width: int = 1) -> dict[str, Tensor]:
    return {"x": Tensor.of(datatype, (len(values) // width, width), list(values))}


def doubled(inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Every row by itself, twice as large, and its position in the run: [rows] and [rows, 1]."""
    x = inputs["x"]
    if POISON in x.values():
        raise ModelFailure("poison")
    values = [2 * value for value in x.values()]
    return {"y": Tensor.of(x.datatype, x.shape, values), "at": Tensor.of("INT64", x.shape[:1], range(x.shape[0]))}


@dataclass
class Model:
    """Notes what it is asked; the first run waits until told to go on."""

    run: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] = doubled
    sizes: list[int] = field(default_factory=list)
    running: int = 0
    most_at_once: int = 0
    started: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    def __call__(self, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        (first, *_) = inputs.values()
        self.sizes.append(first.shape[0] if first.shape else 1)
        self.started.set()
        assert self.go.wait(30)
        try:
            return self.run(inputs)
        finally:
            self.running -= 1


def asked_at_once(batch: Batch, model: Model, inputs: Sequence[Mapping[str, Tensor]]) -> list[Future[Any]]:
    """The first one finds the model free; all others come, in this order, while it is busy."""
    with ThreadPoolExecutor(max(len(inputs), 1)) as pool:
        asked: list[Future[Any]] = []
        for number, one in enumerate(inputs):
            asked.append(pool.submit(batch.run, one))
            if number == 0:
                assert model.started.wait(30)
            while batch.waiting < number:
                assert not asked[-1].done()
        model.go.set()
    return asked


requests = st.lists(st.lists(st.sampled_from([0.0, 1.5, 3.0, POISON]), min_size=1, max_size=5), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(requests=requests, most=st.integers(1, 12))
def test_everybody_gets_the_answer_to_their_own_rows_and_only_their_own_failures(
    requests: list[list[float]], most: int
) -> None:
    model = Model()
    batch = Batch(model, most_rows=most)
    for rows, future in zip(requests, asked_at_once(batch, model, [column(rows) for rows in requests]), strict=True):
        if POISON in rows:
            with pytest.raises(ModelFailure, match="poison"):
                future.result()
        else:
            assert future.result()["y"].values() == tuple(2 * value for value in rows)
            assert future.result()["y"].shape == (len(rows), 1)
            assert future.result()["at"].shape == (len(rows),)
    assert model.most_at_once == 1
    assert batch.waiting == 0


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 5), min_size=2, max_size=8), most=st.integers(1, 12))
def test_whoever_waits_is_answered_with_as_many_others_as_are_allowed(sizes: list[int], most: int) -> None:
    model = Model()
    asked_at_once(Batch(model, most_rows=most), model, [column([1.0] * size) for size in sizes])
    expected, open_ = [sizes[0]], 0
    for size in sizes[1:]:
        if open_ and open_ + size <= most:
            expected[-1] += size
        else:
            expected.append(size)
        open_ = expected[-1]
    assert model.sizes == expected


def test_who_finds_the_model_free_is_answered_alone_from_their_own_memory() -> None:
    seen: list[Mapping[str, Tensor]] = []
    batch = Batch(lambda inputs: (seen.append(inputs), doubled(inputs))[1])
    inputs = column([1.0])
    batch.run(inputs)
    assert seen[0] is inputs


@pytest.mark.parametrize(
    "other",
    [column([1.0, 2.0], width=2), column([1, 2], "INT64"), {"z": Tensor.of("FP32", (1, 1), [1.0])}],
    ids=["width", "datatype", "name"],
)
def test_what_differs_in_more_than_its_rows_is_not_mixed(other: dict[str, Tensor]) -> None:
    model = Model(run=lambda inputs: inputs)
    asked = [column([1.0]), column([2.0]), other, column([3.0])]
    futures = asked_at_once(Batch(model), model, asked)
    assert [future.result() for future in futures] == asked
    assert len(model.sizes) == 4


@pytest.mark.parametrize(
    "tensor", [Tensor.of("BYTES", (1,), ["a"]), Tensor.of("FP32", (), [1.0])], ids=["text", "scalar"]
)
def test_text_and_scalars_are_never_mixed(tensor: Tensor) -> None:
    model = Model(run=lambda inputs: inputs)
    futures = asked_at_once(Batch(model), model, [{"x": tensor}] * 3)
    assert [future.result() for future in futures] == [{"x": tensor}] * 3
    assert len(model.sizes) == 3


def test_an_answer_that_has_no_row_for_each_row_is_asked_for_one_by_one() -> None:
    model = Model(run=lambda inputs: {"sum": Tensor.of("FP32", (1,), [sum(inputs["x"].values())])})
    futures = asked_at_once(Batch(model), model, [column([9.0]), column([1.0, 2.0]), column([4.0])])
    assert [future.result()["sum"].values() for future in futures] == [(9.0,), (3.0,), (4.0,)]


def test_a_thread_that_is_ended_in_the_middle_leaves_the_others_their_turn() -> None:
    class Ended(BaseException):
        pass

    def run(inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        if inputs["x"].shape[0] == 2 and not ended:
            ended.append(True)
            raise Ended
        return doubled(inputs)

    ended: list[bool] = []
    model = Model(run=run)
    futures = asked_at_once(Batch(model), model, [column([1.0]), column([2.0]), column([3.0])])
    problems = [future.exception() for future in futures]
    assert [type(problem) for problem in problems if problem] == [Ended]
    answered = [future.result()["y"].values() for future, problem in zip(futures, problems, strict=True) if not problem]
    assert set(answered) < {(2.0,), (4.0,), (6.0,)}
    assert len(answered) == 2


def test_a_real_model_answers_together_what_it_answers_alone() -> None:
    session = Session(model_bytes())
    rows = [[1.0, 9.0], [9.0, 1.0], [5.0, 4.0], [2.0, 2.5]]
    asked = [{"X": Tensor.of("FP32", (1, 2), row)} for row in rows]
    model = Model(run=session.run)
    futures = asked_at_once(Batch(model), model, asked)
    assert model.sizes == [1, 3]
    for future, one in zip(futures, asked, strict=True):
        alone = session.run(one)
        assert future.result()["label"] == alone["label"]
        assert future.result()["probabilities"].values() == pytest.approx(alone["probabilities"].values(), abs=1e-6)
