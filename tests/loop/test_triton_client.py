"""tritonclient, unmodified, against the running stack: binary bodies pass the gateway and the function unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.loop.running import MODEL, Running
from tests.loop.versions import cases

OCTETS = {"Content-Type": "application/octet-stream"}
"""API Gateway forwards a body as text, which damages it, unless its type is binary or missing."""


@pytest.fixture
def client(running: Running) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(urlsplit(running.stack.outputs["endpoint"]).netloc) as client:
        yield client


def rows(values: np.ndarray) -> list[triton.InferInput]:
    tensor = triton.InferInput("features", list(values.shape), "FP32")
    tensor.set_data_from_numpy(values)
    return [tensor]


@pytest.mark.parametrize("headers", [None, OCTETS], ids=["as it is", "with a type"])
def test_bytes_both_ways_give_what_json_gives(
    running: Running, client: triton.InferenceServerClient, headers: dict[str, str] | None
) -> None:
    x = cases()[0][:50]
    result = client.infer(MODEL, rows(x), headers=headers, request_id="7")
    tensor = {"name": "features", "shape": list(x.shape), "datatype": "FP32", "data": x.ravel().tolist()}
    _, _, document = running.post(f"/v2/models/{MODEL}/infer", {"inputs": [tensor]})
    outputs = {output["name"]: output["data"] for output in document["outputs"]}
    assert result.get_response()["id"] == "7"
    assert result.get_response()["outputs"][0]["parameters"]["binary_data_size"] == 8 * len(x)
    assert result.as_numpy("label").tolist() == outputs["label"]
    assert result.as_numpy("probabilities").ravel().tolist() == outputs["probabilities"]


def test_ten_thousand_rows_at_once(client: triton.InferenceServerClient) -> None:
    x, y = cases()
    indices = np.arange(10_000) % len(x)
    labels = client.infer(MODEL, rows(x[indices])).as_numpy("label")
    assert np.mean(labels == y[indices]) > 0.9


def test_health_metadata_and_errors(running: Running, client: triton.InferenceServerClient) -> None:
    version = running.live()["champion"]
    assert client.is_server_live()
    # A finished model goes live after a deployment, by itself.
    running.wait(lambda: client.is_server_ready() or None, "every model to be live")
    assert client.is_model_ready(MODEL, version)
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata(MODEL)["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 30]}]
    with pytest.raises(InferenceServerException, match="row 0, mean_radius is not a finite number, 0 or more"):
        client.infer(MODEL, rows(np.full((1, 30), -1, dtype=np.float32)))
