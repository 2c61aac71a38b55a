"""tritonclient, as it is: a client of the protocol that knows nothing of us."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.functions.httpd import serving
from tests.functions.serving import MODEL, Bench, model_bytes

ROWS = np.array([[1.0, 9.0], [9.0, 1.0]], dtype=np.float32)


@pytest.fixture(scope="module")
def bench() -> Bench:
    made = Bench()
    made.champion()
    return made


@pytest.fixture(scope="module")
def client(bench: Bench) -> Iterator[triton.InferenceServerClient]:
    with serving(bench.service) as address, triton.InferenceServerClient(address) as made:
        yield made


def rows(*, binary: bool, values: np.ndarray = ROWS) -> list[triton.InferInput]:
    tensor = triton.InferInput("X", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values, binary_data=binary)
    return [tensor]


def test_health_and_metadata(client: triton.InferenceServerClient, bench: Bench) -> None:
    version = bench.live.read().champion
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready(MODEL)
    assert client.is_model_ready(MODEL, version)
    assert not client.is_model_ready("unknown")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    metadata = client.get_model_metadata(MODEL, version)
    assert (metadata["name"], metadata["versions"]) == (MODEL, [version])
    assert metadata["inputs"] == [{"name": "X", "datatype": "FP32", "shape": [-1, 2]}]


@pytest.mark.parametrize("sent_as_bytes", [True, False])
@pytest.mark.parametrize("asked", ["nothing", "bytes", "json"])
def test_inference(asked: str, sent_as_bytes: bool, client: triton.InferenceServerClient, bench: Bench) -> None:
    outputs = None
    if asked != "nothing":
        names = ("probabilities", "label")
        outputs = [triton.InferRequestedOutput(name, binary_data=asked == "bytes") for name in names]
    result = client.infer(MODEL, rows(binary=sent_as_bytes), outputs=outputs, request_id="42")
    response = result.get_response()
    assert (response["id"], response["model_version"]) == ("42", bench.live.read().champion)
    assert result.as_numpy("label").tolist() == [0, 1]
    probabilities = result.as_numpy("probabilities")
    assert probabilities.dtype == np.float32
    assert probabilities == pytest.approx(np.array([[1, 0], [0, 1]]), abs=1e-3)


def test_a_version_by_its_name(client: triton.InferenceServerClient, bench: Bench) -> None:
    inverted = bench.register(model_bytes(slope=-1.0))
    result = client.infer(MODEL, rows(binary=True), model_version=inverted)
    assert result.get_response()["model_version"] == inverted
    assert result.as_numpy("label").tolist() == [1, 0]


def test_many_at_once(client: triton.InferenceServerClient) -> None:
    many = np.tile(ROWS, (5000, 1))
    assert client.infer(MODEL, rows(binary=True, values=many)).as_numpy("label").tolist() == [0, 1] * 5000


def test_its_errors_are_read_by_it(client: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="row 0, mean_radius is not a finite number from 0 to 1000"):
        client.infer(MODEL, rows(binary=True, values=-ROWS))
    with pytest.raises(InferenceServerException, match="there is no such model"):
        client.infer("unknown", rows(binary=True))


@pytest.mark.parametrize("call", [
    lambda client: client.get_model_config(MODEL),
    lambda client: client.get_inference_statistics(MODEL),
    lambda client: client.get_model_repository_index(),
    lambda client: client.load_model(MODEL),
    lambda client: client.get_system_shared_memory_status(),
    lambda client: client.get_trace_settings(),
    lambda client: client.get_log_settings(),
])  # fmt: skip
def test_it_reads_the_refusal_of_calls_that_are_not_offered(
    client: triton.InferenceServerClient, call: Callable[[triton.InferenceServerClient], object]
) -> None:
    with pytest.raises(InferenceServerException, match="this call of the protocol is not offered"):
        call(client)


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_what_it_compresses_is_answered(client: triton.InferenceServerClient, algorithm: str, binary: bool) -> None:
    result = client.infer(MODEL, rows(binary=binary), request_compression_algorithm=algorithm)
    assert result.as_numpy("label").tolist() == [0, 1]
