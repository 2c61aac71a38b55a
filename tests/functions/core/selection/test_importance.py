from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functions.core.selection import importance
from functions.core.selection.class_figures import figures
from functions.core.training.class_answers import ClassAnswers
from models.contract import Contract
from tests.functions.bench import CONTRACT

RNG = np.random.default_rng(0)
OPENED: Any = None
"""What answers is below, in place of a file."""


def of_many(features: int) -> Contract:
    named = [{"name": f"f{number}"} for number in range(features)]
    return Contract.parse({**CONTRACT, "features": named, "gate": {"minimum": 0.5}}, "")


@pytest.mark.parametrize(("features", "rows", "repeats"), [(3, 2_000, 5), (2_000, 100, 1)])
def test_what_a_model_goes_by_is_asked_of_so_many_rows_and_no_more(
    features: int, rows: int, repeats: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = RNG.random((3_000, features)).astype(np.float32)
    y = (x[:, 1] > 0.5).astype(np.int64)
    asked = []

    def answers_of(contract: Contract, version: object, some: np.ndarray) -> ClassAnswers:
        asked.append(len(some))
        return ClassAnswers.likeliest(np.column_stack([1 - some[:, 1], some[:, 1]]))

    monkeypatch.setattr("functions.core.selection.importance.answers_of", answers_of)
    monkeypatch.setattr("functions.core.selection.promises.answers_of", answers_of)
    found = importance.reliance(of_many(features), OPENED, x, y)
    assert found is not None
    assert (found.rows, found.repeats, found.unmeasured) == (rows, repeats, 0)
    assert sum(asked) < importance.WORK + 10_000
    first, *others = found.importances
    assert (first.feature, {one.mean for one in others}) == (1, {0.0})
    [(position, points)] = found.dependences
    assert position == 1
    assert all(level == pytest.approx(value, abs=1e-4) for value, level in points)


def test_features_for_which_there_is_no_time_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    even = ClassAnswers.likeliest(np.full((100, 2), 0.5))
    monkeypatch.setattr("functions.core.selection.importance.answers_of", lambda *_: even)
    monkeypatch.setattr(importance, "SECONDS", -1.0)
    found = importance.reliance(of_many(3), OPENED, np.zeros((100, 3), dtype=np.float32), np.arange(100) % 2)
    assert found is not None
    assert (found.importances, found.unmeasured) == ([], 3)


def test_of_one_class_alone_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    even = ClassAnswers.likeliest(np.full((100, 2), 0.5))
    monkeypatch.setattr("functions.core.selection.importance.answers_of", lambda *_: even)
    x, y = np.zeros((100, 3), dtype=np.float32), np.zeros(100, dtype=np.int64)
    assert importance.reliance(of_many(3), OPENED, x, y) is None


def test_of_many_classes_the_pairs_that_are_taken_for_each_other_are_shown() -> None:
    y = np.arange(90) % 30
    said = np.eye(30)[(y + (y == 7)) % 30]
    shown = "".join(figures([f"c{number}" for number in range(30)], y, ClassAnswers.likeliest(said)))
    assert '<th scope="row">c7</th><td>c8</td><td class="n">3</td><td class="n">100%</td>' in shown
    assert shown.count("<tr") == 2
