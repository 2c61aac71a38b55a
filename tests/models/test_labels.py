"""What a contract says of truths: how late they may come, and how good the answers must stay."""

from __future__ import annotations

from typing import Any

import pytest

from models.bring_your_own import BringYourOwn
from models.catalogue import labels_of
from models.contract import Contract
from models.labels import Labels
from models.section import ContractError
from tests.models.test_contract import DIGEST, GOOD

FINISHED = {"name": "tiny", "task": "finished", "scores": {"output": "y", "classes": ["a", "b"]}}


def test_what_is_said_of_truths_makes_no_other_run_of_a_contract() -> None:
    labels = {"horizon_days": 30, "window": 100, "minimum": 0.7}
    contract = Contract.parse({**GOOD, "labels": labels}, "model.yaml")
    assert (contract.labels.floor, contract.digest) == (0.7, DIGEST)
    finished = [BringYourOwn.parse({**FINISHED, **more}, "model.yaml") for more in ({}, {"labels": labels})]
    assert finished[0].digest == finished[1].digest
    assert "labels" not in finished[0].model_dump()


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"maximum": 0.9}, "labels.maximum: of roc_auc, the gate's metric, more is better; write minimum"),
        ({"minimum": 0.7, "maximum": 0.9}, "labels.maximum: goes without minimum: one bound is held against"),
        ({"horizon_days": -1}, "labels.horizon_days: is -1; accepted: a whole number from 0 to 365"),
        ({"window": 49}, "labels.window: is 49; accepted: a whole number from 50 to 10,000"),
        (
            {"horizon_days": 0, "horizon_minutes": 1441},
            "labels.horizon_minutes: is longer than horizon_days, which is 0; accepted: at most 1440",
        ),
        ({"horizon_minutes": 0}, "labels.horizon_minutes: is 0; accepted: "),
        ({"horizon": 7}, "labels.horizon: there is no such key; did you mean horizon_days?"),
    ],
)
def test_a_mistake_is_a_sentence_with_its_key(labels: dict[str, Any], told: str) -> None:
    with pytest.raises(ContractError) as wrong:
        Contract.parse({**GOOD, "labels": labels}, "model.yaml")
    assert told in str(wrong.value)


@pytest.mark.parametrize("bound", ["minimum", "maximum"])
def test_log_loss_takes_either_bound_and_an_error_only_a_greatest(bound: str) -> None:
    gate = {"metric": "log_loss", "maximum": 0.5}
    contract = Contract.parse({**GOOD, "gate": gate, "labels": {bound: 0.4}}, "model.yaml")
    assert contract.labels.floor == 0.4
    with pytest.raises(ContractError, match="of brier, the gate's metric, less is better; write maximum"):
        Contract.parse({**GOOD, "gate": {"metric": "brier", "maximum": 0.5}, "labels": {"minimum": 0.4}}, "model.yaml")


def test_a_floor_of_a_finished_model_needs_classes() -> None:
    with pytest.raises(ContractError, match=r"labels\.minimum: goes with scores, whose classes a truth is one of"):
        BringYourOwn.parse({**FINISHED, "scores": None, "labels": {"minimum": 0.4}}, "model.yaml")


@pytest.mark.parametrize(
    ("labels", "due"),
    [(Labels(horizon_minutes=30), 1_800.0), (Labels(horizon_days=0), 86_400.0), (Labels(), 8 * 86_400.0)],
)
def test_a_request_of_a_release_is_due_when_its_time_is_over(labels: Labels, due: float) -> None:
    day = 20_000 * 86_400.0
    assert labels.due_at(day) == day + due
    assert labels.due_before(day + due - 1) <= day < labels.due_before(day + due) + 1
    for asked in (day, day + 1, day + 86_399.0):
        for now in (day + 1_000.0, day + 90_000.0, day + 800_000.0):
            assert (asked < labels.due_before(now)) == (labels.due_at(asked) <= now) or labels.due_at(asked) == now


def test_truths_are_judged_where_a_contract_speaks_of_them_and_its_answers_have_any() -> None:
    assert labels_of(Contract.parse(GOOD, "model.yaml")) is None
    written = labels_of(Contract.parse({**GOOD, "labels": {"horizon_minutes": 5}}, "model.yaml"))
    assert written == Labels(horizon_minutes=5)
    finished = {**FINISHED, "labels": {"horizon_days": 3}}
    assert labels_of(BringYourOwn.parse(finished, "model.yaml")) == Labels(horizon_days=3)
    del finished["scores"]
    assert labels_of(BringYourOwn.parse(finished, "model.yaml")) is None


def test_what_is_unacceptable_of_a_loss_leaves_contracts_without_it_as_they_were() -> None:
    for risk in ({"withdraw_good": 0.1}, {"unacceptable_odds": 2.0}):
        dumped = Contract.parse({**GOOD, "rollout": {"risk": risk}}, "model.yaml").model_dump(mode="json")
        assert "unacceptable_loss" not in dumped["rollout"]["risk"]
    changed = Contract.parse({**GOOD, "rollout": {"risk": {"unacceptable_loss": 0.1}}}, "model.yaml")
    assert changed.model_dump(mode="json")["rollout"]["risk"]["unacceptable_loss"] == 0.1
