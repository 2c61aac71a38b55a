"""A rehearsal with truths: who was right on the same rows, the version or the champion of then."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from functions.core.registry.pointer import promote
from models.contract import Contract
from tests.functions.serving import BENIGN, MALIGNANT, MODEL, Bench, said
from tests.sml.staged import Staged
from tests.sml.test_rehearse import ALIKE, CONTRACT, WRONG

RIGHT, CONTRARY = ("benign", "malignant"), ("malignant", "benign")
BEFORE = 7_200
"""Seconds before now when callers asked."""
Truth = Callable[[int], tuple[str, str] | None]


class Stack:
    """A service whose stores the staged stack has, and whose contract speaks of truths."""

    def __init__(self, staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
        self.staged = staged
        self.contract = {**CONTRACT, "labels": {"horizon_minutes": 1}}
        monkeypatch.setattr("sml.rehearsal.load", lambda _: Contract.parse(self.contract, "model.yaml"))
        staged.outputs["models"][MODEL] = staged.outputs["models"]["penguins"]
        self.bench = Bench(capture_inputs=1.0)
        self.bench.clock.now = time.time() - BEFORE
        staged.stores |= {"s3://models-1": self.bench.models, "s3://captures-1": self.bench.captures}

    def ask(self, requests: int, truth: Truth, *, after: float = 5.0, first: int = 0) -> None:
        """Ask two rows so many times, and tell the truths of each so many seconds later."""
        for number in range(first, first + requests):
            self.bench.clock.forward(1)
            self.bench.predict(BENIGN, MALIGNANT, caller=f"c{number}")
            if (told := truth(number)) is not None:
                self.bench.clock.forward(after)
                self.tell(f"r-c{number}", told)
                self.bench.clock.forward(-after)

    def tell(self, request: str, truths: tuple[str | float, ...]) -> None:
        items = [{"request": request, "row": row, "truth": truth} for row, truth in enumerate(truths)]
        answer = said(self.bench.send("POST", f"/v2/models/{MODEL}/feedback", {"truths": items}))
        assert answer["taken"] == len(items)

    def rehearsed(self, version: str) -> dict[str, Any]:
        return json.loads(self.staged.sml("rehearse", f"{MODEL}@{version[:8]}", "--json").out)

    def told(self, version: str) -> str:
        return self.staged.sml("rehearse", f"{MODEL}@{version[:8]}").out


@pytest.fixture
def stack(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(staged, monkeypatch)


def test_one_that_is_right_where_the_champion_is_wrong_would_be_promoted_though_it_disagrees(stack: Stack) -> None:
    champion = stack.bench.champion()
    stack.ask(130, lambda _: CONTRARY)
    said = stack.staged.sml("rehearse", f"{MODEL}@{stack.bench.register(WRONG)}")
    assert said.code == 0
    assert "right more often than the champion where it answers otherwise" in said.out
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("errors", "agreement", "latency", "truth"))] == [
        "errors",
        "agreement",
        "latency",
        "truth",
    ]
    [measured] = [line for line in lines if line.startswith("roc_auc")]
    assert measured.split() == ["roc_auc", "1", "1", "to", "1", "0", "0", "to", "0", "260", champion[:6]] or (
        measured.split()[-2:] == ["260", champion[:6]]
    )


def test_one_that_is_wrong_more_often_would_be_withdrawn_with_the_figures_of_both(stack: Stack) -> None:
    champion = stack.bench.champion()
    stack.ask(130, lambda number: RIGHT if number % 10 else CONTRARY)
    found = stack.rehearsed(stack.bench.register(WRONG))
    assert found["decision"] == "fail"
    assert "117 worse and 13 better than the champion in 130 labelled requests" in found["reason"]
    truths = found["truths"]
    assert {name: truths[name] for name in ("labelled", "worse", "better", "not_due", "unknown", "early")} == {
        "labelled": 130,
        "worse": 117,
        "better": 13,
        "not_due": 0,
        "unknown": 0,
        "early": 0,
    }
    [quality] = truths["quality"]
    assert (quality["champion"], quality["rows"]) == (champion, 260)
    accuracy = quality["metrics"]["accuracy"]
    assert (accuracy["candidate"], accuracy["champion"]) == (pytest.approx(0.1), pytest.approx(0.9))
    assert accuracy["interval"][0] < 0.1 < accuracy["interval"][1]


def test_without_labels_in_the_contract_truths_are_not_asked(stack: Stack) -> None:
    stack.contract = CONTRACT
    stack.bench.champion()
    stack.ask(20, lambda _: RIGHT)
    found = stack.rehearsed(stack.bench.register(ALIKE))
    assert found["truths"] is None
    assert list(found["weighing"]["questions"]) == ["errors", "agreement", "latency"]


def nobody(_: int) -> None:
    return None


def late(stack: Stack) -> None:
    stack.ask(60, lambda _: RIGHT, after=61.0)


def soon(stack: Stack) -> None:
    stack.contract = {**CONTRACT, "labels": {"horizon_days": 7}}
    stack.ask(60, lambda _: RIGHT)


def of_nobody(stack: Stack) -> None:
    stack.ask(20, lambda _: RIGHT)
    stack.tell("r-somebody", RIGHT)


def of_one_class(stack: Stack) -> None:
    stack.ask(60, lambda _: ("benign", "benign"))


def of_another_clock(stack: Stack) -> None:
    stack.ask(1, lambda _: RIGHT, after=-3_700.0)
    stack.ask(30, lambda _: RIGHT, first=1)


def of_few(stack: Stack) -> None:
    stack.ask(20, lambda number: RIGHT if number < 3 else None)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (lambda stack: stack.ask(20, nobody), "no truth has come in time of a request that was asked: errors,"),
        (late, "no truth has come in time of a request that was asked: errors, agreement and latency are judged"),
        (soon, "60 requests are not due: their truths may still come (labels.horizon_days 7); --days reaches farther"),
        (of_nobody, "2 truths name no request that was asked and is due"),
        (of_one_class, "all truths are of the class benign, which speaks for no version"),
        (of_one_class, "roc_auc"),
        (of_another_clock, "2 truths came before their requests: a clock is off, or a key is in use again"),
        (of_few, "'s: too few to tell, 50 are the least"),
    ],
)
def test_what_is_odd_about_truths_is_a_sentence(stack: Stack, asked: Callable[[Stack], None], told: str) -> None:
    stack.bench.champion()
    asked(stack)
    assert told in stack.told(stack.bench.register(ALIKE))


def test_across_a_promotion_each_champion_of_then_is_measured_on_its_own_rows(stack: Stack) -> None:
    first = stack.bench.champion()
    stack.ask(60, lambda _: RIGHT)
    second = stack.bench.challenger(WRONG)
    stack.bench.live.change(lambda pointer: promote(pointer, stack.bench.clock(), "shown"))
    stack.bench.clock.forward(60)
    stack.ask(60, lambda _: RIGHT, first=60)
    version = stack.bench.register(ALIKE)
    assert "2 versions answered then: a promotion lies between" in stack.told(version)
    quality = {one["champion"]: one for one in stack.rehearsed(version)["truths"]["quality"]}
    assert {name: one["rows"] for name, one in quality.items()} == {first: 120, second: 120}
    assert [quality[name]["metrics"]["accuracy"]["champion"] for name in (first, second)] == [1.0, 0.0]
