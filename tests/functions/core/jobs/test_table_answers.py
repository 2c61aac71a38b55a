from __future__ import annotations

import json
from typing import Any

from tests.functions.core.serving.test_onnx_model import scalar_rows, serve
from tests.functions.jobbing import Mortal, Queue
from tests.functions.serving import MODEL, Bench


def answers(bench: Bench, name: str, content: bytes) -> list[dict[str, Any]]:
    store = Mortal(Bench().jobs)
    store.put(f"{MODEL}/in/{name}", content)
    Queue(bench, store).run()
    return list(map(json.loads, store.objects.get(f"{MODEL}/out/{name}.jsonl").splitlines()))


def test_whole_numbers_of_64_bits_keep_every_digit() -> None:
    rows = answers(serve(scalar_rows("INT64")), "x.csv", b"X,note\n9007199254740993,a\n7.0,b\n1.5,c\n,d\n")
    assert [row.get("outputs", row.get("error", {}).get("status")) for row in rows] == [
        {"Y": 9007199254740993}, {"Y": 7}, 400, 400,
    ]  # fmt: skip


def test_a_column_of_text_is_taken_as_it_is() -> None:
    rows = answers(serve(scalar_rows("BYTES")), "x.csv", b"X\nna\n007\n")
    assert [row.get("outputs") for row in rows] == [{"Y": "na"}, {"Y": "007"}]
