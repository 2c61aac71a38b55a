"""Tensors as bytes behind the JSON, both ways, as the extension says and not otherwise."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.http.messages import Response
from functions.core.http.problem import Problem
from functions.core.onnx.tensor import INTEGERS, Tensor
from functions.core.onnx.tensor_bytes import Chunks, pack, split, unpack
from tests.functions.serving import MODEL, Bench, said

INFER = f"/v2/models/{MODEL}/infer"
ROWS = struct.pack("<4f", 1.0, 9.0, 9.0, 1.0)
OCTETS = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="module")
def shared() -> Bench:
    bench = Bench()
    bench.champion()
    return bench


def request(size: Any = 16, shape: Any = (2, 2), *, top: Any = None, **more: Any) -> bytes:
    tensor = {"name": "X", "shape": list(shape), "datatype": "FP32", "parameters": {"binary_data_size": size}, **more}
    return json.dumps({"inputs": [tensor], **(top or {})}).encode()


def send(bench: Bench, text: bytes, data: bytes = ROWS, length: str | None = None) -> Response:
    json_length = str(len(text)) if length is None else length
    return bench.send("POST", INFER, text + data, headers={"inference-header-content-length": json_length, **OCTETS})


def parts(response: Response) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The JSON of an answer, and the bytes of each of its tensors."""
    assert response.status == 200, response.body
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers["inference-header-content-length"])
    document, at, tensors = json.loads(response.body[:length]), length, {}
    for output in document["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is not None:
            assert "data" not in output
            tensors[output["name"]] = response.body[at : at + size]
            at += size
    assert at == len(response.body)
    return document, tensors


def test_bytes_in_give_what_numbers_in_give(shared: Bench) -> None:
    numbers = {"inputs": [{"name": "X", "shape": [2, 2], "datatype": "FP32", "data": [1.0, 9.0, 9.0, 1.0]}]}
    response = send(shared, request())
    assert response.headers["content-type"] == "application/json"
    assert said(response) == said(shared.send("POST", INFER, numbers))


def test_outputs_come_as_bytes_when_all_are_asked_for_so(shared: Bench) -> None:
    document, tensors = parts(send(shared, request(top={"id": "7", "parameters": {"binary_data_output": True}})))
    assert (document["id"], document["model_name"]) == ("7", MODEL)
    assert [output["name"] for output in document["outputs"]] == ["label", "probabilities"]
    assert struct.unpack("<2q", tensors["label"]) == (0, 1)
    assert struct.unpack("<4f", tensors["probabilities"]) == pytest.approx((1, 0, 0, 1), abs=1e-3)


@pytest.mark.parametrize(
    ("general", "label", "probabilities"), [(None, True, False), (True, False, None), (False, None, True)]
)
def test_each_output_can_be_asked_for_in_its_own_way(
    general: bool | None, label: bool | None, probabilities: bool | None, shared: Bench
) -> None:
    def wanted(name: str, binary: bool | None) -> dict[str, Any]:
        return {"name": name} if binary is None else {"name": name, "parameters": {"binary_data": binary}}

    top: dict[str, Any] = {"outputs": [wanted("probabilities", probabilities), wanted("label", label)]}
    if general is not None:
        top["parameters"] = {"binary_data_output": general}
    document, tensors = parts(send(shared, request(top=top)))
    expected = {"label": label, "probabilities": probabilities}
    as_bytes = {name for name, binary in expected.items() if (general if binary is None else binary)}
    assert set(tensors) == as_bytes
    assert [output["name"] for output in document["outputs"]] == ["probabilities", "label"]
    assert {output["name"] for output in document["outputs"] if "data" in output} == set(expected) - as_bytes


def test_an_answer_of_json_alone_has_no_length(shared: Bench) -> None:
    assert "inference-header-content-length" not in send(shared, request()).headers


def test_numbers_in_and_bytes_out(shared: Bench) -> None:
    tensor = {"name": "X", "shape": [1, 2], "datatype": "FP32", "data": [9.0, 1.0]}
    body = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    _, tensors = parts(shared.send("POST", INFER, body))
    assert struct.unpack("<q", tensors["label"]) == (1,)


def test_a_body_that_is_one_tensor_needs_no_json(shared: Bench) -> None:
    document, tensors = parts(send(shared, b""))
    assert struct.unpack("<2q", tensors["label"]) == (0, 1)
    assert "id" not in document
    for data, text in ((b"", "no rows"), (ROWS[:-1], "there are 15 bytes"), (b"x" * 3, "there are 3 bytes")):
        response = send(shared, b"", data)
        assert response.status == 400
        assert text in said(response)["error"]


@pytest.mark.parametrize("length", ["-1", "1e3", " 5", "", "0x10", "99999", "9" * 400, "٣"])
def test_a_length_that_is_none_of_the_bodys_is_refused(length: str, shared: Bench) -> None:
    response = send(shared, request(), length=length)
    assert response.status == 400
    assert "Inference-Header-Content-Length" in said(response)["error"]


@pytest.mark.parametrize(
    ("text", "data", "message"),
    [
        (request(17), ROWS, "inputs[0].parameters.binary_data_size is 17; the body holds 16 more bytes"),
        (request(15), ROWS, "body has 1 bytes behind the last tensor"),
        (request(0), ROWS, "body has 16 bytes behind the last tensor"),
        (request(-1), ROWS, "is not a number of bytes"),
        (request(10**18), ROWS, "the body holds 16 more bytes"),
        (request(10**30), ROWS, "is not a number of bytes"),
        (request(16.0), ROWS, "is not a number of bytes"),
        (request(True), ROWS, "is not a number of bytes"),
        (request("16"), ROWS, "is not a number of bytes"),
        (request(16, (1, 2)), ROWS, "there are 16 bytes; FP32 of the shape [1, 2] takes 8"),
        (request(16, (10**9, 2)), ROWS, "takes 8000000000"),
        (request(16, (10**18, 2)), ROWS, "there are 16 bytes"),
        (request(16, (10**40, 2)), ROWS, "is not a shape of this input"),
        (request(16, datatype="FP64"), ROWS, "inputs[0].datatype is FP64; accepted: FP32"),
        (request(16, data=[1, 9, 9, 1]), ROWS, "inputs[0].data is there together with binary_data_size"),
        (request(16)[:-1], ROWS, "not JSON"),
        (request(None, data=[1, 9, 9, 1]), ROWS, "body has 16 bytes behind the last tensor"),
        (request(16), struct.pack("<4f", 1, 9, -1, 1), "row 1, mean_radius is not a finite number from 0 to 1000"),
        (request(16), struct.pack("<4f", 1, 9, float("nan"), 1), "row 1, mean_radius is not a finite number"),
        (request(16), struct.pack("<4f", 1, 9, 1, float("inf")), "row 1, mean_texture is not a finite number"),
    ],
)
def test_bytes_that_do_not_fit_are_refused_by_their_place(
    text: bytes, data: bytes, message: str, shared: Bench
) -> None:
    response = send(shared, text, data)
    assert response.status == 400
    assert message in said(response)["error"]


def test_two_tensors_cannot_share_bytes() -> None:
    chunks = Chunks(memoryview(b"abcdef"))
    assert (bytes(chunks.take(4, "a")), bytes(chunks.take(2, "b"))) == (b"abcd", b"ef")
    with pytest.raises(Problem, match="does not fit"):
        chunks.take(1, "c")
    chunks.close()


def test_the_bytes_of_a_body_are_not_copied() -> None:
    body: Any = bytearray(b"{}" + ROWS)
    _, chunks = split(body, {"inference-header-content-length": "2"})
    assert chunks is not None
    tensor = unpack("FP32", (2, 2), chunks.rest())
    body[2:6] = struct.pack("<f", 5.0)
    assert tensor.values()[0] == 5.0


NUMBERS = {
    **{datatype: st.integers(*bounds) for datatype, bounds in INTEGERS.items()},
    "BOOL": st.booleans(), "BYTES": st.binary(max_size=9), "FP64": st.floats(),
    **{f"FP{width}": st.floats(width=width) for width in (16, 32)}, "BF16": st.floats(width=16),
}  # fmt: skip


@given(st.data(), st.sampled_from(sorted(NUMBERS)), st.lists(st.integers(0, 3), max_size=3))
def test_every_tensor_comes_back_from_its_bytes(data: st.DataObject, datatype: str, shape: list[int]) -> None:
    count = 1
    for length in shape:
        count *= length
    values = data.draw(st.lists(NUMBERS[datatype], min_size=count, max_size=count))
    tensor = Tensor.of(datatype, tuple(shape), values)
    assert unpack(datatype, tuple(shape), memoryview(bytes(pack(tensor)))) == tensor


@given(st.binary(max_size=40), st.integers(0, 4))
def test_texts_are_read_whole_or_refused(data: bytes, count: int) -> None:
    try:
        tensor = unpack("BYTES", (count,), memoryview(data))
    except ValueError:
        return
    assert bytes(pack(tensor)) == data


@pytest.mark.parametrize("data", [b"\x01", b"\x02\0\0\0a", b"\xff\xff\xff\xffa", b"\x01\0\0\0ab"])
def test_a_text_longer_than_the_bytes_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"long; there are|cut off"):
        unpack("BYTES", (1,), memoryview(data))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=st.binary(max_size=80) | st.builds(lambda tail: request() + tail, st.binary(max_size=40)),
    length=st.integers(-2, 200).map(str) | st.text(max_size=6) | st.just(str(len(request()))),
)
def test_no_bytes_and_no_length_whatever_make_a_500(body: bytes, length: str, shared: Bench) -> None:
    response = shared.send("POST", INFER, body, headers={"inference-header-content-length": length, **OCTETS})
    assert response.status < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    size=st.integers(-5, 40) | st.none() | st.booleans() | st.floats() | st.text(max_size=3),
    shape=st.lists(st.integers(-2, 5), max_size=3),
    data=st.binary(max_size=40),
)
def test_no_size_and_no_shape_whatever_make_a_500(size: Any, shape: list[int], data: bytes, shared: Bench) -> None:
    assert send(shared, request(size, shape), data).status < 500
