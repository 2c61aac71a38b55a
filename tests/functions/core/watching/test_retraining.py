from __future__ import annotations

import re
from typing import Any

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.training_request import BadTrainingRequest, TrainingRequest
from functions.core.storage.objects import Conflict, Objects
from functions.core.watching.retraining import Retraining
from functions.core.watching.retraining_decision import DAY, Decision
from interface.retraining import RetrainingPolicy
from tests.functions.core.watching.retrained import SOURCE, came, labelled, trained
from tests.functions.core.watching.rows import MODEL, VERSION

NOW = 1_764_547_200.0  # 2025-12-01 00:00 UTC
DRIFT = [("drift", "size has drifted")]


class Stores:
    """A live version, and its dataset."""

    def __init__(self) -> None:
        self.models, self.captures, self.data = (Objects.in_memory() for _ in range(3))
        Live(self.models, MODEL).change(lambda pointer: promote_first(pointer, VERSION, "run", 0.0))
        trained(self.models, self.data, VERSION)

    @property
    def retraining(self) -> Retraining:
        return Retraining(MODEL, models=self.models, captures=self.captures, data=self.data)

    def consider(self, now: float = NOW, **policy: Any) -> tuple[Decision, list[Any]]:
        return self.retraining.consider(RetrainingPolicy(**policy), DRIFT, now)

    def requests(self) -> list[TrainingRequest]:
        keys = sorted(self.data.keys(f"{MODEL}/incoming/again"))
        return [TrainingRequest.parse(self.data.get_json(key), MODEL) for key in keys]


@pytest.fixture
def stores() -> Stores:
    return Stores()


def test_the_request_names_the_dataset_of_the_live_version_and_copies_of_the_labelled_rows(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 150)
    labelled(stores.captures, "2026-11-02", 0)
    labelled(stores.captures, "2026-11-03", 100)
    decision, _ = stores.consider()
    assert decision.begin
    (request,) = stores.requests()
    copies = [f"{MODEL}/labelled/2026-11-{day}.csv" for day in ("01", "03")]
    assert request == TrainingRequest(cause="drift", said="size has drifted", tables=(SOURCE, *copies))
    assert stores.data.get(copies[0]) == stores.captures.get(f"{MODEL}/labelled/2026-11-01/table.csv")


def test_of_two_who_ask_at_once_one_is_told_and_one_training_begins(stores: Stores) -> None:
    for cause in ("asked", "drift"):
        labelled(stores.captures, "2026-11-01" if cause == "asked" else "2026-11-02", 300)
        person, before = stores.retraining, len(stores.requests())
        past = person.past()
        assert stores.consider(NOW if cause == "asked" else NOW + 9 * DAY)[0].begin
        with pytest.raises(Conflict):
            person.ask("a person asked for it", past, NOW + 10 * DAY)
        assert len(stores.requests()) == before + 1
        came(stores.models, stores.retraining.past()[-1].source, "promoted", cause)


def test_a_day_whose_table_was_deleted_is_in_no_training(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 150)
    labelled(stores.captures, "2026-11-02", 250)
    stores.captures.remove([f"{MODEL}/labelled/2026-11-01/table.csv"])
    stores.consider()
    assert stores.requests()[0].tables == (SOURCE, f"{MODEL}/labelled/2026-11-02.csv")


def test_what_came_of_a_request_is_known_by_its_run(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    stores.consider()
    (asked,) = stores.retraining.past()
    assert (asked.cause, asked.rows, asked.until, asked.status) == ("drift", 300, "2026-11-01", None)
    assert "is under way" in stores.consider(NOW + 60)[0].said
    came(stores.models, asked.source, "promoted")
    assert stores.retraining.past()[0].status == "promoted"


def test_rows_that_a_training_has_had_are_nothing_new_to_learn_from(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    stores.consider()
    came(stores.models, stores.retraining.past()[0].source, "promoted")
    decision, _ = stores.consider(NOW + 10 * DAY)
    assert "there is nothing to learn from: 0 rows were labelled since" in decision.said
    labelled(stores.captures, "2026-11-02", 250)
    assert stores.consider(NOW + 11 * DAY)[0].begin


def test_the_version_of_a_retraining_is_trained_again_on_all_that_it_had(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    stores.consider()
    source = stores.retraining.past()[0].source
    came(stores.models, source, "promoted")
    trained(stores.models, stores.data, VERSION, source)
    for key in list(stores.captures.keys(f"{MODEL}/labelled")):  # captures are kept for a while only
        stores.captures = Objects.in_memory()
        assert key
    labelled(stores.captures, "2026-11-09", 300)
    assert stores.consider(NOW + 9 * DAY)[0].begin
    days = [f"{MODEL}/labelled/2026-11-{day}.csv" for day in ("01", "09")]
    assert stores.requests()[-1].tables == (SOURCE, *days)


def test_a_training_that_came_to_nothing_is_told_once(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    stores.consider()
    came(stores.models, stores.retraining.past()[0].source, "refused")
    assert [one.status for one in stores.consider(NOW + DAY)[1]] == ["refused"]
    assert stores.consider(NOW + 2 * DAY)[1] == []


def test_a_version_that_waited_for_a_persons_word_is_known_to_be_live_once_it_has_it(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    stores.consider()
    source = stores.retraining.past()[0].source
    came(stores.models, source, "awaiting_approval")
    assert "is under way" in stores.consider(NOW + DAY)[0].said
    came(stores.models, source, "promoted")
    labelled(stores.captures, "2026-11-02", 300)
    assert stores.consider(NOW + 30 * DAY)[0].begin


def test_one_of_which_nothing_is_known_is_told_once_too(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    stores.consider()
    assert [one.status for one in stores.consider(NOW + 2 * DAY)[1]] == ["lost"]
    assert stores.consider(NOW + 3 * DAY)[1] == []


def _gone(stores: Stores) -> str:
    stores.models.put_json(f"{MODEL}/runs/r1/run.json", {"source": f"{MODEL}/incoming/other.csv"})
    return "tumour/incoming/other.csv, which version a1b2c3d4e5f60718 was trained on, is gone: upload"


def _replaced(stores: Stores) -> str:
    stores.models.put_json(f"{MODEL}/runs/r1/run.json", {"source": SOURCE, "arrived": "2026-01-01T00:00:00+00:00"})
    return "tumour/incoming/rows.csv was replaced since version a1b2c3d4e5f60718 was trained on it: upload"


def _elsewhere(stores: Stores) -> str:
    stores.models.put_json(f"{MODEL}/versions/{VERSION}/card.json", {"run": "in another stack"})
    return "the dataset of version a1b2c3d4e5f60718 is not in this stack: upload"


def _damaged(stores: Stores) -> str:
    source = f"{MODEL}/incoming/again/x.json"
    stores.data.put(source, b"{")
    stores.models.put_json(f"{MODEL}/runs/r1/run.json", {"source": source})
    return f"{source}, which says what version a1b2c3d4e5f60718 was trained on, cannot be read: upload"


def _never(stores: Stores) -> str:
    stores.models = Objects.in_memory()
    return "no version is live, so there is no dataset to add labelled rows to"


def _finished(stores: Stores) -> str:
    stores.models.put_json(f"{MODEL}/versions/{VERSION}/card.json", {"task": "finished", "run": "r1"})
    return "a finished model is not trained here: deploy another file of it"


def test_of_a_finished_model_nobody_is_told_that_it_ought_to_be_trained(stores: Stores) -> None:
    said = _finished(stores)
    assert stores.consider() == (Decision(begin=False, cause=None, said=said), [])
    with pytest.raises(BadTrainingRequest, match=said):
        stores.retraining.ask("", [], NOW)


@pytest.mark.parametrize("happened", [_gone, _replaced, _elsewhere, _damaged, _never])
def test_without_the_dataset_of_before_it_says_why_and_what_to_do(stores: Stores, happened: Any) -> None:
    labelled(stores.captures, "2026-11-01", 300)
    said = happened(stores)
    decision, _ = stores.consider()
    assert not decision.begin
    assert decision.said.startswith(f"size has drifted; {said}")
    with pytest.raises(BadTrainingRequest, match=re.escape(said)):
        stores.retraining.ask("", [], NOW)


def test_labelled_rows_that_lack_a_column_are_told(stores: Stores) -> None:
    labelled(stores.captures, "2026-11-01", 300, lacks=["patient"])
    assert "labelled rows lack patient" in stores.consider()[0].said
    assert stores.requests() == []
