"""A champion that was trained on rows of the holdout: the comparison with it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.dataset.dataset import Dataset
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.selection.gate import MARGIN
from tests.functions.bench import MODEL, Bench, csv, rows

GATE = {"minimum": 0.0, "margin": -1.0, "slices": []}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(folder=tmp_path)
    found.write_model(gate=GATE, search={"seed": 7})
    run, answer = found.run_through(csv())
    Live(found.models, MODEL).change(lambda pointer: promote_first(pointer, answer["version"], run, 0.0))
    return found


def of_champion(bench: Bench) -> str:
    return str(Live(bench.models, MODEL).read().history[0].run)


def told(bench: Bench, data: bytes) -> str:
    run, _ = bench.run_through(data)
    return next(check["detail"] for check in bench.record(run)["checks"] if check["name"] == MARGIN)


def dataset(bench: Bench, run: str) -> Dataset:
    return Dataset.from_bytes(bench.data.get(f"{MODEL}/datasets/{bench.record(run)['dataset']}/data.npz"))


def test_the_same_rows_split_in_the_same_way_are_no_reason_to_doubt(bench: Bench) -> None:
    bench.write_model(gate={**GATE, "maximum_bytes": 9_999_999}, search={"seed": 7})
    assert told(bench, csv()) == ""


def test_another_split_is_named_with_the_rows_that_the_champion_has_seen(bench: Bench) -> None:
    first = of_champion(bench)
    bench.write_model(gate=GATE, search={"seed": 8})
    said = told(bench, csv())
    runs = [key.split("/")[2] for key in bench.models.keys(f"{MODEL}/runs") if key.endswith("/run.json")]
    before, now = dataset(bench, first), dataset(bench, next(run for run in runs if run != first))
    known = {row.tobytes() for row in before.x[before.fitted]}
    held = now.x[now.holdout]
    count = sum(row.tobytes() in known for row in held)
    assert 0 < count < len(held)
    assert said == (
        f"the champion was trained under another split (seed 7, now 8), and has seen {count} of the {len(held)} rows of"
        " this holdout, which flatters it"
    )
    assert bench.record(first)["split"]["keys"]["seed"] == 7


def test_of_a_table_that_grew_the_rows_of_before_may_be_kept_out_now(bench: Bench) -> None:
    said = told(bench, csv(rows(120)))
    assert said.startswith("the champion was trained on another dataset, and has seen ")
    assert "of the 24 rows of this holdout" in said


def test_rows_that_are_all_new_are_no_reason_to_doubt(bench: Bench) -> None:
    new = [[size + 0.0005, *rest] for size, *rest in rows()]
    assert told(bench, csv(new)) == ""


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 and nothing"])
def test_where_the_champions_rows_are_gone_it_may_have_seen_them(damage: bytes, bench: Bench) -> None:
    bench.data.put(f"{MODEL}/datasets/{bench.record(of_champion(bench))['dataset']}/data.npz", damage)
    bench.write_model(gate=GATE, search={"seed": 8, "holdout": 0.3})
    assert told(bench, csv()) == (
        "the champion was trained under another split (holdout 0.2, now 0.3; seed 7, now 8), so it may have seen rows"
        " of this holdout"
    )
