from __future__ import annotations

import gc
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from functions.core.onnx import library as ort
from functions.core.onnx.deadline import Guard
from functions.core.onnx.graph_builder import Graph
from functions.core.onnx.session import BadModel, ModelFailure, Session, _run_options
from functions.core.onnx.tensor import Tensor
from infra.bundle import main
from infra.function_table import named
from tests.functions.bring_your_own import halving
from tests.functions.core.onnx import test_weights
from tests.functions.graphs import graph
from tests.functions.serving import model_bytes
from tests.root import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = str(Path(onnxruntime.__file__).parents[1])
NOT_FOR_PREDICTIONS = {
    "functions.core.api.open_inference",
    "functions.core.api.openapi",
    "functions.core.jobs.api",
    "functions.core.onnx.graph_builder",
    "functions.core.serving.json_schema",
    "functions.core.serving.onnx_model",
}
"""Modules of ours that `POST /predict` of a trained model does without."""
ROWS = Tensor.of("FP32", (2, 2), [1.0, 9.0, 9.0, 1.0])
TEXT = graph([helper.make_node("Identity", ["X"], ["Y"])], [("X", "BYTES", [None])], [("Y", "BYTES", [None])])
SEQUENCE = graph([helper.make_node("SequenceAt", ["X", "i"], ["Y"])], [("X", "FP32", [2])], [("Y", "FP32", [2])])


@pytest.fixture(scope="module")
def settled() -> None:
    """Have the collector pass over what is kept for good, and what other tests have left: millions of objects."""
    Session(model_bytes()).run({"X": ROWS})
    gc.collect()
    gc.freeze()


def held() -> Counter[str]:
    """Everything of the library's that is held at this moment, by kind, and was not there before these tests."""
    return Counter(type(thing).__name__ for thing in gc.get_objects() if isinstance(thing, ort.Handle) and thing)


@pytest.fixture
def ledger(settled: None, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the handles that are released, by kind, and the error messages that are read and released."""
    seen = Counter[str]()

    def counted(name: str, before: Callable[..., Any]) -> Callable[..., Any]:
        def call(thing: Any) -> Any:
            seen[name] += 1
            return before(thing)

        return call

    library = ort.library()
    for kind in ort.Handle.__subclasses__():
        monkeypatch.setattr(kind, "free", staticmethod(counted(kind.__name__, kind.free)))
    for name in ("_message", "_release_status"):
        monkeypatch.setattr(library, name, counted(name, getattr(library, name)))
    return seen


def test_the_library_is_the_one_that_the_python_binding_was_built_with() -> None:
    assert ort.library().version == onnxruntime.__version__


def test_every_function_whose_position_is_written_down_does_what_its_name_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = ort.Library(ort.find())
    monkeypatch.setattr(ort, "_loaded", [fresh])
    assert Session(model_bytes()).run({"X": ROWS})["label"].values() == (0, 1)
    assert Session(TEXT).run({"X": Tensor.of("BYTES", (2,), ["a", "b"])})["Y"].values() == ("a", "b")
    session = Session(halving())
    assert ([spec.name for spec in session.optional], session.symbols()) == (["by"], {"x": ("n",)})
    guard = Guard(fresh, _run_options(fresh))
    guard.stop()
    assert guard.end()
    large = test_weights.model()
    assert Session(large).run({"x": test_weights.tensor(test_weights.X)})["y"].shape == test_weights.X.shape
    assert set(ort._FUNCTIONS) <= set(vars(fresh))


@pytest.mark.parametrize(
    "work",
    [
        lambda: Session(model_bytes()).run({"X": ROWS}),
        lambda: Session(TEXT).run({"X": Tensor.of("BYTES", (2,), ["a", "b"])}),
        lambda: Session(b"no model"),
        lambda: Session(model_bytes()[:-40]),
        lambda: Session(SEQUENCE),
        lambda: Session(model_bytes()).run({}),
        lambda: Session(model_bytes()).run({"X": Tensor.of("FP64", (1, 2), [1.0, 2.0])}),
        lambda: Session(model_bytes()).run({"X": ROWS}, ["none"]),
        lambda: Session(model_bytes(fails=True)).run({"X": Tensor.of("FP32", (1, 2), [500.0, 1.0])}),
        lambda: Session(TEXT).run({"X": Tensor.of("BYTES", (1, 1), ["a"])}),
    ],
    ids=["run", "text", "junk", "cut", "refused", "no-input", "other-type", "no-such-output", "fails", "other-rank"],
)
def test_all_memory_is_released_whatever_happens(work: Callable[[], object], ledger: Counter[str]) -> None:
    gc.collect()  # sessions that other tests left in circles
    before = held()
    try:
        work()
    except (BadModel, ModelFailure):
        assert ledger["_message"] == 1
    assert held() == before
    assert ledger["SessionOptions"] == 1
    assert ledger["_message"] == ledger["_release_status"]


def test_an_answer_keeps_its_own_memory_alive_and_no_more(ledger: Counter[str]) -> None:
    before = held()
    answers = Session(model_bytes()).run({"X": ROWS})
    assert held() - before == Counter({"Value": 2, "Session": 1})
    answers.pop("label")
    assert held() - before == Counter({"Value": 1, "Session": 1})
    assert answers["probabilities"].values()[0] > 0.99
    answers.clear()
    assert held() == before


def test_a_library_that_is_too_old_is_named_with_what_is_accepted(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ort, "API", 999)
    with pytest.raises(ort.Unavailable, match=rf"is version {onnxruntime.__version__}; accepted: 1\.999 and later"):
        ort.Library(ort.find())
    assert capfd.readouterr() == ("", "")


def test_what_is_no_onnxruntime_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "libonnxruntime.so").write_bytes(b"no library")
    with pytest.raises(ort.Unavailable, match=r"libonnxruntime\.so cannot be loaded"):
        ort.Library(str(tmp_path / "libonnxruntime.so"))


def test_without_onnxruntime_it_says_where_it_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["/nowhere", str(Path(__file__).parent)])
    with pytest.raises(ort.Unavailable, match="onnxruntime is not installed"):
        ort.find()


def test_nothing_is_printed_by_the_library(capfd: pytest.CaptureFixture[str]) -> None:
    unused = numpy_helper.from_array(np.zeros(3, dtype=np.float32), "unused")
    Session(graph([helper.make_node("Abs", ["X"], ["Y"])], [("X", "FP32", [2])], [("Y", "FP32", [3])], [unused]))
    with pytest.raises(BadModel):
        Session(b"no model")
    with pytest.raises(ModelFailure):
        Session(model_bytes(fails=True)).run({"X": Tensor.of("FP32", (1, 2), [500.0, 1.0])})
    assert capfd.readouterr() == ("", "")


@pytest.mark.integration
def test_a_process_that_ends_with_open_sessions_and_answers_does_not_crash(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(model_bytes())
    code = """
import sys
from pathlib import Path
from functions.core.onnx.session import Session
from functions.core.onnx.tensor import Tensor
session = Session(Path(sys.argv[1]).read_bytes(), threads=2)
answer = session.run({"X": Tensor.of("FP32", (1, 2), [1.0, 9.0])})
keep = [session, answer]; keep.append(keep)
sys.session, sys.answer = session, answer
"""
    command = [sys.executable, "-c", code, str(tmp_path / "model.onnx")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.integration
def test_the_library_is_opened_once_whichever_thread_asks_first() -> None:
    code = """
from concurrent.futures import ThreadPoolExecutor
from functions.core.onnx import library as ort
ort.begin()
with ThreadPoolExecutor(8) as pool:
    print(len({id(library) for library in pool.map(lambda _: ort.library(), range(16))}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


@pytest.mark.integration
def test_a_process_that_ends_while_the_library_opens_does_not_crash() -> None:
    for wait in (0, 0.002, 0.01, 0.02):
        code = f"import time; from functions.core.onnx import library as ort; ort.begin(); time.sleep({wait})"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.integration
def test_a_process_that_is_forked_while_the_library_opens_has_it_too() -> None:
    """gunicorn, which serves functions on Cloud Run, forks its worker as soon as the function is imported."""
    code = """
import os, signal, time
from functions.core.onnx import library as ort
really = ort._dlopen
def slowly(path):
    time.sleep(0.3)
    return really(path)
ort._dlopen = slowly
ort.begin()
time.sleep(0.1)
if child := os.fork():
    print(os.waitpid(child, 0)[1])
else:
    signal.alarm(20)
    ort.library()
    os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


def test_without_onnxruntime_the_early_load_is_silent_and_the_first_use_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "_loaded", [])
    monkeypatch.setattr(sys, "path", [])
    ort._load_quietly()
    with pytest.raises(ort.Unavailable, match="onnxruntime is not installed"):
        ort.library()


@pytest.mark.integration
def test_a_process_that_forks_while_the_library_is_being_opened_leaves_its_child_one_that_opens() -> None:
    """As the server of functions-framework does, right after it has imported the function."""
    code = """
import os, signal, threading
from functions.core.onnx import library as ort
found, reached, go_on = ort.find, threading.Event(), threading.Event()
def slowly():
    reached.set()
    go_on.wait()
    return found()
ort.find = slowly
ort.begin()
reached.wait()
threading.Timer(0.5, go_on.set).start()
child = os.fork()
if not child:
    signal.alarm(30)
    ort.library()
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.integration
@pytest.mark.parametrize("cloud", ["aws", "gcp"])
@pytest.mark.parametrize("entry", ["predict", "jobs"])
def test_a_function_that_answers_loads_neither_numpy_nor_the_python_binding(cloud: str, entry: str) -> None:
    code = f"import sys\n{main(named(entry), cloud)}"
    code += "from functions.core.onnx import library as ort; ort.library()\n"
    code += "print(sorted({'numpy', 'onnxruntime', 'onnx', 'google.protobuf'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.integration
@pytest.mark.parametrize("attempt", range(4))
def test_a_process_that_divides_while_the_library_opens_has_it_on_both_sides(attempt: int) -> None:
    """A server that imports a function and then divides, as functions-framework does, must not hang for ever."""
    code = """
import os, signal, sys, time
from functions.core.onnx import library as ort
ort.begin()
time.sleep(float(sys.argv[1]))
child = os.fork()
signal.alarm(20)
assert ort.library().version
if child:
    assert os.waitpid(child, 0)[1] == 0
    print("both", flush=True)
os._exit(0)
"""
    command = [sys.executable, "-c", code, str(attempt / 500)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "both\n", done.stderr


@pytest.mark.integration
def test_the_way_to_a_first_answer_imports_no_more_than_it_needs() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import functions.core.onnx.session\n"
    code += "print(sorted({'typing', 'dataclasses', 'inspect', 'functools', 're', 'pathlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_modules_that_predictions_do_without_are_called_so() -> None:
    assert all(find_spec(name) for name in NOT_FOR_PREDICTIONS)


@pytest.mark.integration
def test_a_function_that_answers_leaves_to_the_few_what_only_they_need() -> None:
    few = {
        "urllib.parse",
        "http",
        "random",
        "difflib",
        "pathlib",
        "ssl",
        "dataclasses",
        "inspect",
        "orjson",
        "_hashlib",
    }
    few |= NOT_FOR_PREDICTIONS
    code = f"{main(named('predict'), 'aws')}import sys; print(sorted({few!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = [{str(ROOT)!r}, {SITE!r}]\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_the_smallest_model_is_one_that_our_own_graphs_are() -> None:
    assert identity() == ort.SMALLEST


@pytest.mark.integration
def test_garbage_is_collected_again_once_the_library_is_open_and_in_a_child() -> None:
    code = """
import gc, os, threading
from functions.core.onnx import library as ort
found, go_on = ort.find, threading.Event()
ort.find = lambda: go_on.wait() and found()
ort.begin()
print(gc.isenabled())
go_on.set()
child = os.fork()
if not child:
    os._exit(not gc.isenabled())
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
while not gc.isenabled():
    pass
ort.begin()
print(gc.isenabled())
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("False\n0\nTrue\n", "")


@pytest.mark.integration
def test_where_there_can_be_no_further_thread_the_library_is_opened_when_it_is_needed() -> None:
    code = """
import _thread, gc
def refuse(*_):
    raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
from functions.core.onnx import library as ort
ort.begin()
print(gc.isenabled(), bool(ort.library().version))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_a_first_session_that_fails_leaves_the_library_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "SMALLEST", b"no model")
    ort._open_smallest(ort.library())
    assert Session(identity()).run({"x": Tensor.of("FP32", (1,), [2.0])})["y"].values() == (2.0,)


def identity() -> bytes:
    graph = Graph("g")
    graph.node("Identity", "x", output="y")
    return graph.model(inputs={"x": ("FP32", (1,))}, outputs={"y": ("FP32", (1,))})
