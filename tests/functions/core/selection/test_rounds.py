"""A search that narrows: all experiments on few rows, the better ones on more, and the best of those on all rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functions.core.dataset import rounds
from functions.core.dataset.dataset import BEFORE, HOLDOUT
from functions.core.registry.plan import Unfinished
from functions.core.selection.candidate import NothingTrained
from tests.functions.bench import TRAINING, Bench, contract, csv, rows
from tests.functions.life import Life

GOOD, BAD = {"sign": [1]}, {"sign": [-1]}
SEARCH: dict[str, Any] = {
    "method": "halving",
    "families": [{"ridge": [0.1, 1.0, 3.0, 10.0, 30.0], **GOOD}, {"ridge": [0.1, 1.0, 3.0, 10.0, 30.0], **BAD}],
}
FAILING: dict[str, Any] = {"method": "halving", "families": [{"ridge": [1.0, 2.0, 3.0, 4.0], "fails": [True]}]}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(rounds, "LEAST_ROWS", 20)
    found = Bench(folder=tmp_path)
    found.write_model(search=SEARCH)
    return found


def begun(bench: Bench) -> dict[str, Any]:
    return bench.prepare(bench.upload(csv(rows(400))))


def train(bench: Bench, run: str, names: Sequence[str], in_round: int) -> None:
    for name in names:
        bench.train(run, name, in_round)


def finished(bench: Bench, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Go through the rounds, and return what each of them was answered, the last one's version included."""
    answers = [answer]
    while answers[-1]["status"] in ("accepted", "narrowed"):
        last = answers[-1]
        train(bench, answer["run"], last["experiments"], last["round"])
        answers.append(bench.select(answer["run"], last["round"]))
    return answers


def board(bench: Bench, run: str) -> list[dict[str, Any]]:
    return bench.models.get_json(bench.registry.run_key(run, "leaderboard.json"))["experiments"]


def test_a_third_goes_on_and_the_last_three_see_all_rows(bench: Bench) -> None:
    first = begun(bench)
    answers = finished(bench, first)
    assert [len(answer["experiments"]) for answer in answers[:-1]] == [10, 4, 3]
    assert [answer["round"] for answer in answers[:-1]] == [1, 2, 3]
    assert answers[-1]["status"] == "registered"
    lines = board(bench, first["run"])
    assert [line["status"] for line in lines] == ["succeeded"] * 3 + ["stopped"] * 7
    assert [line["round"] for line in lines[3:]] == [2] + [1] * 6
    assert all(line["params"]["sign"] == 1 for line in lines[:4])
    # A third and a ninth of the 320 rows outside the holdout, rounded up in each fold and class.
    assert [line["rows"] for line in lines[3:5]] == [108, 36]


def test_the_seconds_of_an_experiment_are_those_of_all_its_rounds_each_once(bench: Bench) -> None:
    first = begun(bench)
    finished(bench, first)
    for line in board(bench, first["run"]):
        record = bench.models.get_json(bench.registry.run_key(first["run"], f"experiments/{line['id']}.json"))
        parts = [part["seconds"] for part in (*record["rounds"], record) if "seconds" in part]
        assert len(parts) == line.get("round", 3)
        assert line["seconds"] == pytest.approx(sum(sum(seconds.values()) for seconds in parts), abs=1e-3)


def test_the_report_names_the_metric_that_the_search_went_by(bench: Bench) -> None:
    bench.write_model(search={**SEARCH, "metric": "recall_at_precision", "at": 0.9})
    version = finished(bench, begun(bench))[-1]["version"]
    report = bench.models.get(bench.registry.key(version, "report.html")).decode()
    assert "the best recall_at_precision_0.9 first" in report


def test_what_a_halving_registers_is_what_a_grid_does(bench: Bench, tmp_path: Path) -> None:
    halved = finished(bench, begun(bench))[-1]["version"]
    whole = Bench(folder=tmp_path / "whole")
    whole.folder.mkdir()
    whole.write_model(search={**SEARCH, "method": "grid"})
    version = whole.run_through(csv(rows(400)))[1]["version"]
    onnx = [one.registry.load(name).onnx for one, name in ((bench, halved), (whole, version))]
    assert onnx[0] == onnx[1]


def test_two_runs_choose_the_same(bench: Bench, tmp_path: Path) -> None:
    other = Bench(folder=tmp_path)
    assert finished(bench, begun(bench)) == finished(other, begun(other))


def test_the_rows_of_a_round_have_each_class_in_each_fold_and_none_of_the_holdout(bench: Bench) -> None:
    first = begun(bench)
    found = bench.data.get(f"fruit/datasets/{first['dataset']}/data.npz")
    dataset = rounds.Dataset.from_bytes(found)
    few, more = (rounds.sample(dataset, share, folds=3, seed=1) for share in (1 / 9, 1 / 3))
    assert {(fold, label) for fold, label in zip(few.fold, few.y, strict=True)} == {
        (fold, label) for fold in range(3) for label in range(2)
    }
    assert {row.tobytes() for row in few.x} < {row.tobytes() for row in more.x}


def by_time(*, numbers: bool, trained: int) -> rounds.Dataset:
    """Return 1,200 rows by time, of which the first fold's model gets so many: those before are within the gap."""
    rows = np.arange(1200)
    fold = np.array([BEFORE, 0, 1, HOLDOUT], dtype=np.int8)[rows // 300]
    y = rows / 1200 if numbers else rows % 2
    return rounds.Dataset(x=rows[:, None].astype(np.float32), y=y, fold=fold, time=rows * 1.0, gap=301.0 - trained)


@pytest.mark.parametrize("numbers", [False, True])
def test_a_round_has_as_much_of_what_a_fold_trains_on_beyond_the_gap_as_of_all_rows(
    bench: Bench, *, numbers: bool
) -> None:
    search = contract(search={**SEARCH, "folds": 2}).search
    dataset = by_time(numbers=numbers, trained=36)
    assert rounds.shares_of(search, dataset) == (1 / 3, 1)
    for seed in range(20):
        some = rounds.sample(dataset, 1 / 3, folds=2, seed=seed)
        assert some.trained(0).sum() >= 12
        assert numbers or (np.bincount(some.y[some.trained(0)]) >= 6).all()
    assert rounds.shares_of(search, by_time(numbers=numbers, trained=4)) == (1,)


def test_a_table_of_few_rows_is_searched_in_one_round(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    first = begun(bench)
    assert "rounds" not in bench.models.get_json(bench.registry.run_key(first["run"], "plan.json"))
    answers = finished(bench, first)
    assert (len(answers), answers[-1]["status"]) == (2, "registered")
    assert {line["status"] for line in board(bench, first["run"])} == {"succeeded"}


def test_an_experiment_that_fails_in_a_round_is_told_and_the_others_go_on(bench: Bench) -> None:
    search = {**SEARCH, "families": [*SEARCH["families"], {"ridge": [7.0], "fails": [True]}]}
    bench.write_model(search=search)
    first = begun(bench)
    assert finished(bench, first)[-1]["status"] == "registered"
    assert board(bench, first["run"])[-1]["error"].startswith("ValueError: there is no such penalty")


def test_a_run_whose_experiments_all_fail_in_the_first_round_says_why(bench: Bench) -> None:
    bench.write_model(search=FAILING)
    first = begun(bench)
    train(bench, first["run"], first["experiments"], 1)
    with pytest.raises(NothingTrained, match="none of 4 experiments succeeded; e0: ValueError: there is no such pen"):
        bench.select(first["run"], 1)


def test_a_run_whose_last_experiments_fail_in_a_later_round_says_why(bench: Bench) -> None:
    bench.write_model(
        TRAINING.replace('params.get("fails")', "len(y) > 60"), search={**SEARCH, "families": SEARCH["families"][::-1]}
    )
    first = begun(bench)
    train(bench, first["run"], first["experiments"], 1)
    second = bench.select(first["run"], 1)
    train(bench, first["run"], second["experiments"], 2)
    assert "e0" not in second["experiments"]
    with pytest.raises(NothingTrained, match=r"none of 10 experiments succeeded; e[5-9]: ValueError: there is no such"):
        bench.select(first["run"], 2)


def test_a_round_that_is_not_whole_is_not_judged(bench: Bench) -> None:
    first = begun(bench)
    train(bench, first["run"], first["experiments"][:-1], 1)
    with pytest.raises(Unfinished, match="experiment e9 left no record of round 1"):
        bench.select(first["run"], 1)
    bench.train(first["run"], "e9", 1)
    names = bench.select(first["run"], 1)["experiments"]
    train(bench, first["run"], names[1:], 2)
    with pytest.raises(Unfinished, match=f"experiment {names[0]} left no record of round 2"):
        bench.select(first["run"], 2)


def test_a_run_that_was_ended_in_its_second_round_goes_on_with_the_same_experiments(bench: Bench) -> None:
    first = begun(bench)
    train(bench, first["run"], first["experiments"], 1)
    names = bench.select(first["run"], 1)["experiments"]
    bench.train(first["run"], names[0], 2)
    bench.registry.update_run(first["run"], lambda record: {**record, "status": "failed"})
    again = bench.prepare(bench.upload(csv(rows(400))), "second")
    assert again["run"] == first["run"]
    assert finished(bench, again)[1]["experiments"] == names


def test_a_delivery_of_an_earlier_round_that_comes_again_changes_nothing(bench: Bench) -> None:
    first = begun(bench)
    answers = finished(bench, first)
    keys = sorted(bench.models.keys("fruit/runs"))
    before = [bench.models.get(key) for key in keys]
    for answer in answers[:-1]:
        train(bench, first["run"], answer["experiments"], answer["round"])
    assert [bench.models.get(key) for key in keys] == before


def test_the_workflow_goes_through_every_round(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rounds, "LEAST_ROWS", 20)
    life = Life(tmp_path)
    life.bench.write_model(search=SEARCH)
    execution = life.execute(life.bench.upload(csv(rows(400))), "one")
    steps = list(execution.steps)
    assert execution.end == "promoted"
    assert steps[:9] == ["prepare", "is it usable", *["experiments", "select", "is it good enough"] * 2, "experiments"]
