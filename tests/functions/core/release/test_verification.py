"""Every object of a registry, damaged in turn: what is said of it, and what a repair makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import Pointer
from functions.core.release.rollout import Rollout
from functions.core.release.verification import keys_by_model, verify
from functions.core.storage.objects import Objects
from interface.rollout import RolloutPlan
from models.section import RolloutThresholds
from sml import registry_check as command
from tests.functions import bring_your_own
from tests.functions.bench import MODEL, Bench, csv, rows
from tests.functions.serving import Clock
from tests.functions.test_upgrade import WRITTEN


@dataclass
class Store:
    """Two promoted versions of a trained model, one of a finished model, and the command over them."""

    bench: Bench
    clock: Clock = field(default_factory=Clock)
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def models(self) -> Objects:
        return self.bench.models

    @property
    def rollout(self) -> Rollout:
        plan = RolloutPlan(steps=(10,), bake_seconds=60, patience=1)
        return Rollout(
            self.models, Objects.in_memory(), plan=plan, thresholds=lambda _: RolloutThresholds(), clock=self.clock
        )

    def release(self, data: bytes) -> str:
        """Train on data, and promote what comes of it."""
        run, answer = self.bench.run_through(data)
        self.rollout.act({"action": "release", "model": MODEL, "run": run})
        self.clock.forward(61)
        self.rollout.act({"action": "judge", "model": MODEL, "run": run})
        assert self.live.champion == answer["version"]
        return answer["version"]

    @property
    def live(self) -> Pointer:
        return Live(self.models, MODEL).read()

    def verify(self, **request: Any) -> int:
        """Run the command, and keep its lines."""
        self.lines.clear()
        return command.run({"url": "memory://", **request}, lambda kind, text: self.lines.append((kind, text)))

    def faults(self) -> list[str]:
        assert self.verify() == command.FAULTS
        return [text for kind, text in self.lines if kind == "fault"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    bench = Bench(folder=tmp_path)
    bench.write_model(search={"families": [{"ridge": [1.0]}]})
    found = Store(bench)
    monkeypatch.setattr(command, "open_store", lambda *_, **__: bench.models)
    found.release(csv())
    found.release(csv(rows(80)))
    finished = bring_your_own.Bench(folder=tmp_path, data=bench.data, models=bench.models)
    finished.describe(scores=bring_your_own.SCORES)
    _, record = finished.publish(bring_your_own.pair())
    found.rollout.act({"action": "release", "model": bring_your_own.MODEL, "run": record["run"]})
    return found


def test_what_is_whole_is_whole(store: Store) -> None:
    before = {key: store.models.get(key) for key in store.models.keys("")}
    assert store.verify(repair=True) == command.WHOLE
    assert [kind for kind, _ in store.lines] == ["whole", "whole"]
    assert f"live is {store.live.champion}" in store.lines[0][1]
    assert {key: store.models.get(key) for key in store.models.keys("")} == before


def test_what_version_0_1_wrote_is_whole(store: Store) -> None:
    written = Objects.in_memory()
    for file in (WRITTEN / "models").rglob("*"):
        if file.is_file():
            written.put(file.relative_to(WRITTEN / "models").as_posix(), file.read_bytes())
    for model, keys in keys_by_model(written).items():
        assert verify(written, model, keys).faults == ()


@pytest.mark.parametrize("damage", ["garbage", "deleted"])
def test_every_object_that_is_damaged_is_found_and_what_is_proven_is_mended(damage: str, store: Store) -> None:
    whole = {key: store.models.get(key) for key in store.models.keys("")}
    silent, left = [], []
    for key, content in whole.items():
        _damage(store.models, key, damage)
        code = store.verify()
        faults = [text for kind, text in store.lines if kind == "fault"]
        if code == command.WHOLE:
            silent.append(key)
        else:
            assert any(key in text or key.rpartition("/")[0] in text for text in faults), (key, faults)
            assert all(";" in text for text in faults), "each says what happens meanwhile"
            if store.verify(repair=True) != command.WHOLE:
                left.append(key)
        store.models.put(key, content)
        assert set(store.models.keys("")) == set(whole)
    told = {key for key in silent if not (key.endswith("report.html") and "/runs/" in key)}
    notes = {key for key in whole if "executions/" in key} if damage == "deleted" else set()
    assert told == notes, "a run's report is for people, and nobody can tell a note that was deleted from none"
    mended = {key.rpartition("/")[2] for key in whole if key not in silent and key not in left}
    assert mended == {"live.json", "model.onnx", "golden.json"}


def _damage(models: Objects, key: str, damage: str) -> None:
    import obstore

    if damage == "garbage":
        models.put(key, b"\xffgarbage")
    else:
        obstore.delete(models._store, key)


def test_a_lost_pointer_is_made_anew_of_what_was_promoted_last(store: Store) -> None:
    before = store.live
    _damage(store.models, f"{MODEL}/live.json", "deleted")
    [fault] = store.faults()
    assert fault.startswith(f"{MODEL}/live.json is missing, though run ")
    assert fault.endswith("new copies answer 503, and the next version would go live without a canary")
    assert store.verify(repair=True) == command.WHOLE
    after = store.live
    assert (after.champion, after.previous) == (before.champion, before.previous)
    assert after.revision > before.revision
    assert after.history[-1].event == "rebuilt"
    assert Live(store.models, MODEL).roll_back(0, "complaints").champion == before.previous


def test_a_champion_that_was_rolled_back_is_not_made_live_again(store: Store) -> None:
    first, second = store.live.previous, store.live.champion
    store.rollout.act({"action": "rollback", "model": MODEL, "execution": "x", "reason": "complaints"})
    assert store.live.champion == first
    run = next(run for run in _runs(store) if store.bench.record(run)["version"] == second)
    assert (store.bench.record(run)["status"], store.bench.record(run)["cause"]) == (
        "rolled_back",
        "rolled back: complaints",
    )
    store.models.put(f"{MODEL}/live.json", b"garbage")
    assert store.verify(repair=True) == command.WHOLE
    assert (store.live.champion, store.live.previous) == (first, None)


def test_where_nothing_proves_what_was_live_the_version_is_asked_for(store: Store) -> None:
    first, second = store.live.previous, store.live.champion
    for run in _runs(store):  # as version 0.1 wrote them
        store.bench.registry.update_run(run, lambda record: {**record, "rollout": {"reason": "", "evidence": None}})
    store.models.put(f"{MODEL}/live.json", b"garbage")
    assert store.verify(repair=True) == command.FAULTS
    [unproven] = [text for kind, text in store.lines if kind == "unproven"]
    assert first is not None
    assert second is not None
    assert ", ".join(sorted([first, second])) in unproven
    assert "--champion VERSION" in unproven
    assert store.models.get(f"{MODEL}/live.json") == b"garbage"
    assert store.verify(repair=True, champion=first, models=[MODEL]) == command.WHOLE
    assert store.live.champion == first


def test_a_version_that_does_not_load_is_not_made_live(store: Store) -> None:
    champion = store.live.champion
    assert champion is not None
    store.models.put(store.bench.registry.key(champion, "card.json"), b"damaged")
    store.models.put(f"{MODEL}/live.json", b"garbage")
    assert store.verify(repair=True) == command.FAULTS
    assert any("cannot be live" in text for kind, text in store.lines if kind == "unproven")
    assert store.verify(repair=True, champion="0123456789abcdef", models=[MODEL]) == command.FAULTS


def test_a_whole_pointer_is_not_replaced_by_a_wish(store: Store) -> None:
    before = store.live
    assert store.verify(repair=True, champion=before.previous, models=[MODEL]) == command.WHOLE
    assert any("is whole; a version is released by the workflow" in text for _, text in store.lines)
    assert store.live == before


def test_a_run_that_cannot_be_read_may_be_the_newest(store: Store) -> None:
    store.models.put(f"{MODEL}/live.json", b"garbage")
    store.models.put(f"{MODEL}/runs/{_runs(store)[0]}/run.json", b"garbage")
    assert store.verify(repair=True) == command.FAULTS
    assert any("may be of the champion" in text for kind, text in store.lines if kind == "unproven")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda p: {**p, "champion": "0123456789abcdef"},
            "names the champion 0123456789abcdef, and there is no such",
        ),
        (lambda p: {**p, "previous": "0123456789abcdef"}, "a rollback has nothing to go back to"),
        (lambda p: {**p, "challenger": "0123456789abcdef", "weight": 5}, "its callers get the champion's answer"),
    ],
)
def test_a_pointer_to_what_is_not_there_is_told(change: Callable[[Any], Any], said: str, store: Store) -> None:
    store.models.put_json(f"{MODEL}/live.json", change(store.live.document()))
    assert any(said in fault for fault in store.faults())


def test_a_damaged_champion_is_told_with_what_answers_in_its_place(store: Store) -> None:
    champion, previous = store.live.champion, store.live.previous
    assert champion is not None
    card = store.bench.registry.card(champion)
    assert card is not None
    target = {**card["target"], "classes": card["target"]["classes"][::-1]}
    store.models.put_json(store.bench.registry.key(champion, "card.json"), {**card, "target": target})
    [fault] = store.faults()
    assert fault.startswith(f"{MODEL}/versions/{champion}/card.json or golden.json is not that of this version")
    assert fault.endswith(f"(the champion); {previous} answers in its place, and readiness is 503")


def test_a_store_that_cannot_be_read_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> Objects:
        raise OSError("no route to host")

    monkeypatch.setattr(command, "open_store", away)
    assert store.verify() == command.NOT_ASKED
    assert store.lines == [("failed", "memory:// cannot be read: no route to host")]


def test_an_unknown_model_and_a_champion_of_all_models_are_refused(store: Store) -> None:
    assert store.verify(models=["none"]) == command.NOT_ASKED
    assert store.lines == [("failed", f"there is no model none; in the store: {MODEL}, {bring_your_own.MODEL}")]
    assert store.verify(repair=True, champion="0123456789abcdef") == command.NOT_ASKED
    assert "name the model, too" in store.lines[0][1]


def _runs(store: Store) -> list[str]:
    return sorted({key.split("/")[2] for key in store.models.keys(f"{MODEL}/runs")})
