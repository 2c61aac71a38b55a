from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from functions.core.registry.live_pointer import Live, UnreadablePointer
from functions.core.registry.pointer import NotPossible, Pointer, bake_again, begin, promote, promote_first
from functions.core.storage.objects import Conflict, Forbidden, Objects
from tests.cloudstorage import CloudStorage, cloud_storage


@pytest.fixture
def live() -> Live:
    return Live(Objects.in_memory(), "tumour")


def test_before_the_first_promotion_the_pointer_is_empty(live: Live) -> None:
    assert live.read() == Pointer()


def test_ten_promoters_at_once_make_one_line_of_history(live: Live) -> None:
    everyone_has_read = Barrier(10)

    def rise(name: int) -> None:
        version = f"v{name}"

        attempts = []

        def transition(pointer: Pointer) -> Pointer:
            if not attempts:
                everyone_has_read.wait()
            attempts.append(pointer)
            if pointer.champion is None:
                return promote_first(pointer, version, version, 0.0)
            return promote(begin(pointer, version, version, 10, 0.0), 1.0, "well")

        live.change(transition)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(rise, range(10)))
    pointer = live.read()
    promoted = [entry for entry in pointer.history if entry.event == "promoted"]
    assert sorted(entry.version for entry in promoted) == [f"v{name}" for name in range(10)]
    assert [entry.revision for entry in pointer.history] == list(range(1, 20))
    assert (pointer.champion, pointer.previous) == (promoted[-1].version, promoted[-2].version)


def test_of_two_first_versions_one_is_promoted_and_the_other_learns_of_it(live: Live) -> None:
    both_have_read = Barrier(2)

    def first(version: str) -> bool:
        def transition(pointer: Pointer) -> Pointer:
            if pointer.champion is None:
                both_have_read.wait()
            return promote_first(pointer, version, version, 0.0)

        try:
            live.change(transition)
        except NotPossible:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(first, ["v1", "v2"])) == [False, True]
    assert live.read().revision == 1


def test_a_transition_that_changes_nothing_writes_nothing(live: Live) -> None:
    assert live.change(lambda pointer: pointer) == Pointer()
    assert live._objects.find(live.key) is None


def test_a_change_that_is_always_overtaken_gives_up(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.core.registry.live_pointer._ATTEMPTS", 5)
    live.change(lambda pointer: begin(promote_first(pointer, "v1", "r", 0.0), "v2", "r", 10, 0.0))

    def overtaken(pointer: Pointer) -> Pointer:
        live._objects.put_json(live.key, bake_again(pointer).document())
        return promote(pointer, 1.0, "late")

    with pytest.raises(Conflict):
        live.change(overtaken)
    assert live.read().champion == "v1"


def test_an_operator_rolls_back_through_the_store(live: Live) -> None:
    live.change(lambda pointer: promote_first(pointer, "v1", "r1", 0.0))
    live.change(lambda pointer: promote(begin(pointer, "v2", "r2", 10, 0.0), 1.0, "well"))
    assert live.roll_back(2.0, "complaints").champion == "v1"
    assert live.read().champion == "v1"
    with pytest.raises(NotPossible):
        live.roll_back(3.0, "again")


def test_an_operator_ends_a_release_through_the_store(live: Live) -> None:
    live.change(lambda pointer: promote_first(pointer, "v1", "r1", 0.0))
    live.change(lambda pointer: begin(pointer, "v2", "r2", 10, 0.0))
    assert live.withdraw(2.0, "complaints").challenger is None
    assert live.read().history[-1].reason == "complaints"
    with pytest.raises(NotPossible):
        live.withdraw(3.0, "again")


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[CloudStorage]:
    """A store that tells nobody that the pointer is missing; names may be listed where a function may list them."""
    with cloud_storage(tmp_path) as storage:
        storage.may = lambda asked: (
            asked[1] != "list" or str(asked[3]).startswith(("tumour/versions/", "tumour/live.json"))
        )
        yield storage


@pytest.mark.integration
def test_a_refused_read_is_an_empty_pointer_only_before_a_version_is_registered(strict: CloudStorage) -> None:
    objects = strict.bucket("models")
    live = Live(objects, "tumour")
    assert live.read() == Pointer()
    objects.put("tumour/versions/v1/card.json", b"{}")
    with pytest.raises(Forbidden, match=r"tumour/live\.json"):
        live.read()


@pytest.mark.integration
def test_the_first_pointer_is_written_although_reading_one_is_refused(strict: CloudStorage) -> None:
    objects = strict.bucket("models")
    objects.put("tumour/versions/v1/card.json", b"{}")
    live = Live(objects, "tumour")
    live.change(lambda pointer: promote_first(pointer, "v1", "first", 0.0))
    assert live.read().champion == "v1"


@pytest.mark.integration
def test_a_pointer_that_may_not_be_read_is_neither_replaced_nor_taken_for_none(strict: CloudStorage) -> None:
    objects = strict.bucket("models")
    objects.put("tumour/versions/v1/card.json", b"{}")
    live = Live(objects, "tumour")
    live.change(lambda pointer: promote_first(pointer, "v1", "first", 0.0))
    strict.may = lambda asked: asked[1] != "get" and asked[3] is not None
    for change in (
        lambda: live.change(lambda pointer: promote_first(pointer, "v2", "second", 1.0)),
        lambda: live.change(lambda pointer: pointer),
        lambda: live.roll_back(1.0, "it is wrong"),
        live.read,
    ):
        with pytest.raises(Forbidden):
            change()
    strict.may = lambda _: True
    assert (live.read().champion, live.read().revision) == ("v1", 1)


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b"{}", b'"text"', b'{"champion": 3}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_damaged_pointer_is_named_with_what_writes_it_anew(damage: bytes, live: Live) -> None:
    live._objects.put(live.key, damage)
    told = r"tumour/live.json is damaged: .*; `registry verify --repair` writes it anew"
    with pytest.raises(UnreadablePointer, match=told):
        live.read()
    with pytest.raises(UnreadablePointer, match=told):
        live.change(lambda pointer: promote_first(pointer, "v1", "r", 0.0))
    assert live._objects.get(live.key) == damage


@pytest.mark.parametrize(
    "change",
    [
        {"champion": 3},
        {"challenger": {}},
        {"weight": "10"},
        {"revision": None},
        {"release": {"run": "r"}},
        {"history": [{}]},
        {"waiting": [{}]},
        {"tried": 3},
    ],
)
def test_a_pointer_of_other_types_is_damaged(change: dict[str, object], live: Live) -> None:
    live._objects.put_json(live.key, {**Pointer(champion="v1").document(), **change})
    with pytest.raises(UnreadablePointer):
        live.read()
