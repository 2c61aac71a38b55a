"""The requests that a function is tuned with."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer
from functions.core.storage.objects import Objects
from sml.mistake import Mistake
from sml.records import Records
from sml.tune.requests import requests_of

FEATURES = [
    {"name": "mass", "kind": "number"},
    {"name": "island", "kind": "category", "categories": ["Biscoe", "Dream"]},
    {"name": "wild", "kind": "boolean"},
]


def records(card: dict[str, Any], golden: dict[str, Any]) -> Records:
    store = Objects.in_memory()
    store.put_json("penguins/live.json", Pointer(champion="v1").document())
    store.put_json("penguins/versions/v1/card.json", {"version": "v1", **card})
    store.put_json("penguins/versions/v1/golden.json", golden)
    return Records(store, "penguins")


def test_rows_go_out_as_people_write_them() -> None:
    found = records({"features": FEATURES}, {"inputs": [[3.5, 1.0, 1.0], [None, -1.0, 0.0]]})
    single, batch = requests_of(found, 5)
    sent = [json.loads(one.body)["instances"] for one in single]
    assert sent[0] == [{"mass": 3.5, "island": "Dream", "wild": True}]
    assert sent[1] == [{"mass": None, "island": None, "wild": False}]
    assert single[0].path == "/models/penguins/predict"
    assert batch is not None
    assert (batch.rows, len(json.loads(batch.body)["instances"])) == (5, 5)


def test_rows_of_dates_and_texts_go_out_as_the_numbers_that_they_became() -> None:
    features = [{"name": "when", "kind": "date", "parts": ["month", "day"]}, *FEATURES[1:2]]
    found = records({"features": features, "input": "features"}, {"inputs": [[11.0, 30.0, 1.0], [1.0, 2.0, None]]})
    single, batch = requests_of(found, 3)
    assert [one.path for one in single] == ["/v2/models/penguins/infer"] * 2
    assert struct.unpack("<3f", single[0].body[-12:]) == (11.0, 30.0, 1.0)
    assert batch is not None
    assert (batch.rows, batch.body[-12:]) == (3, single[0].body[-12:])


def test_a_category_that_is_none_of_the_list_goes_out_as_another() -> None:
    features = [{**FEATURES[1], "unseen": "other"}]
    single, _ = requests_of(records({"features": features}, {"inputs": [[2.0]]}), 1)
    assert json.loads(single[0].body)["instances"] == [{"island": "(other)"}]


def cases(shape: list[int]) -> dict[str, Any]:
    data = base64.b64encode(struct.pack("<4f", 1, 2, 3, 4)).decode()
    return {"cases": [{"inputs": {"x": {"datatype": "FP32", "shape": shape, "data": data}}, "outputs": {}}]}


def test_a_finished_model_gets_its_tensors_as_bytes_and_a_batch_repeats_them() -> None:
    card = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]}
    single, batch = requests_of(records(card, cases([2, 2])), 6)
    assert single[0].path == "/v2/models/penguins/infer"
    length = int(single[0].headers["inference-header-content-length"])
    [head] = json.loads(single[0].body[:length])["inputs"]
    assert (head["shape"], head["parameters"], len(single[0].body) - length) == ([2, 2], {"binary_data_size": 16}, 16)
    assert batch is not None
    length = int(batch.headers["inference-header-content-length"])
    [head] = json.loads(batch.body[:length])["inputs"]
    assert (batch.rows, head["shape"], len(batch.body) - length) == (6, [6, 2], 48)


def test_a_model_that_takes_one_row_at_a_time_has_no_batch() -> None:
    card = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4]}]}
    assert requests_of(records(card, cases([1, 4])), 6)[1] is None


def test_without_a_live_version_or_golden_rows_there_is_nothing_to_ask() -> None:
    with pytest.raises(Mistake, match="no golden rows"):
        requests_of(records({}, {}), 5)
    with pytest.raises(Mistake, match="no version of penguins is live yet"):
        requests_of(Records(Objects.in_memory(), "penguins"), 5)
