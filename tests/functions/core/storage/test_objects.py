from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import obstore
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.storage.keys import ODD, OddKey
from functions.core.storage.objects import (
    Conflict,
    Forbidden,
    Missing,
    Objects,
    TooLarge,
    Unreadable,
    canonical,
)
from functions.core.storage.store_url import open_store
from tests.cloudstorage import CloudStorage, cloud_storage


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStorage]:
    with cloud_storage(tmp_path_factory.mktemp("storage")) as storage:
        yield storage


GS = pytest.param("gs", marks=pytest.mark.integration)


@pytest.fixture(params=["memory", "file", GS])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    match request.param:
        case "memory":
            return open_store("memory://")
        case "file":
            return open_store(f"file://{tmp_path}/store")
        case _:
            return request.getfixturevalue("cloud").bucket(f"bucket-{uuid4().hex[:8]}")


@pytest.fixture(params=["memory", GS])
def replaceable(request: pytest.FixtureRequest) -> Objects:
    """The stores that compare and set."""
    return (
        Objects.in_memory() if request.param == "memory" else request.getfixturevalue("cloud").bucket(uuid4().hex[:8])
    )


def test_what_is_put_is_got_and_found(objects: Objects) -> None:
    objects.put("a/b", b"first")
    objects.put("a/b", b"second")
    assert objects.get("a/b") == objects.find("a/b") == b"second"
    assert objects.exists("a/b")


def test_an_object_that_is_not_there_is_missing(objects: Objects) -> None:
    assert objects.find("nothing") is None
    assert objects.read("nothing") is None
    assert objects.find_json("nothing") is None
    assert not objects.exists("nothing")
    with pytest.raises(Missing, match="nothing"):
        objects.get("nothing")


def reads(objects: Objects, key: str) -> list[object]:
    """What each kind of read returns or raises."""

    def outcome(read: Callable[[], object]) -> object:
        try:
            return read()
        except (Missing, Forbidden) as problem:
            return type(problem)

    return [
        outcome(lambda: objects.find(key)),
        outcome(lambda: objects.look(key)),
        outcome(lambda: objects.exists(key)),
        outcome(lambda: objects.get(key)),
        outcome(lambda: objects.lend(key)),
        outcome(lambda: objects.block(key, 0, 1)),
    ]


@pytest.fixture
def strict(cloud: CloudStorage) -> Iterator[Objects]:
    """A store that tells nobody that an object is missing, with objects whose names are close to one another."""
    objects = cloud.bucket(uuid4().hex[:8])
    for name in ("a", "ab", "ab0", "abc/d", "b"):
        objects.put(f"m/in/{name}", b"1")
    cloud.may = lambda asked: asked[1] != "list" or asked[3] is not None
    yield objects
    cloud.may = lambda _: True


@pytest.mark.integration
@pytest.mark.parametrize("name", ["aa", "abb", "abc", "abc/c", "c", "none/x"])
def test_an_object_that_the_store_refuses_to_read_is_missing_if_a_list_shows_none(strict: Objects, name: str) -> None:
    assert reads(strict, f"m/in/{name}") == [None, None, False, Missing, Missing, Missing]


@pytest.mark.integration
@pytest.mark.parametrize("name", ["a", "ab", "ab0", "abc/d", "b"])
def test_an_object_that_is_there_and_may_not_be_read_is_forbidden_and_not_missing(
    cloud: CloudStorage, strict: Objects, name: str
) -> None:
    cloud.may = lambda asked: asked[1] == "list"
    assert reads(strict, f"m/in/{name}") == [Forbidden] * 6


@pytest.mark.integration
def test_where_nothing_may_be_listed_either_a_refusal_shows_nothing(cloud: CloudStorage, strict: Objects) -> None:
    cloud.may = lambda _: False
    assert reads(strict, "m/in/none") == [Forbidden] * 6
    assert not strict.shows_empty("m/none")
    cloud.may = lambda _: True
    assert strict.shows_empty("m/none")
    assert not strict.shows_empty("m/in")


def test_of_many_creators_one_wins(objects: Objects) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda name: objects.create("a", name), [f"{n}".encode() for n in range(20)]))
    assert won.count(True) == 1
    assert objects.get("a") == f"{won.index(True)}".encode()


def test_only_the_state_that_was_read_is_replaced(replaceable: Objects) -> None:
    replaceable.put("a", b"1")
    _, tag = replaceable.read("a") or (b"", None)
    assert tag is not None
    replaceable.replace("a", b"2", tag)
    with pytest.raises(Conflict):
        replaceable.replace("a", b"3", tag)
    with pytest.raises(Conflict):
        replaceable.replace("gone", b"3", tag)
    assert replaceable.get("a") == b"2"
    assert replaceable.find("gone") is None


def test_of_many_who_read_the_same_state_one_replaces_it(replaceable: Objects) -> None:
    replaceable.put("a", b"before")
    together = Barrier(8)

    def replace(name: bytes) -> bool:
        _, tag = replaceable.read("a") or (b"", None)
        assert tag is not None
        together.wait(timeout=30)
        try:
            replaceable.replace("a", name, tag)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(replace, [f"{n}".encode() for n in range(8)]))
    assert won.count(True) == 1
    assert replaceable.get("a") == f"{won.index(True)}".encode()


def test_no_change_is_lost_when_many_change_one_object(replaceable: Objects) -> None:
    replaceable.put_json("count", 0)

    def count(_: int) -> None:
        while True:
            value, tag = replaceable.read_json("count") or (0, None)
            assert tag is not None
            try:
                return replaceable.replace_json("count", value + 1, tag)
            except Conflict:
                continue

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    assert replaceable.get_json("count") == 40


def test_what_was_read_and_its_tag_are_of_one_state(replaceable: Objects) -> None:
    """A reader in the middle of a write would otherwise replace what it never saw."""
    replaceable.put("a", b"0" * 300_000)
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(lambda n=n: replaceable.put("a", f"{n}".encode() * 300_000)) for n in range(1, 9)]
        seen = [content_and_tag for _ in range(40) if (content_and_tag := replaceable.read("a"))]
        for writer in writers:
            writer.result()
    assert all(len(set(data)) == 1 and len(data) == 300_000 for data, _ in seen)
    assert len({tag for _, tag in seen}) == len({data for data, _ in seen})


def test_an_object_in_many_parts_is_whole(objects: Objects) -> None:
    data = bytes(range(256)) * 45_000
    objects.put("large", data)
    assert objects.get("large") == data


@pytest.mark.parametrize("key", ["a b+c", "a%2Fb", "ü/é", "a&b=c?d#e", "<a>", "a..b"])
def test_a_key_of_any_characters_is_kept_as_it_is(objects: Objects, key: str) -> None:
    objects.put(f"folder/{key}", b"1")
    assert objects.get(f"folder/{key}") == b"1"
    assert list(objects.keys("folder")) == [f"folder/{key}"]


def test_keys_are_below_a_folder_and_not_next_to_it(objects: Objects) -> None:
    for key in ("a/1", "a/b/2", "ab/3"):
        objects.put(key, b"")
    assert sorted(objects.keys("a")) == ["a/1", "a/b/2"]
    assert list(objects.keys("zz")) == []


def test_the_newest_is_the_one_that_was_written_last(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    assert objects.newest("a") is None
    objects.put("b/3", b"x")
    assert objects.newest("b") == "b/3"
    times = {"a/1": 5, "a/2": 9, "a/3": 7}
    page = [{"path": key, "last_modified": at, "size": 1} for key, at in times.items()]
    monkeypatch.setattr(obstore, "list", lambda *_, **__: [page])
    assert objects.newest("a") == "a/2"


def test_of_keys_of_one_second_the_newest_is_the_greatest_as_people_count(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = [{"path": key, "last_modified": 5, "size": 1} for key in ("a/d9.csv", "a/d10.csv", "a/d1.csv")]
    monkeypatch.setattr(obstore, "list", lambda *_, **__: [page])
    assert objects.newest("a") == "a/d10.csv"


def test_what_a_console_makes_of_a_folder_is_not_the_newest(objects: Objects) -> None:
    objects.put("a/data.csv", b"1")
    objects.put("a/2026", b"")  # the client shows a folder's marker without its slash
    assert objects.newest("a") == "a/data.csv"


REFUSED = ["a//b.csv", "a/./b.csv", "a/../b.csv", "a/\x01.csv", "a/\n.csv", "a/b/", "/a/b.csv", "", "a/\x7f"]
PLAIN = [
    "a/b c.csv",
    "a/b+c.csv",
    "a/100%.csv",
    "a/%2F.csv",
    "a/größe.csv",
    "a/表.csv",
    "a/b?c#d&e=f.csv",
    "a/'\"<>.csv",
]


@pytest.mark.parametrize("key", REFUSED)
def test_a_key_of_which_the_client_would_make_another_one_is_refused_by_its_name(key: str, objects: Objects) -> None:
    objects.put("a/b", b"another object")
    for read in (objects.find, objects.look, objects.exists, objects.get, objects.entry):
        with pytest.raises(OddKey, match=re.escape(repr(key))):
            read(key)


@pytest.mark.parametrize("key", PLAIN)
def test_a_key_with_any_other_character_is_read_as_it_is(key: str, objects: Objects) -> None:
    objects.put(key, b"1")
    assert objects.get(key) == b"1"
    assert list(objects.keys("a")) == [key]


@given(st.text(max_size=20))
def test_the_client_takes_every_key_that_is_not_odd_for_itself(key: str) -> None:
    if not ODD.search(key):
        objects = Objects.in_memory()
        objects.put(key, b"1")
        assert list(objects.keys("")) == [key]


def test_what_is_known_of_an_object_is_told_without_reading_it(objects: Objects) -> None:
    objects.put("a/b", b"12345")
    entry = objects.entry("a/b")
    assert entry is not None
    assert (entry.key, entry.size) == ("a/b", 5)
    assert [(found.key, found.size) for found in objects.entries("a")] == [("a/b", 5)]
    assert abs((datetime.now(UTC) - entry.modified).total_seconds()) < 3600
    assert objects.entry("a/c") is None


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_an_object_that_is_not_json_is_named(data: bytes) -> None:
    objects = Objects.in_memory()
    objects.put("a/run.json", data)
    for read in (objects.find_json, objects.get_json, objects.read_json):
        with pytest.raises(Unreadable, match=r"a/run\.json is damaged"):
            read("a/run.json")


def test_an_object_larger_than_wanted_is_not_read(objects: Objects) -> None:
    objects.put("a", b"12345")
    assert objects.get("a", at_most=5) == b"12345"
    with pytest.raises(TooLarge, match="at most 4"):
        objects.get("a", at_most=4)


def test_equal_values_have_equal_bytes_and_nan_has_none() -> None:
    assert canonical({"b": 1, "a": [1.5]}) == canonical({"a": [1.5], "b": 1}) == b'{"a":[1.5],"b":1}'
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical({"a": float("nan")})


@pytest.mark.parametrize("url", ["ftp://bucket", "bucket", ""])
def test_a_url_of_another_kind_says_what_is_accepted(url: str) -> None:
    with pytest.raises(ValueError, match="accepted: s3://bucket, gs://bucket"):
        open_store(url)


def test_an_object_is_looked_at_and_read_in_blocks_of_one_state(objects: Objects) -> None:
    assert objects.look("a") is None
    with pytest.raises(Missing, match="a"):
        objects.block("a", 0, 4)
    objects.put("a", b"0123456789")
    size, state = objects.look("a") or (0, None)
    assert size == 10
    assert [objects.block("a", start, 4) for start in (0, 4, 8)] == [
        (b"0123", state),
        (b"4567", state),
        (b"89", state),
    ]
    objects.put("a", b"01234567890")
    assert objects.block("a", 0, 4)[1] != state


def test_a_stream_is_written_whole_or_not_at_all(objects: Objects) -> None:
    def cut_off() -> Iterator[bytes]:
        yield b"begun"
        raise RuntimeError("the source is away")

    objects.put_stream("a", iter([b"one ", b"", b"two"]))
    assert objects.get("a") == b"one two"
    with pytest.raises(RuntimeError, match="the source is away"):
        objects.put_stream("a", cut_off())
    assert objects.get("a") == b"one two"


def test_a_store_that_signs_gives_a_url_for_one_key_one_method_and_some_seconds() -> None:
    options = {"region": "eu-west-1", "access_key_id": "AKIA", "secret_access_key": "made up"}
    store = open_store("s3://bucket", options=options)
    url = store.sign("PUT", "a/in/b.csv", 60)
    assert url is not None
    query = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path.endswith("/a/in/b.csv")
    assert query["X-Amz-Expires"] == ["60"]
    assert "made up" not in url
    other = store.sign("GET", "a/in/b.csv", 60)
    assert other is not None
    assert parse_qs(urlsplit(other).query)["X-Amz-Signature"] != query["X-Amz-Signature"]


def test_a_store_that_cannot_sign_says_so(objects: Objects) -> None:
    assert objects.sign("GET", "a", 60) is None
    emulated = open_store("gs://bucket", options={"base_url": "http://127.0.0.1:1", "skip_signature": True})
    assert emulated.sign("GET", "a", 60) is None
