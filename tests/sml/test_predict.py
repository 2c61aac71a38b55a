"""Rows of a person's own file, answered: read as training reads them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.pointer import Pointer, promote_first
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.sml.staged import MODEL, Staged

FEATURES = [
    {"name": "mass", "kind": "number", "minimum": 0.0},
    {"name": "code", "kind": "category", "categories": ["007", "7", "x"]},
    {"name": "tagged", "kind": "boolean"},
    {"name": "age", "kind": "integer", "missing": "keep"},
]
NUMBERED = {"mass": 3.0, "code": "x", "tagged": False, "age": 7}
"""The row that is answered with a number."""
FITTING = {"mass": 800.5, "code": "007", "tagged": True, "age": None}


@pytest.fixture
def asked(staged: Staged) -> Iterator[list[Any]]:
    """The instances that the API is asked about; it answers each but `NUMBERED` with the label `a`."""
    seen: list[Any] = []

    def answered(request: Request) -> Response:
        if "x-feedback-key" in request.headers:
            seen.append(request.headers["x-feedback-key"])
        instances = json.loads(request.body)["instances"]
        seen.extend(instances)
        said = {"value": 18.5, "low": 15.0, "high": 20.25} if instances == [NUMBERED] else {"label": "a"}
        return json_response(200, {"predictions": [said for _ in instances]})

    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v1", "aa01", 0.0).document())
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", "features": FEATURES})
    with HttpServer(answered, limit=1_000_000) as server:
        staged.outputs["models"][MODEL]["predict"] = f"{server.url}/predict"
        yield seen


@pytest.mark.integration
@pytest.mark.parametrize(
    "content",
    [
        b"mass,code,tagged,age,species\n800.5,007,true,,x\n",
        b"\xef\xbb\xbfmass,code,tagged,age\n800.5,007,yes,\n",
        b"mass;code;tagged;age\r\n800,5;007;Yes;\r\n1,25;x;No;3\r\n",
        b'note,mass,code,tagged,age\n"a\nb\xe2\x80\xa8c",800.5,007,1,\n',
        gzip.compress(b"mass,code,tagged,age\n800.5,007,true,\n", mtime=0),
        b'{"mass": 800.5, "code": "007", "tagged": true, "age": null}\n{"mass": 1, "code": "x", "tagged": false}\n',
    ],
    ids=["comma", "mark of byte order", "semicolon, decimal comma", "line end in a cell", "gzip", "JSON Lines"],
)
def test_a_table_is_read_in_whatever_form_training_reads_it(
    content: bytes, staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    file = tmp_path / "table"
    file.write_bytes(content)
    said = staged.sml("predict", MODEL, str(file), "--limit", "1", "--json")
    assert (said.code, said.err, said.document) == (0, "", [{"label": "a"}])
    assert asked == [FITTING]


@pytest.mark.integration
def test_dates_texts_and_open_categories_are_sent_as_they_are_written(
    staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    features = [
        {"name": "when", "kind": "date", "parts": ["year", "month"], "cyclic": True},
        {"name": "size", "kind": "integer"},
        {"name": "town", "kind": "category", "categories": ["Bern"], "unseen": "other"},
        {"name": "note", "kind": "text", "words": 4, "missing": "keep"},
    ]
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", "features": features})
    file = tmp_path / "table.csv"
    file.write_bytes(b"note,town,size,when\nall well,Oslo,3,2026-11-30\n,Bern,4,2026-12-01\nx,y,5,30.11.2026\n")
    said = staged.sml("predict", MODEL, str(file), "--json")
    assert asked == [
        {"when": "2026-11-30", "size": 3, "town": "Oslo", "note": "all well"},
        {"when": "2026-12-01", "size": 4, "town": "Bern", "note": None},
    ]
    assert said.document[2]["error"].startswith("line 4: when is written otherwise than ISO 8601 says")


@pytest.mark.integration
def test_a_row_that_does_not_fit_is_told_by_line_and_column_and_the_others_are_answered(
    staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"mass,code,tagged,age\n-3,007,true,\n800.5,007,true,\nnan,7,true,1_0\n")
    said = staged.sml("predict", MODEL, str(file), "--json")
    first, second, third = said.document
    assert (said.code, second) == (5, {"label": "a"})
    assert first["error"].startswith("line 2: mass ")
    assert third["error"].startswith("line 4: ")
    assert asked == [FITTING]


@pytest.mark.integration
def test_rows_of_which_none_fits_end_with_a_code_of_their_own(staged: Staged, asked: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"mass,code,tagged,age\n-3,007,true,\nnan,7,true,1_0\n")
    assert staged.sml("predict", MODEL, str(file)).code == 6
    assert asked == []


@pytest.mark.integration
def test_a_row_can_be_typed_and_a_code_keeps_its_zeros(staged: Staged, asked: list[Any]) -> None:
    assert staged.sml("predict", MODEL, "--row", "mass=800.5,code=007,tagged=true,age=").code == 0
    with_target = json.dumps({**FITTING, "species": "x"})
    assert staged.sml("predict", MODEL, with_target).code == 0
    assert staged.sml("predict", MODEL, "--row", with_target).code == 0
    assert staged.sml("predict", MODEL, given=json.dumps({"instances": [{**FITTING, "species": "x"}]})).code == 0
    assert asked == [FITTING] * 4


@pytest.mark.integration
def test_a_table_without_the_columns_of_the_model_is_refused_with_their_names(
    staged: Staged, asked: list[Any], tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"mass,other\n1,2\n")
    said = staged.sml("predict", MODEL, str(file))
    assert (said.code, "lacks columns of the model: code, tagged" in said.err, asked) == (1, True, [])


@pytest.mark.integration
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "standard input is empty"),
        ("[" * 100_000, "standard input"),
    ],
)
def test_what_is_no_row_is_a_sentence(given: str, sentence: str, staged: Staged, asked: list[Any]) -> None:
    said = staged.sml("predict", MODEL, given=given)
    assert (said.code, sentence in said.err, asked) == (1, True, [])


def test_a_finished_model_is_asked_as_the_file_has_it(staged: Staged, asked: list[Any], tmp_path: Path) -> None:
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", "task": "finished"})
    file = tmp_path / "table.csv"
    file.write_bytes(b"a;b\n1;x\n2.5;1e400\n")
    assert staged.sml("predict", MODEL, str(file)).code == 0
    assert asked == [{"a": 1, "b": "x"}, {"a": 2.5, "b": "1e400"}]


@pytest.mark.integration
@pytest.mark.usefixtures("asked")
def test_a_number_is_shown_with_the_ends_of_its_interval(staged: Staged) -> None:
    said = staged.sml("predict", MODEL, "--row", json.dumps(NUMBERED))
    assert said.out.split() == ["row", "value", "low", "high", "1", "18.5", "15", "20.25"]
    assert staged.sml("predict", MODEL, "--row", json.dumps(NUMBERED), "--json").document == [
        {"value": 18.5, "low": 15.0, "high": 20.25}
    ]


def test_rows_may_be_given_a_name_for_their_truths(staged: Staged, asked: list[Any]) -> None:
    assert staged.sml("predict", MODEL, json.dumps([NUMBERED] * 100), "--key", "monday").code == 0
    assert asked[0] == "monday"
    said = staged.sml("predict", MODEL, json.dumps([NUMBERED] * 101), "--key", "monday")
    assert (said.code, "100 rows are captured at most" in said.err) == (1, True)
    said = staged.sml("predict", MODEL, json.dumps([NUMBERED]), "--key", "\u9867\u5ba2")
    assert (said.code, "--key: accepted are 1 to 128 characters of ASCII" in said.err) == (1, True)


@pytest.mark.integration
def test_rows_of_which_one_does_not_fit_are_given_no_name(staged: Staged, asked: list[Any], tmp_path: Path) -> None:
    (tmp_path / "table").write_text("mass,code,tagged,age\n-1,x,no,3\n1,x,no,3\n", encoding="utf-8")
    said = staged.sml("predict", MODEL, str(tmp_path / "table"), "--key", "monday")
    assert (said.code, "would have other places" in said.err, asked) == (1, True, [])
