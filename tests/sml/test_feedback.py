"""Truths of a person's table are told to the API, in batches, and what it refuses is named by its row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.core.dataset import read_here
from functions.core.registry.pointer import Pointer, promote_first
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.sml.staged import MODEL, Staged

TARGET = {"name": "species", "classes": ["007", "gentoo"]}


@pytest.fixture
def told(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The batches that the API is told; it refuses every truth that is no class of the model."""
    batches: list[Any] = []

    def answered(request: Request) -> Response:
        truths = json.loads(request.body)["truths"]
        batches.append(truths)
        wrong = [at for at, one in enumerate(truths) if one["truth"] not in TARGET["classes"]]
        refused = [{"item": at, "field": "truth", "message": "is not one of 007, gentoo"} for at in wrong]
        return json_response(200, {"model": MODEL, "taken": len(truths) - len(wrong), "refused": refused})

    monkeypatch.setattr("sml.told.open_rows", read_here.open_rows)
    staged.registry.put_json(f"{MODEL}/live.json", promote_first(Pointer(), "v1", "aa01", 0.0).document())
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", "target": TARGET})
    with HttpServer(answered, limit=10_000_000) as server:
        staged.outputs["models"][MODEL]["metadata"] = f"{server.url}/v2/models/{MODEL}"
        yield batches


def table(folder: Path, text: str) -> str:
    (folder / "truths.csv").write_text(text, encoding="utf-8")
    return str(folder / "truths.csv")


def test_truths_are_told_by_the_usual_columns_or_by_those_that_are_named(
    staged: Staged, told: list[Any], tmp_path: Path
) -> None:
    said = staged.sml("feedback", MODEL, table(tmp_path, "request,row,truth\nr-1,2,007\nr-2,0,gentoo\n"))
    assert (said.code, said.out, said.err.splitlines()) == (0, "", ["2 of 2 truths taken"])
    assert told.pop() == [
        {"request": "r-1", "truth": "007", "row": 2},
        {"request": "r-2", "truth": "gentoo", "row": 0},
    ]
    said = staged.sml("feedback", MODEL, table(tmp_path, "request;order;species\n?;17;gentoo\n"), "--key", "order")
    assert (said.code, told.pop()) == (0, [{"key": "17", "truth": "gentoo"}])


def test_what_is_refused_is_named_by_its_row_and_the_others_are_taken(
    staged: Staged, told: list[Any], tmp_path: Path
) -> None:
    lines = "\n".join(f"order {at},{'gentoo' if at % 1000 else 'gento'}" for at in range(2_500))
    file = table(tmp_path, f"key,truth\n{lines}\n")
    said = staged.sml("feedback", MODEL, file)
    assert (said.code, [len(batch) for batch in told]) == (5, [2_000, 500])
    assert said.err.splitlines() == ["1,998 of 2,500 truths taken, 2 refused", "2,497 of 2,500 truths taken, 3 refused"]
    rows = [line.split()[0] for line in said.out.splitlines()[1:]]
    assert rows == ["1", "1,001", "2,001"]
    document = staged.sml("feedback", MODEL, file, "--json").document
    assert (document["taken"], document["refused"][2]["row"]) == (2_497, 2_001)


def test_a_table_of_which_every_row_is_refused_ends_with_another_code(
    staged: Staged, told: list[Any], tmp_path: Path
) -> None:
    assert staged.sml("feedback", MODEL, table(tmp_path, "key,truth\n1,?\n")).code == 6


def test_numbers_are_sent_as_numbers_where_the_truth_has_no_classes(
    staged: Staged, told: list[Any], tmp_path: Path
) -> None:
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", "target": {"name": "mass"}})
    staged.sml("feedback", MODEL, table(tmp_path, "key,mass\n1,3.5\n2,x\n3,\n4,inf\n"))
    assert [one["truth"] for one in told.pop()] == [3.5, "x", None, "inf"]


@pytest.mark.parametrize(
    ("cells", "sent", "refused"),
    [
        (["3,50", "1.234,5", "7"], [3.5, 1234.5, 7.0], 0),
        (["3.50", "1,234.5"], [3.5, 1234.5], 0),
        (["1,234", "2"], [2.0], 1),
    ],
)
def test_numbers_are_read_as_those_of_a_dataset_are(
    staged: Staged, told: list[Any], tmp_path: Path, cells: list[str], sent: list[float], refused: int
) -> None:
    staged.registry.put_json(f"{MODEL}/versions/v1/card.json", {"version": "v1", "target": {"name": "mass"}})
    lines = "".join(f"{at};{cell}\n" for at, cell in enumerate(cells))
    said = staged.sml("feedback", MODEL, table(tmp_path, f"key;mass\n{lines}"))
    assert [one["truth"] for one in told.pop()] == sent
    assert said.out.count("may separate thousands or decimals") == refused


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("id,truth\n1,x\n", [], "has no column request or key, by which rows are named; it begins with id, truth"),
        ("key,kind\n1,x\n", [], "has no column truth or species; it begins with key, kind; --truth"),
        ("key,truth\n1,x\n", ["--key", "order"], "has no column order; it begins with key, truth"),
        ("key,truth\n1,x\n", ["--key", "key", "--request", "key"], "--key and --request: pass one of them"),
        ("key,truth\n", [], "has no row"),
        ("PK\3\4", [], "a zip archive or an Excel workbook"),
    ],
)
def test_a_table_that_does_not_say_what_is_needed_is_refused_in_a_sentence(
    staged: Staged, told: list[Any], tmp_path: Path, text: str, options: list[str], said: str
) -> None:
    found = staged.sml("feedback", MODEL, table(tmp_path, text), *options)
    assert (found.code, said in found.err, told) == (1, True, []), found.err
