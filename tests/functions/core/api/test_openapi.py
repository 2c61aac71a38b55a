from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from functions.core.api.openapi import description
from interface.operations import OPERATIONS
from tests.functions.bring_your_own import pair
from tests.functions.core.serving.test_onnx_model import serve
from tests.functions.serving import BENIGN, MODEL, Bench, said

TYPED = [
    {"name": "size", "kind": "integer", "minimum": 0, "missing": "keep"},
    {"name": "shape", "kind": "category", "categories": ["round", "oval"], "description": "seen from above"},
    {"name": "known", "kind": "boolean"},
]


@pytest.fixture(scope="module")
def bench() -> Bench:
    made = Bench()
    made.champion()
    return made


@pytest.fixture(scope="module")
def document(bench: Bench) -> dict[str, Any]:
    return said(bench.send("GET", "/openapi.json"))


def check(document: dict[str, Any], name: str, value: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(value)


def described(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Every operation by its name."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def test_the_description_has_every_operation_and_no_other(document: dict[str, Any]) -> None:
    served = {operation.id: (operation.method, operation.path) for operation in OPERATIONS}
    assert described(document) == served


def test_models_share_operations_and_have_requests_of_their_own() -> None:
    document = description("name", "1", {"one": None, "two": None}, uploads=False)
    identities = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(set(identities)) == len(identities)
    operation = document["paths"]["/v2/models/{model}/infer"]["post"]
    assert operation["parameters"][0]["schema"]["enum"] == ["one", "two"]
    sent = operation["requestBody"]["content"]["application/json"]["schema"]["anyOf"]
    assert [schema["$ref"] for schema in sent] == [
        f"#/components/schemas/{model}.infer_request" for model in ("one", "two")
    ]


def test_a_model_is_asked_without_its_name_only_where_it_is_the_only_one() -> None:
    several = description("name", "1", {"one": None, "two": None}, uploads=False)
    assert "/predict" not in several["paths"]
    assert "/predict" in description("name", "1", {"one": None}, uploads=False)["paths"]


def test_generators_of_clients_find_no_word_that_they_do_not_know(document: dict[str, Any]) -> None:
    def words(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            yield from value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from words(inner)

    finished = description("name", "1", {"pair": serve(pair()).model_cache.current().champion}, uploads=True)
    assert not {"const", "oneOf", "not", "if", "patternProperties"} & {*words(document), *words(finished)}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    schemas = document["components"]["schemas"]
    references = {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert references <= set(schemas)
    assert set(schemas) - references == set()


def test_every_variable_segment_is_a_parameter(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for operation in item.values():
            named = [parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"]
            assert [f"{{{name}}}" for name in named] == [part for part in path.split("/") if part.startswith("{")]


def test_what_is_sent_and_answered_keeps_to_the_description(bench: Bench, document: dict[str, Any]) -> None:
    infer = {"id": "1", "inputs": [{"name": "X", "shape": [1, 2], "datatype": "FP32", "data": [1.0, 9.0]}]}
    for method, path, body in (
        ("POST", "/predict", {"instances": [BENIGN, [1, 2]]}),
        ("POST", "/predict", {"instances": [{}]}),
        ("POST", f"/v2/models/{MODEL}/infer", infer),
        ("POST", f"/v2/models/{MODEL}/jobs", {"instances": [BENIGN]}),
        ("GET", f"/v2/models/{MODEL}", None),
    ):
        response = bench.send(method, path, body)
        operation = document["paths"][path.replace(MODEL, "{model}")][method.lower()]
        answers = operation["responses"]
        content = answers.get(str(response.status), answers["default"])["content"]
        schema = content[response.headers["content-type"]]["schema"]
        check(document, schema["$ref"].rsplit("/", 1)[1], said(response))
        if body is not None and response.status < 400:
            sent = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            check(document, sent.rsplit("/", 1)[1], body)


def test_a_row_is_described_feature_by_feature() -> None:
    bench = Bench()
    bench.champion(features=TYPED[:2])
    document = said(bench.send("GET", "/openapi.json"))

    def ask(row: Any) -> None:
        check(document, f"{MODEL}.predict_request", {"instances": [row]})

    instances = document["components"]["schemas"][f"{MODEL}.predict_request"]["properties"]["instances"]
    named, listed = instances["items"]["anyOf"]
    assert named["properties"]["shape"] == {"enum": ["round", "oval"], "description": "seen from above"}
    assert (named["required"], listed["minItems"], listed["maxItems"]) == (["shape"], 2, 2)
    for good in ({"shape": "oval"}, {"shape": "oval", "size": None}, [3, "round"], [None, "oval"]):
        ask(good)
    for bad in (
        {"shape": "square"},
        {"size": 1},
        {"shape": "oval", "other": 1},
        {"shape": "oval", "size": -1},
        [3],
        [],
    ):
        with pytest.raises(jsonschema.ValidationError):
            ask(bad)


def test_without_a_champion_there_is_a_description_all_the_same() -> None:
    response = Bench().send("GET", "/openapi.json")
    assert response.status == 200
    check(said(response), f"{MODEL}.predict_request", {"instances": [{"anything": 1}]})
