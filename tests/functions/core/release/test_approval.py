"""A release that waits for a person's word, with a clock that only the test moves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.core.dataset.prepare import BadRequest, Preparation
from functions.core.registry.approvals import Approvals, Decision, Word
from functions.core.registry.executions import Executions
from functions.core.registry.pointer import Pointer, Turn, promote
from functions.core.release.approval import ask_approval
from functions.core.release.verification import keys_by_model, verify
from functions.core.storage.objects import Objects
from tests.functions.serving import BENIGN, MODEL, Bench, model_bytes

ALIKE, OTHER = model_bytes(slope=2.0), model_bytes(slope=3.0)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.plan(asking=(MODEL,))
    return bench


def trained(bench: Bench, run: str, onnx: bytes = ALIKE, day: int = 1) -> str:
    """Register the version of a run whose data arrived on a day."""
    version = bench.register(onnx)
    facts = {"arrived": f"2026-11-0{day}", "source": f"{MODEL}/incoming/{day}.csv", "execution": f"x-{run}"}
    bench.registry.write_run(run, {"run": run, "status": "registered", "version": version, **facts})
    return version


def act(bench: Bench, run: str, action: str = "release") -> str:
    return bench.rollout.act({"action": action, "model": MODEL, "run": run})["status"]


def decide(bench: Bench, version: str, word: Word = "approved", reason: str = "seen") -> None:
    decision = Decision(decision=word, by="ann", known_by="login name", at="2026-11-30T10:00:00+00:00", reason=reason)
    Approvals(bench.models, MODEL).note(version, decision)


def resume(bench: Bench, version: str, run: str, execution: str = "later") -> str:
    preparation = Preparation(data=Objects.in_memory(), models=bench.models, execution=execution, at="2026-11-30")
    return preparation({"model": MODEL, "version": version, "run": run})["status"]


def record(bench: Bench, run: str) -> dict[str, Any]:
    found = bench.registry.read_run(run)
    assert found is not None
    return found


def faults(bench: Bench) -> list[str]:
    return [fault.key for fault in verify(bench.models, MODEL, keys_by_model(bench.models)[MODEL]).faults]


def history(bench: Bench) -> list[tuple[str, str]]:
    return [(entry.event, entry.version) for entry in bench.live.read().history]


RUN, NEWER = "aa01aa01aa01aa01", "bb02bb02bb02bb02"


@pytest.mark.parametrize("first", [True, False], ids=["the first version", "a later one"])
def test_a_version_reaches_no_caller_before_a_person_has_approved_it(first: bool, bench: Bench) -> None:
    champion = None if first else bench.champion()
    version = trained(bench, RUN)
    assert [act(bench, RUN), act(bench, RUN)] == ["awaiting_approval"] * 2
    pointer = bench.live.read()
    assert (pointer.champion, pointer.challenger, pointer.release) == (champion, None, None)
    assert [(turn.run, turn.version) for turn in pointer.awaiting] == [(RUN, version)]
    assert record(bench, RUN)["status"] == "awaiting_approval"
    bench.clock.forward(1e7)
    # Whoever may start the workflow has not approved by that.
    assert (resume(bench, version, RUN), act(bench, RUN)) == ("registered", "awaiting_approval")
    assert bench.live.read().awaiting == pointer.awaiting

    decide(bench, version)
    assert resume(bench, version, RUN, "the second") == "registered"
    assert record(bench, RUN)["execution"] == "the second"
    assert Executions(bench.models, MODEL).find("the second") == {
        "execution": "the second",
        "created": "2026-11-30",
        "run": RUN,
    }
    assert act(bench, RUN) == ("promoted" if first else "canary")
    assert bench.live.read().awaiting == ()
    assert history(bench)[-2:] == [("approved", version), ("promoted" if first else "canary", version)]
    assert bench.live.read().history[-2].reason == "by ann (login name): seen"
    approval = record(bench, RUN)["approval"]
    assert (approval["decision"], approval["by"], approval["reason"]) == ("approved", "ann", "seen")
    # Another start of the same changes nothing.
    assert resume(bench, version, RUN, "the third") == "unchanged"


def test_a_version_that_a_person_rejects_ends_as_refused_and_is_not_released_by_its_name(bench: Bench) -> None:
    champion = bench.champion()
    version = trained(bench, RUN)
    act(bench, RUN)
    decide(bench, version, "rejected", "unfair")
    resume(bench, version, RUN)
    assert act(bench, RUN) == "refused"
    assert record(bench, RUN)["cause"] == "rejected by ann (login name): unfair"
    assert (bench.live.read().awaiting, bench.live.read().champion) == ((), champion)
    assert history(bench)[-1] == ("rejected", version)
    bench.registry.write_run(NEWER, {"run": NEWER, "status": "registered", "version": version})
    assert act(bench, NEWER) == "refused"
    decide(bench, version)
    bench.registry.write_run(NEWER, {"run": NEWER, "status": "registered", "version": version})
    assert [act(bench, NEWER), act(bench, NEWER)] == ["canary"] * 2
    told = [("rejected", version), ("approved", version), ("canary", version)]
    assert history(bench)[-3:] == told, "each decision is there once, before what came of it"


@pytest.mark.parametrize(("word", "outcome"), [("approved", "canary"), ("rejected", "refused")])
def test_a_decision_before_anybody_asked_for_the_release_is_in_the_history(
    word: Word, outcome: str, bench: Bench
) -> None:
    bench.champion()
    version = trained(bench, RUN)
    decide(bench, version, word)
    assert [act(bench, RUN), act(bench, RUN)] == [outcome] * 2
    assert history(bench).count((word, version)) == 1


def test_a_first_version_that_was_rejected_leaves_a_model_without_any(bench: Bench) -> None:
    version = trained(bench, RUN)
    act(bench, RUN)
    decide(bench, version, "rejected")
    act(bench, RUN)
    assert (history(bench), bench.live.read().is_new) == ([("rejected", version)], True)
    assert bench.live.read().last(RUN) is None


def test_newer_data_takes_the_place_of_older_data_that_waits_for_approval(bench: Bench) -> None:
    bench.champion()
    older, newer = trained(bench, RUN), trained(bench, NEWER, OTHER, day=2)
    act(bench, RUN)
    assert act(bench, NEWER) == "awaiting_approval"
    assert [turn.version for turn in bench.live.read().awaiting] == [newer]
    told = record(bench, RUN)
    assert (told["status"], told["superseded_by"]) == ("superseded", NEWER)
    assert told["cause"] == f"before it was approved, another took its place: run {NEWER}"
    assert resume(bench, older, RUN) == "unchanged"
    late = trained(bench, "cc03cc03cc03cc03", model_bytes(slope=4.0))
    assert act(bench, "cc03cc03cc03cc03") == "superseded"
    assert late not in [turn.version for turn in bench.live.read().awaiting]


def test_what_is_asked_for_by_name_waits_for_approval_beside_newer_data(bench: Bench) -> None:
    bench.champion()
    by_name = bench.register(OTHER)
    bench.registry.write_run("by name", {"run": "by name", "status": "registered", "version": by_name})
    version = trained(bench, RUN)
    assert [act(bench, "by name"), act(bench, RUN)] == ["awaiting_approval"] * 2
    assert [turn.version for turn in bench.live.read().awaiting] == [by_name, version]


def test_a_version_waits_once_however_often_its_release_is_asked_for(bench: Bench) -> None:
    bench.champion()
    version = bench.register(OTHER)
    for run in ("once", "again"):
        bench.registry.write_run(run, {"run": run, "status": "registered", "version": version})
        assert act(bench, run) == "awaiting_approval"
    assert [turn.run for turn in bench.live.read().awaiting] == ["again"]
    assert (record(bench, "once")["status"], record(bench, "once")["superseded_by"]) == ("superseded", "again")


def test_an_approved_version_is_not_superseded_by_newer_data_that_nobody_has_approved(bench: Bench) -> None:
    bench.champion()
    version, newer = trained(bench, RUN), trained(bench, NEWER, OTHER, day=2)
    decide(bench, version)
    assert act(bench, RUN) == "canary"
    assert act(bench, NEWER) == "awaiting_approval"
    assert (bench.live.read().challenger, record(bench, RUN)["status"]) == (version, "canary")
    decide(bench, newer)
    resume(bench, newer, NEWER)
    assert act(bench, NEWER) == "canary"  # to the workflow; it waits for its turn
    assert record(bench, NEWER)["status"] == "registered"
    assert bench.live.read().waits(NEWER)


def test_the_step_that_supersedes_tells_it_also_when_its_first_call_was_cut_off(bench: Bench) -> None:
    bench.champion()
    trained(bench, RUN)
    trained(bench, NEWER, OTHER, day=2)
    act(bench, RUN)
    turn = Turn(run=NEWER, version=record(bench, NEWER)["version"], asked=bench.clock(), arrived="2026-11-02")
    bench.live.change(lambda pointer: ask_approval(pointer, turn))
    act(bench, NEWER)
    assert record(bench, RUN)["status"] == "superseded"


def test_what_waits_is_released_without_a_word_once_the_settings_ask_no_more(bench: Bench) -> None:
    bench.champion()
    version = trained(bench, RUN)
    act(bench, RUN)
    bench.plan()
    resume(bench, version, RUN)
    assert act(bench, RUN) == "canary"
    assert bench.live.read().awaiting == ()


def test_a_rejection_of_what_waits_holds_although_the_settings_ask_no_more(bench: Bench) -> None:
    bench.champion()
    version = trained(bench, RUN)
    act(bench, RUN)
    bench.plan()
    decide(bench, version, "rejected")
    assert act(bench, RUN) == "refused"


def test_a_rollback_needs_no_approval(bench: Bench) -> None:
    first = bench.champion()
    version = trained(bench, RUN)
    decide(bench, version)
    act(bench, RUN)
    bench.live.change(lambda current: promote(current, bench.clock(), "enough"))
    answer = bench.rollout.act({"action": "rollback", "model": MODEL, "execution": "x", "reason": "no"})
    assert answer == {"status": "rolled_back", "version": first}


def test_an_approval_whose_execution_fails_can_be_given_again(bench: Bench) -> None:
    bench.champion()
    version = trained(bench, RUN)
    act(bench, RUN)
    decide(bench, version)
    resume(bench, version, RUN, "broken")
    asked = {"model": MODEL, "version": version, "run": RUN}
    bench.rollout.act({"action": "abandon", "execution": "broken", "input": asked, "cause": "no disk"})
    assert (record(bench, RUN)["status"], bench.live.read().awaits(RUN)) == ("failed", True)
    assert (resume(bench, version, RUN), act(bench, RUN)) == ("registered", "canary")


def test_a_run_is_gone_on_with_only_for_its_own_version(bench: Bench) -> None:
    trained(bench, RUN)
    for version, run in (("0" * 16, RUN), ("0" * 16, NEWER)):
        with pytest.raises(BadRequest, match="has no version"):
            resume(bench, version, run)
    with pytest.raises(BadRequest, match="the input is not understood"):
        resume(bench, "0" * 16, "../x")


def test_decisions_are_kept_in_order_and_a_damaged_object_is_none(bench: Bench) -> None:
    approvals = Approvals(bench.models, MODEL)
    decide(bench, "v", "rejected")
    decide(bench, "v")
    found = approvals.find("v")
    assert found is not None
    assert found.decision == "approved"
    stored = json.loads(bench.models.get(approvals.key("v")))
    assert [one["decision"] for one in stored["decisions"]] == ["rejected", "approved"]
    assert faults(bench) == []
    for damaged in (b"{", b"[]", b'{"decisions": [{"decision": "approved"}]}', b'{"decisions": [1]}'):
        bench.models.put(approvals.key("v"), damaged)
        assert (approvals.find("v"), faults(bench)) == (None, [approvals.key("v")])


def test_a_pointer_of_an_earlier_release_waits_for_no_approval() -> None:
    document = {name: value for name, value in Pointer().document().items() if name != "awaiting"}
    assert Pointer.parse(document) == Pointer()


def test_callers_are_answered_as_before_while_a_version_waits(bench: Bench) -> None:
    champion = bench.champion()
    trained(bench, RUN)
    act(bench, RUN)
    bench.predict(BENIGN)
    bench.clock.forward(2)
    bench.predict(BENIGN)
    assert {entry["version"] for entry in bench.captured()} == {champion}
