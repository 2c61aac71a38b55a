from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest

from functions.core.objects import Conflict, Missing, Objects, TooLarge, canonical, open_store


@pytest.fixture(params=["memory", "file"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    return open_store("memory://" if request.param == "memory" else f"file://{tmp_path}/store")


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


def test_of_many_creators_one_wins(objects: Objects) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda name: objects.create("a", name), [f"{n}".encode() for n in range(20)]))
    assert won.count(True) == 1
    assert objects.get("a") == f"{won.index(True)}".encode()


def test_only_the_state_that_was_read_is_replaced() -> None:
    objects = Objects.in_memory()
    objects.put("a", b"1")
    found = objects.read("a")
    assert found is not None
    objects.replace("a", b"2", found[1])
    with pytest.raises(Conflict):
        objects.replace("a", b"3", found[1])
    with pytest.raises(Conflict):
        objects.replace("gone", b"3", found[1])
    assert objects.get("a") == b"2"
    assert objects.find("gone") is None


def test_keys_lie_below_a_folder_and_not_beside_it(objects: Objects) -> None:
    for key in ("a/1", "a/b/2", "ab/3"):
        objects.put(key, b"")
    assert sorted(objects.keys("a")) == ["a/1", "a/b/2"]
    assert list(objects.keys("zz")) == []


def test_the_newest_is_the_one_that_was_written_last(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    assert objects.newest("a") is None
    objects.put("b/3", b"")
    assert objects.newest("b") == "b/3"
    times = {"a/1": 5, "a/2": 9, "a/3": 7}
    monkeypatch.setattr(obstore, "list", lambda *_: [[{"path": k, "last_modified": at} for k, at in times.items()]])
    assert objects.newest("a") == "a/2"


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
    with pytest.raises(ValueError, match="accepted: s3://bucket"):
        open_store(url)
