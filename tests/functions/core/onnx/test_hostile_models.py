"""Files that are meant to hurt. Each is opened, and run when it opens, in a process that must live on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from tests.functions.graphs import MAGIKA, PEAK, SILERO, graph
from tests.functions.serving import model_bytes
from tests.root import ROOT

pytestmark = pytest.mark.integration

if TYPE_CHECKING:
    from collections.abc import Mapping

MANY = 3_000_000_000
"""Values of 4 bytes each: 12 GB."""
ATTACKED = """
import json
from pathlib import Path
from functions.core.onnx.session import BadModel, ModelFailure, Session
from functions.core.onnx.tensor import SIZES, Tensor
from math import prod

def of(spec):
    shape = tuple(2 if length < 0 else length for length in spec.shape)
    if spec.datatype == "BYTES":
        return Tensor.of("BYTES", shape, ["a"] * prod(shape))
    return Tensor.over(spec.datatype, shape, bytes(prod(shape) * SIZES[spec.datatype]))

if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[2]),) * 2)
for file in sorted(Path(sys.argv[1]).iterdir()):
    try:
        session = Session(file.read_bytes())
        session.run({spec.name: of(spec) for spec in session.inputs})
        outcome = "answered"
    except (BadModel, ModelFailure) as problem:
        outcome = f"{type(problem).__name__}: {problem}"
    print(json.dumps([file.name, outcome, peak()]), flush=True)
"""


def attack(folder: Path, models: Mapping[str, bytes], *limit: int) -> dict[str, tuple[str, int]]:
    """Open and run each model in one process; return its outcome and the peak memory by then, in bytes."""
    for name, content in models.items():
        (folder / name).write_bytes(content)
    command = [sys.executable, "-c", f"import resource, sys{PEAK}{ATTACKED}", str(folder), *map(str, limit)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    outcomes = {name: (outcome, peak) for name, outcome, peak in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, done.stderr) == (0, ""), f"it died after {max(outcomes, default='nothing')}"
    return outcomes


def greedy() -> dict[str, bytes]:
    """Return models of a few bytes each, which ask for 12 GB."""
    shape = numpy_helper.from_array(np.array([MANY], dtype=np.int64), "s")
    element = numpy_helper.from_array(np.zeros(1, dtype=np.float32), "one")
    claimed = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[MANY])
    value = numpy_helper.from_array(np.ones(1, dtype=np.float32), "w")
    sparse = helper.make_sparse_tensor(value, numpy_helper.from_array(np.array([5], dtype=np.int64)), [MANY])
    graphs: dict[str, tuple[list[Any], list[Any]]] = {
        "claimed": ([helper.make_node("Identity", ["w"], ["Y"])], [claimed]),
        "constant": ([helper.make_node("ConstantOfShape", ["s"], ["Y"])], [shape]),
        "expand": ([helper.make_node("Expand", ["one", "s"], ["Y"])], [shape, element]),
        "random": ([helper.make_node("RandomUniform", [], ["Y"], shape=[MANY])], []),
        "sparse": ([helper.make_node("Constant", [], ["Y"], sparse_value=sparse)], []),
    }
    return {name: graph(nodes, [], [("Y", "FP32", None)], weights) for name, (nodes, weights) in graphs.items()}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a bound on data")
def test_a_few_bytes_that_ask_for_twelve_gigabytes_get_an_error_and_none_of_them(tmp_path: Path) -> None:
    models = greedy()
    assert max(map(len, models.values())) < 150
    outcomes = attack(tmp_path, models)
    assert {name for name, (outcome, _) in outcomes.items() if outcome == "answered"} == set()
    assert max(peak for _, peak in outcomes.values()) < 500e6


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a bound on data")
def test_doubling_again_and_again_ends_at_the_bound(tmp_path: Path) -> None:
    nodes = [helper.make_node("Concat", [f"t{n}", f"t{n}"], [f"t{n + 1}"], axis=0) for n in range(40)]
    weights = [numpy_helper.from_array(np.zeros(1, dtype=np.float32), "t0")]
    outcomes = attack(tmp_path, {"doubling": graph(nodes, [], [("t40", "FP32", None)], weights)}, 1_000_000_000)
    assert "answered" not in outcomes["doubling"][0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a bound on data")
def test_the_shape_that_a_client_asks_for_is_bounded_too(tmp_path: Path) -> None:
    """The model is good; it is the request that wants too much."""
    cast = helper.make_node("Cast", ["X"], ["zero"], to=TensorProto.INT64)
    nodes = [cast, helper.make_node("Add", ["zero", "many"], ["s"]), helper.make_node("ConstantOfShape", ["s"], ["Y"])]
    weights = [numpy_helper.from_array(np.array([MANY], dtype=np.int64), "many")]
    model = graph(nodes, [("X", "FP32", [1])], [("Y", "FP32", [None])], weights)
    outcome, peak = attack(tmp_path, {"client": model})["client"]
    assert outcome.startswith("ModelFailure: ")
    assert peak < 500e6


def test_a_file_that_is_cut_off_anywhere_is_a_bad_model(tmp_path: Path) -> None:
    models = {}
    for name, file in {"magika": MAGIKA, "silero": SILERO / "silero_vad_16k_op15.onnx"}.items():
        content = file.read_bytes()
        models |= {f"{name}-{n}": content[: n * len(content) // 40] for n in range(40)}
    models |= {f"small-{n}": model_bytes()[:n] for n in range(0, len(model_bytes()), 9)}
    outcomes = attack(tmp_path, models)
    assert {outcome.split(":")[0] for outcome, _ in outcomes.values()} == {"BadModel"}


def test_nothing_that_a_byte_can_be_changed_to_ends_the_process(tmp_path: Path) -> None:
    models = {}
    for seed in range(300):
        dice = random.Random(seed)  # noqa: S311 - to be the same every time
        content = bytearray(model_bytes(fails=True))
        for _ in range(dice.choice((1, 1, 2, 4))):
            content[dice.randrange(len(content))] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        models[f"{seed:03}"] = bytes(content)
    assert len(attack(tmp_path, models)) == 300


def wild(seed: int) -> bytes:
    """Return a valid file of a broken model: some numbers, shapes and edges are changed."""
    dice = random.Random(seed)  # noqa: S311 - to be the same every time
    model = onnx.load_from_string((SILERO / "silero_vad_16k_op15.onnx").read_bytes())
    numbers = (0, -1, 2, 65536, 2**31, 2**62, -(2**63), 10**9)
    for _ in range(dice.choice((1, 2, 3))):
        node, weight = dice.choice(model.graph.node), dice.choice(model.graph.initializer)
        lists = [attribute for attribute in node.attribute if attribute.type == AttributeProto.INTS and attribute.ints]
        match dice.randrange(4):
            case 0 if lists:
                lists[0].ints[dice.randrange(len(lists[0].ints))] = dice.choice(numbers)
            case 1 if weight.dims:
                weight.dims[0] = dice.choice(numbers)
            case 2:
                weight.data_type = dice.randrange(26)
            case _ if node.input:
                node.input[dice.randrange(len(node.input))] = dice.choice(dice.choice(model.graph.node).output)
    return model.SerializeToString()


def test_no_number_and_no_edge_in_a_graph_ends_the_process(tmp_path: Path) -> None:
    assert len(attack(tmp_path, {f"{seed:02}": wild(seed) for seed in range(60)}, 2_000_000_000)) == 60


def field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that has a length."""
    length, size = b"", len(content)
    while size > 0x7F:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


@pytest.mark.parametrize("levels", [3, 30, 300, 10_000])
def test_graphs_inside_graphs_end_in_an_error(levels: int, tmp_path: Path) -> None:
    inner = b""
    for _ in range(levels):
        attribute = field(1, b"then_branch") + field(6, inner)
        inner = field(1, field(4, b"If") + field(5, attribute))
    model = bytes([1 << 3, 10]) + field(8, bytes([2 << 3, 21])) + field(7, inner)
    outcome, _ = attack(tmp_path, {"deep": model + field(6, b"location")})["deep"]
    assert outcome.startswith("BadModel: ")
