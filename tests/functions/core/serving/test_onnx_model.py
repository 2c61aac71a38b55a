"""A finished model as its callers see it: any inputs, any outputs, and people's rows too."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from functions.core.http.messages import Response
from functions.core.http.problem import Problem
from functions.core.jobs.predictions import predict_each
from functions.core.jobs.row_reader import Row
from functions.core.onnx.tensor import Spec, Tensor
from functions.core.registry.pointer import begin, promote_first
from functions.core.selection.admission import examine, version
from functions.core.serving.predictor import hash_percent
from functions.core.serving.table_inputs import cell_of
from models.bring_your_own import BringYourOwn
from tests.functions.bring_your_own import SCORES, doubling, halving, pair, picky, pipeline, scalars
from tests.functions.core.api.test_service import JUNK
from tests.functions.graphs import graph
from tests.functions.httpd import serving
from tests.functions.serving import MODEL, Bench, said

INFER = f"/v2/models/{MODEL}/infer"
RECORD = {"source": "file", "dataset": "0" * 64, "run": "r", "created": "now"}


def register(bench: Bench, onnx: bytes, requests: bytes | None = None, **more: Any) -> str:
    contract = BringYourOwn.parse({"name": MODEL, "task": "finished", **more}, "model.yaml")
    found = examine(contract, onnx, requests)
    assert not found.failed
    made = version(contract, RECORD, onnx, found)
    return bench.registry.register(made.onnx, made.card, made.golden, {})


def serve(onnx: bytes, requests: bytes | None = None, *, capture_inputs: float = 0.0, **more: Any) -> Bench:
    bench = Bench(capture_inputs=capture_inputs)
    name = register(bench, onnx, requests, **more)
    bench.live.change(lambda pointer: promote_first(pointer, name, "first", bench.clock()))
    return bench


def challenge(bench: Bench, onnx: bytes, **more: Any) -> str:
    name = register(bench, onnx, **more)
    bench.live.change(lambda pointer: begin(pointer, name, "second", 99, bench.clock()))
    bench.caller = next(caller for n in range(1000) if hash_percent(caller := f"caller {n}", name) < 99)
    bench.clock.forward(5)
    return name


@pytest.fixture(scope="module")
def shared() -> Bench:
    return serve(pair(), scores=SCORES)


def tensors(a: list[float], b: list[float], text: list[str]) -> list[dict[str, Any]]:
    rows = len(a)
    return [
        {"name": "text", "shape": [rows], "datatype": "BYTES", "data": text},
        {"name": "a", "shape": [rows, 1], "datatype": "FP32", "data": a},
        {"name": "b", "shape": [rows, 1], "datatype": "FP32", "data": b},
    ]


def outputs(response: Response) -> dict[str, Any]:
    assert response.status == 200, response.body
    return {output["name"]: output["data"] for output in said(response)["outputs"]}


def test_inputs_are_known_by_their_names_in_any_order(shared: Bench) -> None:
    response = shared.send("POST", INFER, {"inputs": tensors([3, 1], [1, 5], ["x", "ü"])})
    assert outputs(response) == {"scores": [2, -2, -4, 4], "sum": [4, 6], "said": ["x", "ü"]}


def test_metadata_describes_every_tensor(shared: Bench) -> None:
    about = said(shared.send("GET", f"/v2/models/{MODEL}"))
    assert about["inputs"] == [
        {"name": "a", "datatype": "FP32", "shape": [-1, 1]},
        {"name": "b", "datatype": "FP32", "shape": [-1, 1]},
        {"name": "text", "datatype": "BYTES", "shape": [-1]},
    ]
    assert [output["name"] for output in about["outputs"]] == ["scores", "sum", "said"]


def test_every_input_can_be_bytes_and_every_output(shared: Bench) -> None:
    with serving(shared.service) as address, triton.InferenceServerClient(address) as client:
        made = []
        for name, kind, values in (
            ("b", "FP32", np.array([[1], [5]], dtype=np.float32)),
            ("text", "BYTES", np.array(["", "größer"], dtype=np.object_)),
            ("a", "FP32", np.array([[3], [1]], dtype=np.float32)),
        ):
            tensor = triton.InferInput(name, list(values.shape), kind)
            tensor.set_data_from_numpy(values)
            made.append(tensor)
        result = client.infer(MODEL, made)
    assert result.as_numpy("scores").tolist() == [[2, -2], [-4, 4]]
    assert [text.decode() for text in result.as_numpy("said")] == ["", "größer"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found[:2], "inputs lacks b"),
        (lambda found: [*found, found[0]], "inputs[3].name stands twice"),
        (lambda found: [*found[:2], {**found[2], "name": "c"}], "inputs[2].name is no input; accepted: a, b, text"),
        (lambda found: [{**found[0], "data": [1, 2]}, *found[1:]], "inputs[0].data value 0 is no BYTES"),
        (lambda found: [found[0], {**found[1], "shape": [1]}, found[2]], "inputs[1].shape is not a shape of"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(change: Any, told: str, shared: Bench) -> None:
    response = shared.send("POST", INFER, {"inputs": change(tensors([3, 1], [1, 5], ["x", "y"]))})
    assert response.status == 400
    assert told in said(response)["error"]


def test_what_only_the_model_can_refuse_is_the_callers_fault_and_leaks_nothing(shared: Bench) -> None:
    unequal = [tensors([3, 1, 2], [1, 5, 2], ["x"] * 3)[0], *tensors([3, 1], [1, 5], [])[1:2]]
    response = shared.send("POST", INFER, {"inputs": [*unequal, tensors([1] * 3, [1] * 3, [])[2]]})
    assert response.status == 422
    assert "lengths or values" in said(response)["error"]
    assert "node" not in response.body.decode()
    assert shared.logged("request refused by the model")[-1]["cause"]


def test_rows_are_asked_for_by_the_names_of_the_inputs_and_answered_with_labels(shared: Bench) -> None:
    response = shared.predict({"a": [3], "b": [1], "text": "x"}, {"b": [5], "a": [1], "text": "y"})
    left, right = said(response)["predictions"]
    assert (left["label"], right["label"]) == ("left", "right")
    assert left["scores"] == {"left": 2.0, "right": -2.0}
    assert right["outputs"] == {"sum": [6.0], "said": "y"}
    assert response.headers["x-model-variant"] == "champion"


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"a": [1], "b": [1]}, "instances[0].text", "is missing; accepted: a, b, text"),
        ({"a": [1], "b": [1], "text": "x", "c": 1}, "instances[0].c", "is no input; accepted: a, b, text"),
        ([1], "instances[0]", "is not an object of the inputs a, b, text"),
        ({"a": [1, 2], "b": [1], "text": "x"}, "a", "holds lists of 2; accepted: rows of the shape [1]"),
        ({"a": [], "b": [1], "text": "x"}, "a", "holds lists of 0; accepted: rows of the shape [1]"),
        ({"a": [[1]], "b": [1], "text": "x"}, "a value 0", "is no FP32"),
        ({"a": "1", "b": [1], "text": "x"}, "a value 0", "is no FP32"),
        ({"a": ["1"], "b": [1], "text": "x"}, "a value 0", "is no FP32"),
        ({"a": [1], "b": [1], "text": 1}, "text value 0", "is no BYTES"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_by_name(row: Any, field: str, message: str, shared: Bench) -> None:
    response = shared.predict(row)
    assert response.status == 400
    error = said(response)["errors"][0]
    assert error["field"] == field
    assert error["message"].startswith(message)


def test_a_model_that_does_not_answer_row_by_row_is_left_to_infer() -> None:
    bench = serve(picky(), golden_five())
    refused = bench.predict([1, 2, 3, 4, 5])
    assert (refused.status, said(refused)["detail"][:40]) == (422, "the model does not answer row by row; in")
    assert bench.predict([1, 2, 3]).status == 422
    response = bench.predict([1] * 5, [1] * 5)
    assert "x takes exactly 1 rows" in said(response)["errors"][0]["message"]


def golden_five() -> bytes:
    tensor = {"name": "x", "shape": [1, 5], "datatype": "FP32", "data": [1, 2, 3, 4, 5]}
    return json.dumps([{"inputs": [tensor]}]).encode()


def test_a_model_without_rows_answers_tensors_alone() -> None:
    bench = serve(scalars())
    inputs = [
        {"name": "n", "shape": [], "datatype": "INT64", "data": [41]},
        {"name": "yes", "shape": [], "datatype": "BOOL", "data": [True]},
    ]
    assert outputs(bench.send("POST", INFER, {"inputs": inputs})) == {"next": [42]}
    refused = bench.predict({"n": 1, "yes": True})
    assert refused.status == 400
    assert "has no rows; infer takes its tensors" in said(refused)["errors"][0]["message"]


def test_one_tensor_alone_may_be_the_whole_body() -> None:
    bench = serve(picky(), golden_five())
    body, headers = struct.pack("<5f", 1, 2, 3, 4, 5), {"inference-header-content-length": "0"}
    response = bench.send("POST", INFER, body, headers=headers)
    assert response.status == 200
    assert response.body.endswith(struct.pack("<5f", 1, 2, 3, 4, 5) + struct.pack("<2q", 1, 5))


def test_a_challenger_with_the_same_labels_agrees_and_one_with_others_does_not() -> None:
    for onnx, agreed in ((pair(producer="another"), 2), (pair("Add"), 1)):
        bench = serve(pair(), scores=SCORES)
        challenge(bench, onnx, scores=SCORES)
        bench.predict({"a": [3], "b": [1], "text": "x"}, {"a": [1], "b": [5], "text": "y"})
        [record] = bench.captured()
        assert (record["variant"], record["rows"], record["agreed"]) == ("challenger", 2, agreed)


def test_without_classes_every_output_counts_up_to_rounding() -> None:
    bench = serve(pair())
    challenge(bench, pair("Add"))
    bench.predict({"a": [3], "b": [0], "text": "x"}, {"a": [1], "b": [5], "text": "y"})
    [record] = bench.captured()
    assert record["agreed"] == 1  # with b = 0 a sum is a difference


def test_a_challenger_that_lacks_an_input_is_stood_in_for_and_counted() -> None:
    bench = serve(pair())
    challenge(bench, scalars())
    response = bench.predict({"a": [3], "b": [1], "text": "x"})
    assert (response.status, response.headers["x-model-variant"]) == (200, "champion")
    [record] = bench.captured()
    assert record["error"] == "refused"


@pytest.mark.parametrize("datatype", ["FP16", "BF16"])
def test_rows_of_half_precision_are_numbers_and_infer_says_how_it_takes_them(datatype: str) -> None:
    bench = serve(
        graph([helper.make_node("Identity", ["X"], ["Y"])], [("X", datatype, [None])], [("Y", datatype, [None])])
    )
    assert said(bench.predict(1.5, -2))["predictions"] == [{"outputs": {"Y": 1.5}}, {"outputs": {"Y": -2.0}}]
    assert bench.predict(1e39).status == 400
    refused = bench.send("POST", INFER, {"inputs": [{"name": "X", "shape": [1], "datatype": datatype, "data": [1]}]})
    assert said(refused)["error"].endswith("which JSON does not carry; accepted: binary_data_size")


def test_texts_that_are_not_utf_8_are_never_altered(shared: Bench) -> None:
    texts = [b"\xff\x00", "ü".encode(), b""]
    packed = b"".join(struct.pack("<I", len(text)) + text for text in texts)
    inputs = tensors([1.0] * 3, [1.0] * 3, [])
    inputs[0] = {"name": "text", "shape": [3], "datatype": "BYTES", "parameters": {"binary_data_size": len(packed)}}

    def ask(**more: Any) -> Response:
        text = json.dumps({"inputs": inputs, **more}).encode()
        headers = {"inference-header-content-length": str(len(text))}
        return shared.send("POST", INFER, text + packed, headers=headers)

    refused = ask()
    assert refused.status == 400
    assert said(refused)["error"] == (
        "the output said is bytes that are not UTF-8, which JSON does not carry; accepted: binary_data: true"
    )
    assert packed in ask(parameters={"binary_data_output": True}).body


def test_rows_whose_answer_is_not_utf_8_are_left_to_infer() -> None:
    made = numpy_helper.from_array(np.array([b"\xff"], dtype=object), "made")
    nodes = [
        helper.make_node("Constant", [], ["bytes"], value=made),
        helper.make_node("Shape", ["X"], ["rows"]),
        helper.make_node("Expand", ["bytes", "rows"], ["Y"]),
    ]
    bench = serve(graph(nodes, [("X", "FP32", [None])], [("Y", "BYTES", [None])]))
    refused = bench.predict(1.0)
    assert refused.status == 422
    assert "the output Y is bytes that are not UTF-8; infer gives them as they are" in refused.body.decode()


def test_captures_keep_tensors_by_their_names() -> None:
    bench = serve(pair(), capture_inputs=1.0)
    bench.predict({"a": [3], "b": [1], "text": "x"})
    [record] = bench.captured()
    assert record["inputs"]["a"] == {"datatype": "FP32", "shape": [1, 1], "data": [3.0]}
    assert record["inputs"]["text"]["data"] == ["x"]
    assert record["outputs"]["scores"]["data"] == [2.0, -2.0]


def test_captures_leave_out_what_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.core.serving.onnx_model.CAPTURED_VALUES", 1)
    bench = serve(pair(), capture_inputs=1.0)
    bench.predict({"a": [3], "b": [1], "text": "x"})
    [record] = bench.captured()
    assert record["outputs"]["scores"] == {"datatype": "FP32", "shape": [1, 2]}


def test_a_job_answers_each_row_that_the_model_can_answer() -> None:
    bench = serve(pair(), scores=SCORES)
    by = bench.model_cache.current().champion
    good, bad = {"a": [3], "b": [1], "text": "x"}, {"a": [3], "b": [1]}
    answers = predict_each(by, [Row(value=value, problem=None) for value in (good, bad, good)])
    assert [answer.get("label") for answer in answers] == ["left", None, "left"]
    assert "is missing; accepted: a, b, text" in str(answers[1]["error"])


@pytest.mark.parametrize("a", [3, [3]])
def test_a_value_alone_is_a_column_of_one(a: Any, shared: Bench) -> None:
    rows = [{"a": a, "b": 1, "text": "x"}, {"a": [1], "b": 5, "text": "y"}]
    assert [one["outputs"]["sum"] for one in said(shared.predict(*rows))["predictions"]] == [[4.0], [6.0]]


def test_the_document_takes_a_value_alone_for_a_column_of_one(shared: Bench) -> None:
    column = shared.model_cache.current().champion.schemas().instance["properties"]["a"]
    number = column["anyOf"][0]
    assert number["type"] == "number"
    assert column["anyOf"][1] == {"type": "array", "items": number, "minItems": 1, "maxItems": 1}


@pytest.mark.parametrize(("shape", "data"), [([], [1.5]), ([3], [1, 2, 3]), ([2, 2], [[1, 2], [3, 4]]), ([0], [])])
def test_an_input_without_a_rank_takes_every_shape(shape: list[int], data: list[Any]) -> None:
    bench = serve(doubling())
    [output] = said(bench.send("POST", INFER, {"inputs": [{**X, "shape": shape, "data": data}]}))["outputs"]
    assert (output["shape"], output["data"]) == (shape, [2 * value for value in np.ravel(data)])


def test_an_input_without_a_rank_takes_rows_of_every_depth_and_says_so() -> None:
    bench = serve(doubling())
    for row in (1.5, [1.5, 2.0], [[1.5], [2.0]]):
        [answer] = said(bench.predict(row))["predictions"]
        assert answer["outputs"]["y"] == (np.asarray(row) * 2).tolist()
    [about] = said(bench.send("GET", f"/v2/models/{MODEL}"))["inputs"]
    assert about == {"name": "x", "datatype": "FP32", "shape": None}


@pytest.mark.parametrize("shape", [[1] * 17, "3", [-1], [True], None, [2**63]])
def test_no_shape_at_all_is_refused_by_an_input_of_every_shape(shape: Any) -> None:
    response = serve(doubling()).send("POST", INFER, {"inputs": [{**X, "shape": shape, "data": [1]}]})
    assert response.status == 400
    assert "is not a shape of this input; accepted: a list of at most 16 lengths" in said(response)["error"]


def test_bytes_alone_do_not_tell_the_shape_of_an_input_without_a_rank() -> None:
    response = serve(doubling()).send("POST", INFER, bytes(4), headers={"inference-header-content-length": "0"})
    assert (response.status, "does not tell the shape of x" in said(response)["error"]) == (400, True)


def test_an_input_with_a_value_in_the_file_may_be_left_out() -> None:
    bench = serve(halving())
    x, by = {**X, "shape": [2], "data": [4, 6]}, {"name": "by", "shape": [1], "datatype": "FP32", "data": [4]}
    assert outputs(bench.send("POST", INFER, {"inputs": [x]})) == {"y": [2, 3]}
    assert outputs(bench.send("POST", INFER, {"inputs": [by, x]})) == {"y": [1, 1.5]}
    assert "inputs lacks x" in said(bench.send("POST", INFER, {"inputs": [by]}))["error"]
    assert [one["outputs"]["y"] for one in said(bench.predict(4, 6))["predictions"]] == [2, 3]
    raw = bench.send("POST", INFER, struct.pack("<2f", 4, 6), headers={"inference-header-content-length": "0"})
    assert raw.status == 200
    refused = said(bench.predict({"x": 4, "by": [4]}))["errors"][0]
    assert refused["message"] == "is optional, and infer alone takes it; accepted: x"
    about = said(bench.send("GET", f"/v2/models/{MODEL}"))["inputs"]
    assert about[1] == {"name": "by", "datatype": "FP32", "shape": [1], "optional": True}
    schemas = bench.model_cache.current().champion.schemas()
    assert (len(schemas.inputs), len(schemas.optional)) == (1, 1)


X = {"name": "x", "datatype": "FP32"}


def test_a_pipeline_of_scikit_learn_takes_rows_as_people_write_them_and_tables() -> None:
    bench = serve(pipeline(), scores={"output": "probabilities", "classes": ["stays", "leaves"]})
    row = {"age": 7, "fee": 3.5, "plan": "plus", "region": "south"}
    [answer] = said(bench.predict(row))["predictions"]
    assert (answer["label"], set(answer["scores"])) == ("leaves", {"stays", "leaves"})
    by = bench.model_cache.current().champion
    assert [column.name for column in by.columns()] == list(row)
    inputs = by.inputs_of({name: [value] for name, value in row.items()})
    assert by.predictions(by.answer(inputs), 1) == [answer]


def test_a_table_has_a_column_for_each_input(shared: Bench) -> None:
    by = shared.model_cache.current().champion
    assert [(one.name, one.kind, one.categories) for one in by.columns()] == [
        ("a", "number", ()), ("b", "number", ()), ("text", "category", ()),
    ]  # fmt: skip
    inputs = by.inputs_of({"a": [3.0, 1.0], "b": [1.0, 5.0], "text": ["x", "y"]})
    assert by.predictions(by.answer(inputs), 2)[1]["outputs"] == {"sum": [6.0], "said": "y"}


def test_columns_of_a_wide_input_are_named_in_the_contract() -> None:
    by = serve(doubling(["rows", 3]), columns={"x": ["age", "fee", "score"]}).model_cache.current().champion
    assert [one.name for one in by.columns()] == ["age", "fee", "score"]
    inputs = by.inputs_of({"score": [3, 6], "age": [1, 4], "fee": [2, 5]})
    assert inputs["x"] == Tensor.of("FP32", (2, 3), [1, 2, 3, 4, 5, 6])


def test_a_wide_input_without_names_is_no_table() -> None:
    by = serve(doubling(["rows", 3])).model_cache.current().champion
    with pytest.raises(Problem) as refused:
        by.columns()
    assert refused.value.text == (
        "a table cannot be the input of this model; x has the shape [-1, 3], and is no column; accepted: JSON, or the"
        " names of its columns under columns: in the model's model.yaml"
    )


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("INT64", " 9007199254740993", 9007199254740993), ("INT64", "-7.0", -7), ("INT64", "7.5", 7.5),
        ("INT64", "", None), ("INT64", "1_000", "1_000"), ("INT64", "\u0663", "\u0663"), ("UINT8", "+7", 7),
        ("FP64", "0.1", 0.1), ("FP64", "1e300", 1e300), ("FP32", "N/A", "N/A"), ("FP32", "nan", None),
        ("BOOL", "yes", True), ("BOOL", "0.0", False), ("BOOL", "2", "2"), ("BYTES", " null ", " null "),
    ],
)  # fmt: skip
def test_a_cell_keeps_every_digit_that_its_input_takes(kind: str, text: str, value: Any) -> None:
    assert cell_of(text, Spec(name="X", datatype=kind, shape=(-1,))) == value


@pytest.mark.parametrize(
    ("kind", "values"),
    [("BOOL", [True, False]), ("FP16", [0.5, 1.5]), ("FP64", [0.1, 1e300]), ("UINT8", [0, 255]), ("BYTES", ["a", "ü"])],
)
def test_columns_of_every_datatype_become_inputs(kind: str, values: list[Any]) -> None:
    by = serve(scalar_rows(kind)).model_cache.current().champion
    assert by.inputs_of({"X": values})["X"] == Tensor.of(kind, (2,), values)


@pytest.mark.parametrize("values", [[1, "x"], [1, None], [256, 1], [-1, 1]])
def test_a_column_that_does_not_fit_its_datatype_is_named(values: list[Any]) -> None:
    by = serve(scalar_rows("UINT8")).model_cache.current().champion
    with pytest.raises(Problem, match="the rows do not fit the model") as refused:
        by.inputs_of({"X": values})
    assert refused.value.faults[0].field == "X"


def scalar_rows(kind: str) -> bytes:
    return graph([helper.make_node("Identity", ["X"], ["Y"])], [("X", kind, [None])], [("Y", kind, [None])])


def test_numbers_that_json_does_not_know_are_null_in_it() -> None:
    bench = serve(pair(), scores=SCORES)
    huge = 3.4e38
    response = bench.predict({"a": [huge], "b": [-huge], "text": "x"})
    assert said(response)["predictions"][0]["scores"] == {"left": None, "right": None}
    assert said(response)["predictions"][0]["label"] == "left"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.fixed_dictionaries({}, optional={name: JUNK for name in ("a", "b", "text", "other")}) | JUNK),
    named=st.booleans(),
)
def test_no_row_whatever_makes_a_500(rows: Any, named: bool, shared: Bench) -> None:
    body = {"instances": rows} if named else {"inputs": rows}
    path = "/predict" if named else INFER
    assert shared.send("POST", path, json.dumps(body).encode()).status < 500
