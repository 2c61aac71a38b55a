"""What captures keep of columns that are redacted, and what logs keep of requests: nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from functions.core.registry.pointer import promote_first
from functions.core.serving.redaction import Redaction
from tests.functions.bring_your_own import pair
from tests.functions.core.serving.test_onnx_model import register
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, POISON, Bench, model_bytes, said

KEY = "a key of more than 24 characters"


def bench(key: str = KEY, **columns: Any) -> Bench:
    return Bench(capture_inputs=1.0, redaction=Redaction(columns, key))


def captured(bench: Bench) -> list[list[Any]]:
    return [row for record in bench.captured() for row in record.get("inputs", ())]


def test_a_column_that_is_left_out_is_not_in_the_capture_and_is_named() -> None:
    served = bench(mean_radius="omit", of_another_model="omit")
    served.champion()
    served.predict(BENIGN, MALIGNANT)
    [record] = served.captured()
    assert record["inputs"] == [[None, 9.0], [None, 1.0]]
    assert record["redacted"] == ["mean_radius"]


def test_equal_values_have_one_digest_in_every_version_and_others_have_another() -> None:
    served = bench(mean_radius="hash")
    served.champion()
    served.predict(BENIGN, MALIGNANT, BENIGN)
    served.challenger(model_bytes(slope=2.0))
    served.clock.forward(5)
    served.predict(BENIGN)
    digests = [row[0] for row in captured(served)]
    assert len({record["version"] for record in served.captured()}) == 2
    assert digests[0] == digests[2] == digests[3] != digests[1]
    expected = hmac.new(KEY.encode(), b"mean_radius\x001.0", hashlib.sha256).hexdigest()[:16]
    assert digests[0] == expected
    assert [row[1] for row in captured(served)] == [9.0, 1.0, 9.0, 9.0]


@pytest.mark.parametrize("key", ["k" * 24, "k" * 64, "k" * 65, "k" * 128])
def test_a_digest_is_an_hmac_whatever_the_length_of_the_key(key: str) -> None:
    found = Redaction({"a": "hash"}, key).digest("a", [0.5])
    assert found == hmac.new(key.encode(), b"a\x000.5", hashlib.sha256).hexdigest()[:16]


def test_another_key_or_another_column_makes_another_digest() -> None:
    one, other = Redaction({"a": "hash"}, KEY), Redaction({"a": "hash"}, KEY[::-1])
    assert len({one.digest("a", [1.0]), other.digest("a", [1.0]), one.digest("b", [1.0])}) == 3


def test_there_are_no_digests_without_a_key() -> None:
    with pytest.raises(ValueError, match="there is no key"):
        Redaction({"a": "hash"})


def test_a_missing_value_stays_a_missing_one() -> None:
    features = [{"name": "mean_radius", "missing": "keep"}, {"name": "mean_texture"}]
    served = bench(mean_radius="hash")
    served.champion(model_bytes(forgiving=True), features)
    served.predict({"mean_radius": None, "mean_texture": 2.0})
    assert captured(served) == [[None, 2.0]]


def test_all_that_a_date_becomes_is_redacted_and_the_days_since_it_too() -> None:
    features: list[dict[str, Any]] = [
        {"name": "born", "kind": "date", "parts": ["year"]},
        {"name": "seen", "kind": "date", "since": "born"},
    ]
    how: Any
    for how in ("omit", "hash"):
        served = bench(born=how)
        served.champion(features=features)
        served.predict({"born": "1975-03-01", "seen": "1975-03-04"})
        [row] = captured(served)
        assert (row[0] is None, row[1]) == (how == "omit", None)
        assert 1975.0 not in row
        assert 3.0 not in row


def test_of_a_finished_model_inputs_are_redacted_by_their_names_and_digests_are_of_rows() -> None:
    served = bench(text="hash", a="omit")
    name = register(served, pair())
    served.live.change(lambda pointer: promote_first(pointer, name, "first", served.clock()))
    served.predict(*({"a": [3], "b": [1], "text": text} for text in ("x", "y", "x")))
    [record] = served.captured()
    texts = record["inputs"]["text"]["data"]
    assert (texts[0] == texts[2] != texts[1], len(texts[0])) == (True, 16)
    assert record["inputs"]["a"] == {"datatype": "FP32", "shape": [3, 1]}
    assert record["inputs"]["b"]["data"] == [1.0, 1.0, 1.0]
    assert record["redacted"] == ["a", "text"]


def test_no_log_holds_anything_of_a_body_and_no_log_or_capture_holds_the_key() -> None:
    served = bench(mean_radius="hash")
    served.champion(model_bytes(fails=True))
    marked = 77.318642
    row = {"mean_radius": marked, "mean_texture": marked}
    served.predict(row)
    served.predict({**row, "mean_radius": POISON["mean_radius"] + marked})
    served.predict({**row, "marked_77318642": marked})
    served.predict({**row, "mean_radius": "77.318642"})
    served.send("POST", "/predict", b'{"instances": [77.318642')
    served.send("POST", f"/v2/models/{MODEL}/infer", {"inputs": [{"name": "X", "data": [marked]}]})
    served.send("POST", f"/v2/models/{MODEL}/jobs", {"instances": [row]})
    served.challenger(model_bytes(fails=True, slope=2.0))
    served.clock.forward(5)
    answers = [served.predict(row), served.predict({**row, "mean_radius": POISON["mean_radius"] + marked})]
    log, kept = served.lines.getvalue(), json.dumps(served.captured())
    assert [answer.status for answer in answers] == [200, 500]
    assert said(answers[0])["variant"] == "challenger"
    assert log.count("\n") > 5
    assert not [part for part in ("77.318642", "77318642", "577.3", "instances") if part in log]
    assert KEY not in log + kept
    assert str(marked) not in json.dumps([row[0] for row in captured(served)])
