"""A finished model, from its upload to its version or to the reason why there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from functions.core.onnx.session import BadModel, Session
from functions.core.onnx.tensor import Tensor
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Corrupt
from functions.core.selection import admission, sample_requests
from functions.core.serving import golden
from functions.core.serving.opening import open_version
from models.light import replace
from tests.functions.bring_your_own import (
    MODEL,
    SCORES,
    Bench,
    doubling,
    encoder,
    endless,
    halving,
    image,
    pair,
    picky,
    pipeline,
    random,
    scalars,
)
from tests.functions.graphs import graph
from tests.root import ROOT

FIVE = {"name": "x", "shape": [1, 5], "datatype": "FP32", "data": [1, 2, 3, 4, 5]}
SAMPLES = ROOT / ".local" / "samples"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(folder=tmp_path)
    made.describe()
    return made


def test_a_model_of_several_inputs_becomes_a_version_without_golden_requests(bench: Bench) -> None:
    answer, record = bench.publish(pair())
    assert (answer["status"], record["status"]) == ("registered", "registered")
    assert all(check["passed"] for check in record["checks"])
    version = bench.registry.load(answer["version"])
    assert version.onnx == pair()
    assert version.card["task"] == "finished"
    assert [entry["name"] for entry in version.card["inputs"]] == ["a", "b", "text"]
    assert set(open_version(version).outputs) == {"scores", "sum", "said"}
    key = f"{MODEL}/versions/{answer['version']}/report.html"
    assert b"<script" not in bench.models.get(key)
    assert b"answers the same again" in bench.models.get(key)


def test_a_model_that_does_not_end_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "_ANSWERS_SECONDS", 0.1)
    answer, record = bench.publish(endless())
    assert (answer["status"], record["status"]) == ("refused", "refused")
    [failed] = [check for check in record["checks"] if not check["passed"]]
    assert failed["name"] == "answers"
    assert "had not ended when its time was over" in failed["detail"]


def test_the_same_file_again_changes_nothing(bench: Bench) -> None:
    _, record = bench.publish(pair())
    bench.registry.update_run(record["run"], lambda found: {**found, "status": "promoted"})
    there = set(bench.models.keys(f"{MODEL}/"))
    again = bench.prepare(pair(), name="another-name.onnx")
    assert (again["status"], again["run"]) == ("unchanged", record["run"])
    assert set(bench.models.keys(f"{MODEL}/")) == there, "it is looked for every quarter of an hour"


@pytest.mark.parametrize("status", ["promoted", "rolled_back", "refused", "failed"])
def test_who_only_looks_begins_nothing_for_a_file_that_has_been_through(status: str, bench: Bench) -> None:
    _, record = bench.publish(pair())
    bench.registry.update_run(record["run"], lambda found: {**found, "status": status})
    there = set(bench.models.keys(f"{MODEL}/"))
    assert bench.look()["status"] == "unchanged"
    assert set(bench.models.keys(f"{MODEL}/")) == there


def test_who_only_looks_finds_a_file_whose_arrival_was_lost(bench: Bench) -> None:
    bench.upload(pair())
    assert bench.look()["status"] == "accepted"


@pytest.mark.parametrize("data", [b"no model", bytes(300)])
def test_who_only_looks_rejects_a_file_once(data: bytes, bench: Bench) -> None:
    bench.describe(gate={"maximum_bytes": 200})
    bench.upload(data)
    assert bench.look()["status"] == "rejected"
    there = set(bench.models.keys(f"{MODEL}/"))
    assert bench.look()["status"] == "unchanged"
    assert set(bench.models.keys(f"{MODEL}/")) == there
    assert bench.prepare(data)["status"] == "rejected", "whoever puts it there again is told again"


def test_a_version_that_was_rolled_back_does_not_come_back_because_its_description_changed(bench: Bench) -> None:
    _, record = bench.publish(pair())
    bench.registry.update_run(record["run"], lambda found: {**found, "status": "rolled_back"})
    bench.describe(description="said otherwise")
    assert bench.look()["status"] == "unchanged"
    assert bench.prepare(pair())["status"] == "accepted", "only who puts the file there again wants it once more"
    bench.describe(scores=SCORES)
    assert bench.look()["status"] == "accepted", "its answers mean something else: that is another version"


def test_another_contract_is_another_run_of_the_same_file_and_other_golden_requests_another_version(
    bench: Bench,
) -> None:
    runs = [bench.publish(pair())[1]["run"]]
    bench.describe(scores=SCORES)
    answer, record = bench.publish(pair())
    runs.append(record["run"])
    bench.describe(scores=SCORES, golden=[{"inputs": inputs(1.0, 2.0, "x")}])
    proven, record = bench.publish(pair())
    runs.append(record["run"])
    assert len(set(runs)) == 3
    assert answer["version"] != proven["version"]  # the golden answers, which a version must give, are part of it
    assert bench.registry.load(proven["version"]).onnx == bench.registry.load(answer["version"]).onnx


def inputs(a: float, b: float, text: str) -> list[dict[str, Any]]:
    number = {"shape": [1, 1], "datatype": "FP32"}
    return [
        {"name": "a", **number, "data": [a]},
        {"name": "b", **number, "data": [b]},
        {"name": "text", "shape": [1], "datatype": "BYTES", "data": [text]},
    ]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "the file is no ONNX model"),
        (b"a,b\n1,2\n", "the file is no ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "the file is no ONNX model"),
        (pair()[:-40], "the file is no ONNX model"),
        (b"PAR1" + bytes(99), "the file is no ONNX model"),
    ],
)
def test_a_file_that_is_not_a_model_is_rejected_on_arrival(data: bytes, cause: str, bench: Bench) -> None:
    answer = bench.prepare(data)
    assert answer["status"] == "rejected"
    assert bench.record(answer["run"])["cause"].startswith(cause)


def test_a_file_beyond_the_bound_is_rejected_without_being_read(bench: Bench) -> None:
    bench.describe(gate={"maximum_bytes": 100})
    answer = bench.prepare(pair())
    assert answer["status"] == "rejected"
    assert "larger than" in bench.record(answer["run"])["cause"]


def outside() -> bytes:
    found = onnx.load_from_string(pair())
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../etc/passwd")
    found.graph.initializer.append(tensor)
    return found.SerializeToString()


def unknown_operator() -> bytes:
    found = onnx.load_from_string(pair())
    found.graph.node[0].op_type = "Steal"
    return found.SerializeToString()


@pytest.mark.parametrize(
    ("data", "check", "told"),
    [
        (outside(), "opens", "weights in other files"),
        (unknown_operator(), "opens", "Steal"),
        (random(), "answers the same again", "differs by"),
        (picky(), "answers", "put golden.json next to it: the model answers no request made up from its signature"),
    ],
)
def test_a_model_that_cannot_be_relied_on_is_refused_by_name(data: bytes, check: str, told: str, bench: Bench) -> None:
    passed, detail = bench.checks(data)[check]
    assert not passed
    assert told in detail
    [run] = {key.split("/")[2] for key in bench.models.keys(f"{MODEL}/runs")}
    record = bench.record(run)
    assert (record["status"], record["version"]) == ("refused", None)
    assert record["cause"].startswith(check)
    assert not list(bench.models.keys(f"{MODEL}/versions"))


def test_a_model_without_rows_is_a_model_too(bench: Bench) -> None:
    answer, _ = bench.publish(scalars())
    version = bench.registry.load(answer["version"])
    given = {"n": Tensor.of("INT64", (), [41]), "yes": Tensor.of("BOOL", (), [True])}
    assert open_version(version).answer(given)["next"].values() == (42,)


@pytest.mark.parametrize(
    "data",
    [
        pipeline(), encoder(), encoder(vocabulary=3), encoder(vocabulary=1, types=1), encoder(types=1),
        image(), image(channels=1), image(axis=3), doubling(), doubling([None, None, 5]), halving(),
    ],
    ids=["sklearn", "bert", "few-words", "one-word", "one-type", "image", "grey", "last", "no-rank", "open", "more"],
)  # fmt: skip
def test_models_of_other_kinds_are_admitted_without_golden_requests(data: bytes, bench: Bench) -> None:
    checks = bench.checks(data)
    assert all(passed for passed, _ in checks.values()), checks


def test_a_request_is_made_up_the_same_every_time_and_tells_more_than_zeros() -> None:
    one, another = (sample_requests.made_up(Session(encoder())) for _ in range(2))
    assert one.inputs == another.inputs
    shapes = {tensor.shape for tensor in one.inputs.values()}
    assert shapes == {(2, 16)}, "batch and sequence are shared by all three"
    assert set(one.inputs["attention_mask"].values()) == {1}
    assert set(one.inputs["token_type_ids"].values()) == {0, 1}
    assert len(set(one.inputs["input_ids"].values())) > 4


def test_lengths_of_one_name_are_equal_and_others_are_mixed() -> None:
    nodes = [
        helper.make_node("MatMul", ["a", "b"], ["c"]),
        helper.make_node("Constant", [], ["shape"], value=helper.make_tensor("s", TensorProto.INT64, [2], [2, 8])),
        helper.make_node("Reshape", ["c", "shape"], ["y"]),
    ]
    data = graph(nodes, [("a", "FP32", ["n", "k"]), ("b", "FP32", ["k", "m"])], [("y", "FP32", [2, 8])])
    shapes = {name: tensor.shape for name, tensor in sample_requests.made_up(Session(data)).inputs.items()}
    assert shapes["a"][1] == shapes["b"][0]
    assert shapes["a"][0] * shapes["b"][1] == 16


@pytest.mark.parametrize("width", [1, 3])
def test_scores_of_an_open_length_are_counted_in_an_answer(width: int, bench: Bench) -> None:
    bench.describe(scores={"output": "y", "classes": ["a", "b"]}, golden=[{"inputs": [{**FIVE, "shape": [5 // 5, 5]}]}])
    passed, told = bench.checks(doubling(["n", None]))["scores"]
    assert not passed
    assert told == "scores: y answers the shape [1, 5]; its last length must be that of the 2 classes"


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"x": ["a", "b"]}, "columns.x: names 2 columns; x is [-1, 3], and must be [-1, 2]"),
        ({"z": ["a"]}, "columns.z: is no input; accepted: x"),
    ],
)
def test_names_of_columns_that_do_not_fit_are_refused(columns: Any, told: str, bench: Bench) -> None:
    bench.describe(columns=columns)
    assert bench.checks(doubling(["n", 3]))["columns"] == (False, told)


def test_a_table_names_no_column_twice(bench: Bench) -> None:
    bench.describe(columns={"a": ["b"]})
    assert bench.checks(pair())["columns"] == (False, "columns: b is an input, too")


def test_other_names_of_columns_are_another_version(bench: Bench) -> None:
    versions = set()
    for names in ([], ["a", "b"], ["b", "a"]):
        bench.describe(columns={"x": names} if names else {})
        versions.add(bench.publish(doubling(["n", 2]))[0]["version"])
    assert len(versions) == 3


def test_a_file_that_keeps_its_signature_or_takes_more_needs_no_word(bench: Bench) -> None:
    promoted(bench, doubling([2, 3]))
    for data in (doubling([2, 3]) + b"\x12\x01x", doubling([None, 3]), doubling([None, None]), doubling()):
        assert bench.checks(data)["keeps its signature"] == (True, "")


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        (
            [2, 4],
            "the input x is FP32 [2, 4], and was FP32 [-1, 3]; the output y is FP32 [2, 4], and was FP32 [-1, 3];",
        ),
        ([2, 3], "the input x is FP32 [2, 3], and was FP32 [-1, 3]; clients"),
        ([None, 3, 1], "the input x is FP32 [-1, 3, 1], and was FP32 [-1, 3]; the output y is FP32 [-1, 3, 1], and"),
    ],
)
def test_a_file_that_takes_less_than_the_live_one_is_refused_with_what_changed(
    shape: list[int | str | None], told: str, bench: Bench
) -> None:
    promoted(bench, doubling(["n", 3]))
    passed, detail = bench.checks(doubling(shape))["keeps its signature"]
    assert (passed, detail[: len(told)]) == (False, told)


def promoted(bench: Bench, data: bytes) -> str:
    """Publish a file, and make its version live."""
    answer, _ = bench.publish(data)
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, answer["version"], "run", 0.0))
    return answer["version"]


def test_a_file_of_another_signature_needs_a_word_of_the_owner(bench: Bench) -> None:
    live = promoted(bench, pair())
    answer, record = bench.publish(doubling(["rows", 1]))
    assert answer["status"] == "refused"
    assert record["cause"] == (
        "keeps its signature: the input a is gone; the input b is gone; the input text is gone; the input x is new;"
        " the output scores is gone; the output sum is gone; the output said is gone; clients of the live version"
        f' {live} would fail. To release it all the same, write accept_signature_change: "{live}" into model.yaml'
    )
    bench.describe(accept_signature_change="0" * 16)
    assert bench.publish(doubling(["rows", 1]))[0]["status"] == "refused", "that is not the live version"
    bench.describe(accept_signature_change=live)
    answer, record = bench.publish(doubling(["rows", 1]))
    assert answer["status"] == "registered"
    [told] = [check["detail"] for check in record["checks"] if check["name"] == "keeps its signature"]
    assert told.startswith("accepted: the input a is gone")


def test_classes_that_are_gone_need_a_word_and_new_ones_do_not(bench: Bench) -> None:
    bench.describe(scores={"output": "y", "classes": ["a", "b", "c"]})
    promoted(bench, doubling(["n", 3]))
    for classes, told in ((["c", "b", "a"], ""), (["a", "b", "d"], "classes are gone: c;")):
        bench.describe(scores={"output": "y", "classes": classes})
        passed, detail = bench.checks(doubling(["n", 3]) + b"\x12\x01x")["keeps its signature"]
        assert (passed, detail.startswith(told)) == (not told, True)
    bench.describe()
    assert "scores are gone" in bench.checks(doubling(["n", 3]) + b"\x12\x01y")["keeps its signature"][1]


def test_golden_requests_of_ones_own_help_a_model_that_is_picky(bench: Bench) -> None:
    bench.describe(golden=[{"inputs": [FIVE]}])
    answer, record = bench.publish(picky())
    assert answer["status"] == "registered", record["cause"]
    case = bench.registry.load(answer["version"]).golden["cases"][0]
    assert case["outputs"]["count"]["shape"] == [2]


@pytest.mark.parametrize(
    ("expected", "passed", "told"),
    [
        ({"name": "y", "shape": [1, 5], "datatype": "FP32", "data": [1, 2, 3, 4, 5.00001]}, True, ""),
        ({"name": "y", "shape": [1, 5], "datatype": "FP32", "data": [1, 2, 3, 4, 6]}, False, "y differs by 0.17"),
        ({"name": "count", "shape": [2], "datatype": "INT64", "data": [1, 4]}, False, "count has other values"),
        ({"name": "y", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}, False, "y is FP32 of the shape"),
    ],
)
def test_answers_are_compared_with_the_golden_answers_that_were_given(
    expected: dict[str, Any], passed: bool, told: str, bench: Bench
) -> None:
    bench.describe(golden=[{"inputs": [FIVE], "outputs": [expected]}])
    found = bench.checks(picky())["answers as expected"]
    assert found[0] == passed
    assert told in found[1]


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ("not json", "is no JSON"),
        ('[{"inputs": [], "inputs": []}]', "names inputs twice in one object"),
        ([], "is no list of requests"),
        ({"inputs": [FIVE]}, "is no list of requests"),
        ([1], "[0] is no request"),
        ([{"inputs": {}}], "[0].inputs is no list of tensors"),
        ([{"inputs": []}], "[0].inputs lacks x"),
        ([{"inputs": [{**FIVE, "name": "z"}]}], "[0].inputs[0].name is no input; accepted: x"),
        ([{"inputs": [{**FIVE, "shape": [1, 6]}]}], "[0].inputs[0].data holds 5 values; the shape says 6"),
        ([{"inputs": [{**FIVE, "shape": [1, 4], "data": [1, 2, 3, 4]}]}], "the model fails on a request"),
        (
            [{"inputs": [FIVE], "outputs": [{**FIVE, "name": "x"}]}],
            "[0].outputs[0].name is no output; accepted: y, count",
        ),
    ],
)
def test_golden_requests_that_are_none_are_refused_in_words(requests: Any, told: str, bench: Bench) -> None:
    bench.describe(golden=requests)
    passed, detail = bench.checks(picky())["answers"]
    assert not passed
    assert detail.startswith("golden.json ")
    assert told in detail


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ({"output": "nothing", "classes": ["a", "b"]}, "nothing is no output; accepted: scores, sum, said"),
        ({"output": "scores", "classes": ["a", "b", "c"]}, "its last length must be that of the 3 classes"),
        ({"output": "said", "classes": ["a", "b"]}, "said is BYTES of the shape [-1]"),
    ],
)
def test_classes_that_no_output_has_scores_for_are_refused(scores: dict[str, Any], told: str, bench: Bench) -> None:
    bench.describe(scores=scores)
    passed, detail = bench.checks(pair())["scores"]
    assert not passed
    assert told in detail


def test_a_model_slower_than_its_bound_is_refused(bench: Bench) -> None:
    bench.describe(gate={"maximum_latency_ms": 1e-6})
    answer, record = bench.publish(pair())
    assert answer["status"] == "refused"
    assert "latency in ms is" in record["cause"]


def test_a_version_that_answers_otherwise_than_when_it_was_made_does_not_open(bench: Bench) -> None:
    answer, _ = bench.publish(pair())
    key = bench.registry.key(answer["version"], "golden.json")
    kept, version = bench.models.get_json(key), bench.registry.load(answer["version"])
    kept["cases"][0]["outputs"]["sum"] = kept["cases"][0]["inputs"]["a"]
    with pytest.raises(BadModel, match="golden request 0: sum differs by"):
        open_version(replace(version, golden=kept))
    bench.models.put_json(key, kept)
    with pytest.raises(Corrupt, match=r"golden\.json"):
        bench.registry.load(answer["version"])


def test_golden_answers_forgive_rounding_and_nothing_else() -> None:
    def number(value: float, datatype: str = "FP32") -> Tensor:
        return Tensor.of(datatype, (1,), [value])

    nan, infinity = float("nan"), float("inf")
    assert golden.unlike(number(1000.0), number(1000.05), 1e-4) is None
    assert golden.unlike(number(1000.0), number(1001.0), 1e-4) == "differs by 0.001; at most 0.0001 is accepted"
    assert golden.unlike(number(nan), number(nan), 1e-4) is None
    assert golden.unlike(number(infinity), number(infinity), 1e-4) is None
    for other in (nan, -infinity, 1.0):
        assert golden.unlike(number(infinity), number(other), 1e-4) is not None
        assert golden.unlike(number(other), number(infinity), 1e-4) is not None
    assert golden.unlike(number(1.0, "FP16"), number(1.001, "FP16"), 1e-6) is None
    assert golden.unlike(number(1, "INT64"), number(2, "INT64"), 0.9) == "has other values than it had"
    assert golden.unlike(number(1.0), None, 1e-4) == "is missing"


@pytest.mark.parametrize("file", ["magika/models/standard_v3_3/model.onnx"])
def test_a_real_model_is_admitted_as_it_comes(file: str, bench: Bench) -> None:
    checks = bench.checks((SAMPLES / file).read_bytes())
    assert all(passed for passed, _ in checks.values()), checks


def test_a_real_model_with_a_state_is_admitted_with_one_request_of_ones_own(bench: Bench) -> None:
    data = (SAMPLES / "silero_vad/data/silero_vad.onnx").read_bytes()
    names = {spec.name: spec for spec in Session(data).inputs}
    assert set(names) == {"input", "state", "sr"}
    sound = {"name": "input", "shape": [1, 576], "datatype": "FP32", "data": [0.1] * 576}
    state = {"name": "state", "shape": [2, 1, 128], "datatype": "FP32", "data": [0.0] * 256}
    rate = {"name": "sr", "shape": [], "datatype": "INT64", "data": [16000]}
    bench.describe(golden=json.dumps([{"inputs": [sound, state, rate]}]))
    answer, record = bench.publish(data)
    assert answer["status"] == "registered", record["cause"]
