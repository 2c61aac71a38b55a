from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.registry.pointer import (
    LONGEST,
    SHADOW,
    NotPossible,
    Pointer,
    Turn,
    advance,
    bake_again,
    begin,
    begin_shadow,
    promote,
    promote_first,
    roll_back,
    try_out,
    wait,
    withdraw,
)
from functions.core.storage.objects import canonical

VERSIONS = st.sampled_from(["v1", "v2", "v3"])
RUNS = st.sampled_from(["r1", "r2"])
WEIGHTS = st.integers(1, 99)
STEPS = st.one_of(
    st.builds(lambda v, r: lambda p, now: promote_first(p, v, r, now), VERSIONS, RUNS),
    st.builds(lambda v, r, w: lambda p, now: begin(p, v, r, w, now), VERSIONS, RUNS, WEIGHTS),
    st.builds(lambda v, r, w: lambda p, now: begin_shadow(p, v, r, w, now), VERSIONS, RUNS, st.integers(1, 100)),
    st.builds(lambda w: lambda p, now: advance(p, w, now, "well"), WEIGHTS),
    st.just(lambda p, now: bake_again(p)),
    st.just(lambda p, now: promote(p, now, "well")),
    st.just(lambda p, now: withdraw(p, now, "badly")),
    st.just(lambda p, now: roll_back(p, now, "by hand")),
)


@given(st.lists(STEPS, max_size=60))
def test_whatever_happens_the_pointer_stays_sound(steps: list) -> None:
    pointer = Pointer()
    for now, step in enumerate(steps):
        before = pointer
        try:
            pointer = step(before, float(now))
        except NotPossible:
            continue
        assert pointer.revision == before.revision + 1
        assert pointer.champion is not None
        assert pointer.champion not in (pointer.challenger, pointer.previous)
        assert (pointer.challenger is None) == (pointer.release is None) == (pointer.weight == pointer.shadow == 0)
        if pointer.release is not None:
            assert pointer.release.version == pointer.challenger
            shadowed = pointer.release.step == SHADOW
            assert (1 <= pointer.shadow <= 100, 1 <= pointer.weight <= 99) == (shadowed, not shadowed)
        assert pointer.history[: len(before.history)] == before.history
        assert len(pointer.history) - len(before.history) == (pointer.release is None or pointer.release.bakes == 0)
        assert Pointer.parse(json.loads(canonical(pointer.document()))) == pointer


def test_the_history_keeps_the_newest_hundred() -> None:
    pointer = promote_first(Pointer(), "v0", "r", 0.0)
    for number in range(LONGEST):
        pointer = withdraw(begin(pointer, "v1", f"r{number}", 10, 1.0), 2.0, "no")
    assert len(pointer.history) == LONGEST
    assert [entry.revision for entry in pointer.history] == list(range(102, 202))
    assert (pointer.history[-1].event, pointer.history[-1].run) == ("rolled_back", "r99")


def test_a_release_begins_as_a_shadow_and_then_goes_up_step_by_step() -> None:
    pointer = begin_shadow(promote_first(Pointer(), "v1", "r1", 1.0), "v2", "r2", 30, 2.0)
    assert (pointer.champion, pointer.challenger, pointer.weight, pointer.shadow) == ("v1", "v2", 0, 30)
    pointer = advance(pointer, 10, 3.0, "they agree")
    assert (pointer.weight, pointer.shadow) == (10, 0)
    assert pointer.release is not None
    assert pointer.release.step == 0
    assert [entry.event for entry in pointer.history] == ["promoted", "shadow", "advanced"]
    with pytest.raises(ValueError, match="1 to 100 per cent"):
        begin_shadow(promote_first(Pointer(), "v1", "r1", 1.0), "v2", "r2", 0, 2.0)


def test_a_pointer_of_an_earlier_release_has_no_shadow() -> None:
    document = promote_first(Pointer(), "v1", "r1", 1.0).document()
    del document["shadow"]
    assert Pointer.parse(document).shadow == 0


def test_a_release_goes_up_step_by_step() -> None:
    pointer = begin(promote_first(Pointer(), "v1", "r1", 1.0), "v2", "r2", 10, 2.0)
    pointer = advance(bake_again(pointer), 50, 3.0, "100 requests, 0 errors")
    assert (pointer.champion, pointer.challenger, pointer.weight) == ("v1", "v2", 50)
    assert pointer.release is not None
    assert (pointer.release.step, pointer.release.since, pointer.release.bakes) == (1, 3.0, 0)
    pointer = promote(pointer, 4.0, "200 requests, 0 errors")
    assert (pointer.champion, pointer.previous, pointer.challenger) == ("v2", "v1", None)
    assert [entry.event for entry in pointer.history] == ["promoted", "canary", "advanced", "promoted"]
    assert pointer.history[-1].reason == "200 requests, 0 errors"
    assert pointer.history[-1].at == "1970-01-01T00:00:04.000+00:00"
    assert pointer.last("r2") == pointer.history[-1]
    assert pointer.last("r3") is None


def test_a_withdrawn_challenger_leaves_the_champion_alone() -> None:
    live = promote_first(Pointer(), "v1", "r1", 1.0)
    pointer = withdraw(begin(live, "v2", "r2", 10, 2.0), 3.0, "errors: 5 of 20")
    assert replace(pointer, revision=0, history=()) == replace(live, revision=0, history=())
    assert pointer.history[-1].reason == "errors: 5 of 20"


def test_an_operator_goes_back_one_step_and_no_further() -> None:
    first = promote_first(Pointer(), "v1", "r1", 1.0)
    pointer = promote(begin(first, "v2", "r2", 10, 2.0), 3.0, "well")
    pointer = roll_back(begin(pointer, "v3", "r3", 10, 4.0), 5.0, "complaints")
    assert (pointer.champion, pointer.previous, pointer.challenger, pointer.weight) == ("v1", None, None, 0)
    assert pointer.history[-1].reason == "back to v1: complaints"
    with pytest.raises(NotPossible, match="no earlier version"):
        roll_back(pointer, 6.0, "again")


def test_what_makes_no_sense_is_not_possible() -> None:
    live = promote_first(Pointer(), "v1", "r1", 1.0)
    busy = begin(live, "v2", "r2", 10, 2.0)
    for transition in (
        lambda: promote_first(live, "v2", "r2", 2.0),
        lambda: begin(Pointer(), "v1", "r1", 10, 1.0),
        lambda: begin(live, "v1", "r2", 10, 2.0),
        lambda: begin(busy, "v3", "r3", 10, 3.0),
        lambda: advance(live, 50, 2.0, ""),
        lambda: bake_again(live),
        lambda: promote(live, 2.0, ""),
        lambda: withdraw(live, 2.0, ""),
        lambda: roll_back(live, 2.0, ""),
    ):
        with pytest.raises(NotPossible):
            transition()


@pytest.mark.parametrize("weight", [0, 100, -1])
def test_a_weight_that_is_no_share_of_the_callers_is_refused(weight: int) -> None:
    with pytest.raises(ValueError, match="1 to 99"):
        begin(promote_first(Pointer(), "v1", "r1", 1.0), "v2", "r2", weight, 2.0)


def turn(run: str, arrived: str | None = None) -> Turn:
    return Turn(run=run, version=f"version of {run}", asked=0.0, arrived=arrived)


def line(*turns: Turn) -> list[str]:
    """Return who waits, after these have come one after the other."""
    pointer = Pointer(champion="v0")
    for one in turns:
        pointer = wait(pointer, one)
    assert Pointer.parse(json.loads(canonical(pointer.document()))) == pointer
    return [one.run for one in pointer.waiting]


def test_versions_wait_in_order_of_arrival_and_newer_data_takes_the_place_of_older() -> None:
    assert line(turn("a"), turn("b")) == ["a", "b"]
    assert line(turn("a", "1"), turn("b"), turn("c", "2")) == ["c", "b"]
    assert line(turn("a", "1"), turn("b"), turn("a", "1")) == ["a", "b"], "who asks again keeps its place"
    assert line(turn("a"), turn("b", "1"), turn("c", "2"), turn("d", "3")) == ["a", "d"]


def test_older_data_is_superseded_by_newer_that_waits_or_was_tried_and_a_wish_is_not() -> None:
    waiting = wait(Pointer(champion="v0"), turn("new", "2"))
    tried = try_out(Pointer(champion="v0"), turn("new", "2"))
    for pointer in (waiting, tried):
        assert pointer.superseder(turn("old", "1")) == "new"
        assert pointer.superseder(turn("newer", "3")) is None
        assert pointer.superseder(turn("wish")) is None
        assert pointer.superseder(turn("new", "1")) is None, "no run supersedes itself"
    assert wait(tried, turn("newest", "5")).superseder(turn("newer", "3")) == "newest"


def test_what_was_tried_last_is_the_newest_data_not_the_latest_try() -> None:
    pointer = try_out(try_out(Pointer(champion="v0"), turn("new", "2")), turn("old", "1"))
    assert pointer.tried is not None
    assert pointer.tried.run == "new"
    assert try_out(pointer, turn("wish")).tried == pointer.tried


def test_a_pointer_of_the_version_before_is_read() -> None:
    document = Pointer(champion="v0", revision=3).document()
    del document["waiting"], document["tried"]
    assert Pointer.parse(document) == Pointer(champion="v0", revision=3)
