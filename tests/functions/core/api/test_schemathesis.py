"""schemathesis against the running service: what the description promises is so, and what it excludes is refused."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from schemathesis import Case, GenerationMode

from interface.operations import OPERATIONS
from tests.functions.bring_your_own import SCORES, pair
from tests.functions.core.serving.test_onnx_model import serve
from tests.functions.httpd import serving
from tests.functions.jobbing import signing
from tests.functions.serving import Bench, model_bytes

pytestmark = pytest.mark.integration

MANY = {"submit_job", "model_infer", "version_infer", "predict", "predict_model"}
TYPED = [
    {"name": "size", "kind": "integer", "minimum": 0, "maximum": 9, "missing": "keep"},
    {"name": "shape", "kind": "category", "categories": ["round", "oval"], "description": "seen from above"},
]


def trained(features: list[dict[str, Any]] | None = None) -> Bench:
    bench = Bench(jobs=None if features else signing())
    bench.champion(model_bytes(forgiving=True), features=features)
    return bench


BENCHES = {"numbers": trained, "categories": lambda: trained(TYPED), "finished": lambda: serve(pair(), scores=SCORES)}


@pytest.fixture(scope="module", params=BENCHES)
def schema(request: pytest.FixtureRequest) -> Iterator[Any]:
    bench = BENCHES[request.param]()
    with serving(bench.service) as address:
        yield schemathesis.openapi.from_url(f"http://{address}/openapi.json")


def fit(case: Case) -> None:
    """Make a request say the same thing twice: as many rows as there are, and each output once. JSON Schema cannot."""
    body: Any = case.body
    tensors = {tensor["name"]: tensor for tensor in body["inputs"]}
    assume(len(tensors) == len(body["inputs"]))
    if len(tensors) == 1:
        [tensor] = tensors.values()
        assume(tensor["data"] and isinstance(tensor["data"][0], list))
    rows = min(len(tensor["data"]) for tensor in tensors.values())
    for tensor in tensors.values():
        tensor["data"] = tensor["data"][:rows]
        tensor["shape"][0] = rows
    if "outputs" in body:
        body["outputs"] = list({output["name"]: output for output in body["outputs"]}.values())


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["promised", "excluded"])
@pytest.mark.parametrize("identity", [operation.id for operation in OPERATIONS if operation.id != "openapi"])
def test_the_description_is_true(identity: str, mode: GenerationMode, schema: Any) -> None:
    [operation] = [
        found.ok() for found in schema.get_all_operations() if found.ok().definition.raw["operationId"] == identity
    ]
    if mode is GenerationMode.NEGATIVE and not (identity in MANY or list(operation.path_parameters)):
        return  # there is nothing in such a request that could be wrong

    @settings(
        max_examples=12 if operation.body else 4,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        if mode is GenerationMode.POSITIVE and identity.endswith("_infer"):
            fit(case)
        if identity == "submit_job":
            case.headers["Idempotency-Key"] = uuid.uuid4().hex  # another request under the same key is a fault
        case.call_and_validate()

    ask()
