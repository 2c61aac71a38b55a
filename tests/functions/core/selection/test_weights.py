"""What rows weigh, in everything that a candidate is judged by; and whole runs of models with weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functions.core.dataset import rounds
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.selection import importance, intervals
from functions.core.selection.candidate import NothingTrained
from functions.core.selection.check import Check
from functions.core.selection.class_figures import figures
from functions.core.selection.curves import at_labels, precision_recall_points, reliability, roc_points
from functions.core.selection.doubts import doubts
from functions.core.selection.gaps import check_gap
from functions.core.selection.gate import MARGIN, Champion, check_also, check_margin, check_metric, check_slices
from functions.core.selection.number_figures import figures as figures_of_numbers
from functions.core.serving.opening import open_trained
from functions.core.training.class_answers import ClassAnswers
from functions.core.training.number_answers import NumberAnswers
from models.contract import Target
from models.gate import Gap
from models.training_text import WEIGHTED, no_weights
from tests.functions import prices
from tests.functions.bench import MODEL, TRAINING, Bench, contract, csv, rows
from tests.functions.core.selection.test_report import Page
from tests.functions.two_classes import TWO

RNG = np.random.default_rng(5)
Y = np.tile([0, 1, 1, 0], 50)
P = np.clip(0.3 * Y + 0.7 * RNG.random(200), 0, 1)
GOOD = ClassAnswers.likeliest(np.column_stack([1 - P, P]))
EVEN = ClassAnswers.likeliest(np.full((200, 2), 0.5))
X = np.column_stack([np.arange(200), RNG.random(200), np.arange(200) // 100 % 2]).astype(np.float32)
WEIGHT = RNG.integers(0, 4, 200).astype(np.float64)
OFTEN = np.repeat(np.arange(200), WEIGHT.astype(int))
"""Each row as often as it weighs."""
ASKED = contract(
    gate={
        "metric": "roc_auc",
        "minimum": 0.5,
        "also": [{"metric": "f1", "at_least": 0.5}, {"metric": "brier", "at_most": 0.5}],
        "slices": [{"feature": "colour", "category": "red", "at_least": 0.5}],
    }
)
COLUMN: dict[str, Any] = {"column": "exposure"}
HEADER = ("size", "weight", "colour", "ripe", "exposure")
WEIGHING = TRAINING.replace("def fit(X, y, params):", "def fit(X, y, params, weight):").replace(
    "a.T @", "(a.T * weight) @"
)


def table(count: int = 90) -> list[list[Any]]:
    """Rows of `bench`, ripe fruit larger still; every fifth is called the other way, and weighs next to nothing."""
    found = []
    for at, (size, weight, colour, ripe) in enumerate(rows(count)):
        wrong = at % 5 == 2
        said = {"yes": "no", "no": "yes"}[ripe] if wrong else ripe
        found.append([size + 10 * (ripe == "yes"), weight, colour, said, 0.001 if wrong else 1 + at % 3])
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    found = Bench(folder=tmp_path)
    found.write_model(WEIGHING, weights=COLUMN)
    return found


def known(check: Check) -> tuple[Any, ...]:
    value = None if check.value is None else pytest.approx(check.value, rel=1e-9)
    return check.name, value, check.bound, check.passed


def test_checks_are_those_of_rows_that_stand_there_as_often_as_they_weigh() -> None:
    often = (Y[OFTEN], GOOD.of(OFTEN))
    weighed = [
        check_metric(ASKED, Y, GOOD, WEIGHT),
        *check_also(ASKED, Y, GOOD, WEIGHT),
        *check_slices(ASKED, X, Y, GOOD, WEIGHT),
        check_margin(ASKED, Y, GOOD, Champion(answers=EVEN), WEIGHT),
        check_gap(ASKED, Gap(feature="colour", at_most=0.001), X, Y, GOOD, WEIGHT),
    ]
    repeated = [
        check_metric(ASKED, *often),
        *check_also(ASKED, *often),
        *check_slices(ASKED, X[OFTEN], *often),
        check_margin(ASKED, *often, Champion(answers=EVEN.of(OFTEN))),
        check_gap(ASKED, Gap(feature="colour", at_most=0.001), X[OFTEN], *often),
    ]
    assert [known(one) for one in weighed] == [known(one) for one in repeated]
    assert weighed[0].value != check_metric(ASKED, Y, GOOD).value


def test_a_check_says_how_many_rows_there_are_and_their_effective_number() -> None:
    effective = WEIGHT.sum() ** 2 / (WEIGHT**2).sum()
    assert check_metric(ASKED, Y, GOOD, WEIGHT).detail == f"200 rows (effective number {effective:.4g})"
    assert check_metric(ASKED, Y, GOOD).detail == "200 rows"


def test_a_slice_whose_rows_weigh_nothing_cannot_be_measured() -> None:
    [check] = check_slices(ASKED, X, Y, GOOD, np.where(X[:, 2] == 1, 0.0, 1.0))
    assert (check.passed, check.value) == (False, None)
    assert check.detail == "100 rows (effective number 0): each of these rows weighs nothing"


def test_a_group_of_which_few_rows_weigh_is_not_compared() -> None:
    weight = np.where((X[:, 2] == 1) & (X[:, 0] > 105), 0.0, 1.0)
    check = check_gap(ASKED, Gap(feature="colour", at_most=1), X, Y, GOOD, weight)
    assert not check.passed
    assert check.detail.endswith("; of fewer than 20 rows: red with 6")


def test_a_champion_is_beaten_where_it_weighs() -> None:
    better = Y == 1
    other = ClassAnswers(labels=np.where(better, Y, 1 - Y), probabilities=EVEN.probabilities)
    asked = contract(gate={"metric": "accuracy", "slices": []})
    always = ClassAnswers(labels=1 - other.labels, probabilities=EVEN.probabilities)
    heavy = np.where(better, 9.0, 1.0)
    found = check_margin(asked, Y, other, Champion(answers=always), heavy)
    assert (found.passed, found.value) == (True, pytest.approx(0.8))
    assert found.interval is not None
    assert found.interval[0] > 0.6
    assert not check_margin(asked, Y, other, Champion(answers=always), heavy[::-1] * 0 + np.where(better, 1, 9)).passed


def test_an_interval_is_as_wide_as_that_of_the_effective_number_of_rows() -> None:
    y, said = np.tile([0, 1], 1000), np.tile([0, 0, 1, 1, 0, 1, 0, 1], 250)
    answers = ClassAnswers(labels=said, probabilities=np.full((2000, 2), 0.5))
    weight = np.where(np.arange(2000) % 16 < 8, 1.0, 9.0)
    effective = weight.sum() ** 2 / (weight**2).sum()
    share = TWO.score("accuracy", y, answers, weight)
    (lower, upper) = intervals.intervals(TWO, y, answers, ["accuracy"], weight)["accuracy"]
    assert lower < share < upper
    assert upper - lower == pytest.approx(2 * 1.96 * (share * (1 - share) / effective) ** 0.5, rel=0.15)
    assert intervals.intervals(TWO, y, answers, ["accuracy"], np.full(2000, 4.0)) == {
        "accuracy": pytest.approx(intervals.intervals(TWO, y, answers, ["accuracy"])["accuracy"])
    }
    assert intervals.intervals(TWO, y, answers, ["accuracy"], np.zeros(2000)) == {}


def test_a_sample_of_many_rows_that_weigh_gives_the_interval_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = intervals.intervals(TWO, Y, GOOD, ["roc_auc", "brier"], WEIGHT)
    monkeypatch.setattr(intervals, "WORK", 100 * 2 * intervals.LEAST_DRAWS)
    sampled = intervals.intervals(TWO, Y, GOOD, ["roc_auc", "brier"], WEIGHT)
    for measure, (lower, upper) in whole.items():
        assert sampled[measure] == pytest.approx((lower, upper), abs=0.6 * (upper - lower))


def test_a_doubt_says_the_effective_number() -> None:
    asked = contract(gate={"minimum": 0.7, "margin": 0.05})
    checks = [
        Check(name="roc_auc", passed=True, value=0.75, bound=0.7, interval=(0.6, 0.9)),
        Check(name=MARGIN, passed=True, value=0.1, bound=0.05, interval=(-0.2, 0.3)),
    ]
    bound, margin = doubts(asked, checks, 200, weight=WEIGHT)
    assert bound.startswith("roc_auc: 200 rows (effective number 1")
    assert "its interval on 200 rows (effective number 1" in margin
    assert doubts(asked, checks, 200)[0].startswith("roc_auc: 200 rows are too few to tell")


def test_what_a_model_goes_by_is_measured_on_rows_that_weigh(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first half is told by the second feature, the other by the third: only one of them weighs."""
    x = RNG.random((400, 3)).astype(np.float32)
    first = np.arange(400) < 200
    y = (np.where(first, x[:, 1], x[:, 2]) > 0.5).astype(np.int64)
    asked = contract(features=[{"name": name} for name in "abc"], gate={"minimum": 0.5, "slices": []})

    def answers_of(contract: object, version: object, some: np.ndarray) -> ClassAnswers:
        said = (some[:, 1] + some[:, 2]) / 2
        return ClassAnswers.likeliest(np.column_stack([1 - said, said]))

    monkeypatch.setattr(importance, "answers_of", answers_of)
    monkeypatch.setattr("functions.core.selection.promises.answers_of", answers_of)
    opened: Any = None
    for half, position in ((first, 1), (~first, 2)):
        found = importance.reliance(asked, opened, x, y, half.astype(np.float64))
        assert found is not None
        assert found.importances[0].feature == position
        [level, *_] = [points for at, points in found.dependences if at == position]
        other = x[half][:: max(1, len(x) // 200), 3 - position]
        assert level[0][1] == pytest.approx((level[0][0] + other.mean()) / 2, abs=0.03)
    assert importance.reliance(asked, opened, x, y, np.zeros(400)) is None


def test_curves_and_confusion_are_those_of_rows_that_stand_there_so_often() -> None:
    weighs = WEIGHT > 0
    y, answers, weight = Y[weighs], GOOD.of(weighs), WEIGHT[weighs]
    ones, often = np.ones(len(OFTEN)), GOOD.of(OFTEN)
    for curve in (roc_points, precision_recall_points, reliability):
        found, expected = (
            np.array(curve(*given))
            for given in ((y, answers.probabilities, weight), (Y[OFTEN], often.probabilities, ones))
        )
        assert found == pytest.approx(expected)
    assert at_labels(y, answers.labels, weight) == pytest.approx(at_labels(Y[OFTEN], often.labels, ones))
    weighed = "".join(figures(("no", "yes"), y, answers, weight))
    plain = "".join(figures(("no", "yes"), Y[OFTEN], often))
    assert "the weight of the rows, and its share of the class" in weighed
    assert re.findall(r'<td class="n">\d+ \(\d+%\)', weighed) == re.findall(r'<td class="n">\d+ \(\d+%\)', plain)


def test_errors_of_numbers_are_counted_by_weight() -> None:
    y, said = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 14.0])
    few = "".join(figures_of_numbers(Target(name="price"), y, NumberAnswers(values=said), np.array([1.0, 1, 1, 97])))
    assert "By weight, rows that err no more" in few
    assert '<th scope="row">50%</th><td class="n">10</td>' in few
    plain = "".join(figures_of_numbers(Target(name="price"), y, NumberAnswers(values=said)))
    assert '<th scope="row">50%</th><td class="n">0</td>' in plain


def test_a_model_with_weights_is_prepared_trained_and_registered_and_everything_says_so(bench: Bench) -> None:
    run, answer = bench.run_through(csv(table(), HEADER))
    record = bench.record(run)
    assert answer["status"] == "registered", record["cause"]
    said = record["weights"]["said"]
    assert said.startswith("by exposure: 90 rows weigh 144.018, effective number ")
    checks = {check["name"]: check for check in record["checks"]}
    assert checks["roc_auc"]["value"] == pytest.approx(1, abs=0.01), "rows that are wrong weigh next to nothing"
    assert checks["roc_auc"]["detail"].startswith("18 rows (effective number 1")
    version = bench.registry.load(answer["version"])
    assert version.card["weights"] == {"column": "exposure", "classes": None}
    assert version.card["metrics"]["holdout"]["roc_auc"] == checks["roc_auc"]["value"]
    profile = bench.models.get_json(bench.registry.key(answer["version"], "profile.json"))
    assert profile["weights"]["said"] == said
    report = bench.models.get(bench.registry.key(answer["version"], "report.html")).decode()
    assert Page(report).open == []
    assert report.count(said) == 2, "in the model card, and in its data"
    assert "each row counts as much as exposure says" in report
    assert "exposure" not in [column.name for column in open_trained(version).columns()], "no client sends it"


def test_without_weights_the_same_rows_are_not_good_enough(tmp_path: Path) -> None:
    plain = Bench(folder=tmp_path)
    plain.write_model()
    run, answer = plain.run_through(csv(table(), HEADER))
    assert answer["status"] == "refused"
    assert "weights" not in plain.record(run)


def test_whole_weights_give_the_model_of_rows_that_stand_there_so_often(tmp_path: Path) -> None:
    """A group keeps the copies of a row on one side, and so the two splits are of the same rows."""
    content = [[*row, 1 + at % 3, at] for at, row in enumerate(rows())]
    often = [row for row in content for _ in range(row[4])]
    found = []
    for name, training, lines, weights in (("weighed", WEIGHING, content, COLUMN), ("often", TRAINING, often, None)):
        bench = Bench(folder=tmp_path / name)
        bench.folder.mkdir()
        # The penalty of the ridge stands beside sums over rows, which weights of 1 on average make smaller.
        bench.write_model(
            training.replace('params["ridge"]', "0.0"), weights=weights, search={"time": "at", "folds": 2}
        )
        run, answer = bench.run_through(csv(lines, (*HEADER, "at")))
        card = bench.registry.load(answer["version"]).card
        experiment = bench.models.get_json(bench.registry.run_key(run, f"experiments/{card['experiment']}.json"))
        held = bench.record(run)["split"]["holdout"]
        found.append((held, experiment["metrics"]["roc_auc"]["folds"], card["metrics"]["holdout"]))
    (held, folds, holdout), (held_often, folds_often, holdout_often) = found
    assert held == held_often
    assert folds == pytest.approx(folds_often)
    assert holdout == pytest.approx(holdout_often, rel=1e-4)


def test_balanced_classes_move_the_answers_and_not_the_figures(tmp_path: Path) -> None:
    shares = []
    for at, weights in enumerate(({"classes": "balanced"}, {"classes": {"no": 1, "yes": 50}})):
        bench = Bench(folder=tmp_path / str(at))
        bench.folder.mkdir()
        bench.write_model(WEIGHING, weights=weights, gate={"minimum": 0.1, "slices": []})
        run, answer = bench.run_through(csv())
        record = bench.record(run)
        assert record["weights"]["said"].startswith("by class in fit alone")
        assert record["checks"][1]["detail"] == "18 rows"
        shares.append(bench.registry.load(answer["version"]).card["metrics"]["holdout"]["recall"])
    assert shares[0] < shares[1] == 1


def test_a_number_to_predict_has_weights_too(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, base=prices.PRICES)
    training = prices.TRAINING.replace("def fit(X, y, params):", "def fit(X, y, params, weight):")
    bench.write_model(training.replace("a.T @", "(a.T * weight) @"), weights=COLUMN)
    content = [
        [*row[:3], 5 * row[3] if at % 5 == 2 else row[3], 0 if at % 5 == 2 else 2]
        for at, row in enumerate(prices.rows())
    ]
    run, answer = bench.run_through(csv(content, (*prices.HEADER, "exposure")))
    record = bench.record(run)
    assert answer["status"] == "registered", record["cause"]
    assert record["checks"][1]["value"] < 2
    assert "rows of weight 0: 18" in record["weights"]["said"]


def test_a_fit_that_takes_no_weights_fails_with_what_to_write(bench: Bench) -> None:
    bench.write_model(TRAINING, weights=COLUMN)
    with pytest.raises(NothingTrained) as problem:
        bench.run_through(csv(table(), HEADER))
    assert str(problem.value).endswith(f"e0: UnusableEstimator: training.py: {no_weights('fit', WEIGHTED)}")


def test_the_margin_over_a_champion_counts_by_weight(bench: Bench) -> None:
    bench.write_model(WEIGHING, weights=COLUMN, gate={"margin": -0.1, "slices": []})
    _, first = bench.run_through(csv(table(), HEADER))
    Live(bench.models, MODEL).change(lambda pointer: promote_first(pointer, first["version"], "run", 0.0))
    run, answer = bench.run_through(csv(table(80), HEADER))
    assert answer["status"] == "registered"
    [margin] = [check for check in bench.record(run)["checks"] if check["name"] == MARGIN]
    assert margin["value"] == pytest.approx(0, abs=0.1), "rows that are called the other way would part them"


def test_a_threshold_is_chosen_by_weight(bench: Bench) -> None:
    bench.write_model(WEIGHING, weights=COLUMN, decision={"maximise": "accuracy"})
    run, _ = bench.run_through(csv(table(), HEADER))
    assert bench.record(run)["decision"]["folds"] == pytest.approx({"precision": 1, "recall": 1}, abs=0.05)


def test_a_search_that_narrows_weighs_in_every_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "LEAST_ROWS", 20)
    bench = Bench(folder=tmp_path)
    search = {"method": "halving", "families": [{"ridge": [0.1, 1.0, 3.0, 10.0], "sign": [1, -1]}]}
    bench.write_model(WEIGHING, weights={**COLUMN, "classes": "balanced"}, search=search)
    answer = bench.prepare(bench.upload(csv(table(400), HEADER)))
    run = answer["run"]
    while answer["status"] in ("accepted", "narrowed"):
        for name in answer["experiments"]:
            bench.train(run, name, answer["round"])
        answer = bench.select(run, answer["round"])
    assert answer["status"] == "registered"
    board = bench.models.get_json(bench.registry.run_key(run, "leaderboard.json"))["experiments"]
    assert {line["status"] for line in board} == {"succeeded", "stopped"}
    assert all(line["params"]["sign"] == 1 for line in board if line["status"] == "succeeded")
    assert board[0]["mean"] > 0.99


def test_the_same_upload_again_changes_nothing_and_another_weight_is_another_run(bench: Bench) -> None:
    content = table()
    run, _ = bench.run_through(csv(content, HEADER))
    again = bench.prepare(bench.upload(csv(content, HEADER), "again.csv"), "second")
    assert (again["run"], again["status"]) == (run, "registered")
    content[0][4] = 7
    other = bench.prepare(bench.upload(csv(content, HEADER), "other.csv"), "third")
    assert other["status"] == "accepted"
    assert other["run"] != run
