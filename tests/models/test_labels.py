"""What a contract says of truths: how late they may come, and how good the answers must stay."""

from __future__ import annotations

from typing import Any

import pytest

from models.bring_your_own import BringYourOwn
from models.contract import Contract
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
