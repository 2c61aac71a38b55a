"""orjson and the standard library read and write the same JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.http import json_codec
from functions.core.http import json_codec as reader
from functions.core.http.json_codec import dump_json, parse_json
from functions.core.http.problem import Problem
from tests.root import ROOT

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(':"\\ '), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)  # fmt: skip
SPACES = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t :\r\n")])


@given(VALUES, SPACES, st.booleans())
def test_what_is_json_is_read_as_it_was_written(value: Any, spaces: tuple[str, str], escaped: bool) -> None:
    text = json.dumps(value, separators=spaces, ensure_ascii=escaped)
    parsed = parse_json(text.encode())
    assert parsed == value
    assert repr(parsed) == repr(json.loads(text))


@given(VALUES, st.lists(st.tuples(TEXTS, VALUES), min_size=1, max_size=4), SPACES, st.integers(0, 3))
def test_a_name_that_stands_twice_is_refused_wherever_it_stands(
    filling: Any, pairs: list[tuple[str, Any]], spaces: tuple[str, str], depth: int
) -> None:
    comma, colon = spaces
    twice = [*pairs, pairs[0]]
    text = "{" + comma.join(json.dumps(name) + colon + json.dumps(value) for name, value in twice) + "}"
    for _ in range(depth):
        text = json.dumps({"inner": "?", "other": filling}, separators=spaces).replace('"?"', text, 1)
        text = f"[{text}]"
    with pytest.raises(Problem, match="twice"):
        parse_json(text.encode())


@pytest.mark.parametrize("rows", [1, 64, 65, 1000])
def test_a_name_that_stands_twice_in_one_of_many_rows_is_refused(rows: int) -> None:
    row = b'{"a":1,"b":2}'
    text = b'{"instances":[' + b",".join([row] * rows) + b"]}"
    assert len(parse_json(text)["instances"]) == rows
    with pytest.raises(Problem, match="twice"):
        parse_json(text[:-3] + b',"b":3}]}')


@given(st.binary(max_size=30) | VALUES.map(json.dumps).map(str.encode).map(lambda text: text[:-1]))
def test_no_bytes_whatever_do_more_than_refuse(text: bytes) -> None:
    try:
        value = parse_json(text)
    except Problem:
        return
    assert value == json.loads(text)


@pytest.mark.parametrize("colon", [":", "\\u003a", "\\u003A", "\\\\u003a", "\\\\\\u003a"])
def test_a_colon_in_a_text_hides_no_name_that_stands_twice(colon: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_codec, "orjson_pays", lambda _: True)
    once = f'{{"a": "{colon}", "b{colon}": 1}}'.encode()
    assert parse_json(once) == json.loads(once)
    with pytest.raises(Problem, match="twice"):
        parse_json(once.replace(b'"a":', b'"a": 0, "a":'))


def filled(before: str, filling: str, after: str) -> bytes:
    """Return a body of a megabyte: as many fillings as it takes between two texts."""
    return (before + filling * (1_000_000 // len(filling)) + after).encode()


@pytest.mark.parametrize(("body", "told"), [
    (filled('{"a": [', "1,", "]}"), "the body is not JSON"),
    (filled('{"a": [', "1,", "NaN]}"), "NaN and Infinity are not JSON"),
    (filled('{"a": [', "1,", "-Infinity]}"), "NaN and Infinity are not JSON"),
    (filled('{"a": [', "1,", "1e999]}"), "a number beyond what 64 bits can hold"),
    (filled('{"a": ["', "\\u0041", '\\ud800"]}'), "half of a surrogate pair"),
    (filled('{"a": [', "1,", "[" * 2000), "nested too deep"),
    (filled('{"a": [', "1,", "1], \"a\": 2}"), "a name stands twice"),
    (filled('{"a" :1, "a":2, "b": [', "1,", "1]}"), "a name stands twice"),
    (filled('{"a": [{', '"":1,', '"":1}]}'), "a name stands twice"),
    (filled("[", "[],", "0]"), "more than 250000 lists and objects"),
    (filled("", "[", "]"), "nested too deep"),
    (filled("", '{"a":', ""), "nested too deep"),
    (filled("[", ",", "]") * 3, "or 2000000 values"),
    (filled("{}", " ", "x"), "the body is not JSON"),
])  # fmt: skip
def test_a_large_body_is_refused_by_orjson_alone(body: bytes, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(_: bytes) -> Any:
        raise AssertionError("the standard library was asked")

    monkeypatch.setattr(json_codec, "_parse_strictly", unexpected)
    with pytest.raises(Problem) as refused:
        parse_json(body)
    assert told in refused.value.detail
    assert len(refused.value.detail) < 300


def test_the_first_name_that_stands_twice_is_told_wherever_it_stands() -> None:
    names = [*map(str, range(5_000)), "4999", "0"]
    for colon in (":", " :"):
        body = ("{" + ",".join(f'"{name}"{colon}1' for name in names) + "}").encode()
        with pytest.raises(Problem) as refused:
            parse_json(body)
        assert [fault.field for fault in refused.value.faults] == ["4999"]


def test_white_space_is_passed_over_wherever_it_stands() -> None:
    space = b" \t\r\n" * 25_000
    body = space + b"{" + space + b'"a"' + space + b":" + space + b"[1]" + space + b"}" + space
    assert parse_json(body) == {"a": [1]}


def test_an_ordinary_request_is_read_by_orjson_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def unexpected(_: bytes) -> Any:
        raise AssertionError("the standard library was asked")

    monkeypatch.setattr(reader, "_parse_strictly", unexpected)
    monkeypatch.setattr(json_codec, "orjson_pays", lambda _: True)
    tensor = {"name": "X", "shape": [1, 2], "datatype": "FP32", "parameters": {"a": {"b": 1}}, "data": [[1.0, 2]]}
    infer = {
        "id": "a:b",
        "inputs": [tensor, tensor],
        "outputs": [{"name": "label", "parameters": {"binary_data": True}}],
    }
    many = {"instances": [{"size": 1.0, "url": "http://a:1"}] * 100}
    for value in (infer, many, {"instances": [[1.0, 2.0]] * 100}, 1, [], {}):
        assert parse_json(json.dumps(value, separators=(",", ":")).encode()) == value


@pytest.mark.parametrize("depth", [9, 500, 900, 1100, 200_000])
@pytest.mark.parametrize("ends", [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_read_or_refused(depth: int, ends: tuple[bytes, bytes]) -> None:
    text = ends[0] * depth + b"1" + ends[1] * depth
    if depth < 100:
        assert parse_json(text) == json.loads(text)
        return
    try:
        parse_json(text)
    except Problem as problem:
        assert problem.detail == "the body is nested too deep"  # noqa: PT017 - either is well; it depends on the stack


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert json.loads(dump_json(value)) == value


def outcome(work: Callable[[Any], Any], argument: Any, *, first: bool) -> Any:
    """Return the result, or the problem, in a process that has not answered yet (`first`) or in one that has."""
    with patch.object(json_codec, "orjson_pays", lambda size=0: not first):
        try:
            return repr(work(argument))
        except Problem as problem:
            return problem.document()


BODIES = (
    st.binary(max_size=30)
    | st.integers(-(2**80), 2**80).map(lambda number: f"[{number}]".encode())
    | VALUES.map(json.dumps)
    .flatmap(lambda text: st.sampled_from([text, text[:-1], f" {text}\n", f"{text},", text.replace("0", "NaN")]))
    .map(str.encode)
)


@given(BODIES)
def test_a_first_request_is_read_as_all_others_are(body: bytes) -> None:
    assert outcome(parse_json, body, first=True) == outcome(parse_json, body, first=False)


@given(VALUES | st.sampled_from([float("nan"), float("inf"), "\ud800", {"a": [float("nan"), "\ud800"]}, 2**70]))
def test_a_first_answer_is_written_as_all_others_are(value: Any) -> None:
    assert outcome(dump_json, value, first=True) == outcome(dump_json, value, first=False)


@pytest.mark.integration
def test_orjson_is_imported_for_a_second_request_or_a_long_one() -> None:
    code = """
import sys
from functions.core.http import json_codec
from functions.core.http.json_codec import parse_json
from functions.core.http.json_codec import dump_json
assert dump_json(parse_json(b'{"a": [1]}')) == b'{"a":[1]}'
print("orjson" in sys.modules)
parse_json(b"[" + b"1," * json_codec.LONG + b"1]") if sys.argv[1] == "long" else json_codec.note_first_answer()
parse_json(b"{}")
print("orjson" in sys.modules)
"""
    for how in ("long", "second"):
        done = subprocess.run([sys.executable, "-c", code, how], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "False\nTrue\n"


def test_a_line_of_the_log_with_a_small_number_loads_no_faster_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes as long to import as a tenth of a cold start, and the usage of a request is a small number."""

    def load() -> Any:
        raise AssertionError("orjson was imported")

    monkeypatch.setattr(json_codec, "orjson_pays", lambda size=0: False)
    monkeypatch.setattr(json_codec, "load_orjson", load)
    assert json_codec.dump_json({"usd": 1e-7}, alike=False) == b'{"usd":1e-07}'
