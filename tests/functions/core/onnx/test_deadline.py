from __future__ import annotations

import threading

import pytest
from onnx import helper

from functions.core.onnx import deadline
from functions.core.onnx.deadline import Within, seconds_left, stop_overdue
from functions.core.onnx.golden_rows import check_golden
from functions.core.onnx.session import BadModel, ModelFailure, RunStopped, Session
from functions.core.onnx.tensor import Tensor
from tests.functions.graphs import endless, graph

ONE = {"X": Tensor.of("FP32", (), [1.0])}
NONE = {"X": Tensor.of("FP32", (), [0.0])}


def looping() -> Session:
    """Return a model that gives back a zero, and loops without end for any other number."""
    return Session(graph(endless("X", "Y", "X"), [("X", "FP32", [])], [("Y", "FP32", [])]))


def test_a_run_that_does_not_end_is_stopped_and_the_session_answers_again() -> None:
    session = looping()
    for _ in range(2):
        with pytest.raises(RunStopped), Within(0.05):
            session.run(ONE)
        assert session.run(NONE) == {"Y": NONE["X"]}


def test_a_run_whose_time_is_over_does_not_begin() -> None:
    with Within(0.0), pytest.raises(RunStopped):
        looping().run(NONE)


def test_an_inner_block_gives_no_more_time_than_the_outer_one() -> None:
    with Within(100.0):
        with Within(10.0):
            assert seconds_left() <= 10.0
        assert 10.0 < seconds_left() <= 100.0
        with Within(1000.0):
            assert seconds_left() <= 100.0
    assert seconds_left() == deadline.LONGEST_SECONDS


def test_where_nobody_says_how_long_a_run_is_stopped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline, "LONGEST_SECONDS", 0.05)
    with pytest.raises(ModelFailure, match="had not ended when its time was over"):
        looping().run(ONE)


def test_of_several_threads_only_the_run_whose_time_is_over_is_stopped() -> None:
    session, stopped = looping(), threading.Event()
    began = threading.Event()

    def run() -> None:
        began.set()
        try:
            with Within(0.05):
                session.run(ONE)
        except RunStopped:
            stopped.set()

    thread = threading.Thread(target=run)
    thread.start()
    began.wait()
    while not stopped.is_set():
        assert session.run(NONE) == {"Y": NONE["X"]}
    thread.join()


def test_a_run_that_ended_in_time_leaves_nothing_to_be_stopped() -> None:
    session = Session(graph([helper.make_node("Abs", ["X"], ["Y"])], [("X", "FP32", [])], [("Y", "FP32", [])]))
    with Within(100.0):
        session.run(ONE)
    with pytest.raises(ModelFailure):
        session.run({"X": Tensor.of("FP64", (), [1.0])})
    stop_overdue()
    assert session.run(ONE) == {"Y": ONE["X"]}


def test_a_model_that_loops_on_its_golden_inputs_is_not_opened() -> None:
    model = graph(
        [helper.make_node("ReduceMax", ["X"], ["most"], keepdims=0), *endless("X", "probabilities", "most")],
        [("X", "FP32", [None, 1])],
        [("probabilities", "FP32", [None, 1])],
    )
    golden = {"inputs": [[1.0]], "probabilities": [[1.0]], "tolerance": 1e-4}
    with Within(0.05), pytest.raises(BadModel, match="had not ended"):
        check_golden(Session(model), golden)
