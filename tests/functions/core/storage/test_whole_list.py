from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from obstore.exceptions import InvalidPathError

from functions.core.storage.keys import Entry
from functions.core.storage.store_url import open_store
from functions.core.storage.whole_list import WholeList
from tests.cloudstorage import TOKEN, CloudStorage, cloud_storage

AT = "2026-11-30T01:02:03.000Z"
KEYS = ["m/in//b.csv", "m/in/2026/", "m/in/a b+c.csv", "m/in/größe.csv", "m/in/x/../y.csv", "m/in/z.csv"]
PLAIN = [KEYS[2], KEYS[3], KEYS[5]]


def client(*keys: str) -> Iterator[Entry]:
    """A client that fails after some keys."""
    yield from (Entry(key=key, size=1, modified=datetime(2026, 11, 30, tzinfo=UTC)) for key in keys)
    raise InvalidPathError("m/in//b.csv")


def pages(*keys: list[str], namespace: str = "") -> WholeList:
    """A store whose pages hold these keys."""
    asked: list[Mapping[str, str]] = []

    def ask(query: Mapping[str, str]) -> bytes:
        number = int(query.get("continuation-token", "0"))
        asked.append(query)
        entries = "".join(
            f"<Contents><Key>{escape(quote(key, safe='/').replace('%20', '+'))}</Key>"
            f"<LastModified>{AT}</LastModified><Size>7</Size></Contents>"
            for key in keys[number]
        )
        token = f"<NextContinuationToken>{number + 1}</NextContinuationToken>" if number + 1 < len(keys) else ""
        return f"<ListBucketResult{namespace}>{token}{entries}</ListBucketResult>".encode()

    return WholeList(ask=ask, passed_over=[].append)


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_a_list_goes_on_where_the_client_stops_and_says_what_it_passes_over(namespace: str) -> None:
    told: list[str] = []
    whole = WholeList(ask=pages(KEYS[:3], KEYS[3:], namespace=namespace).ask, passed_over=told.append)
    found = list(whole.after(client(), "m/in"))
    assert [entry.key for entry in found] == PLAIN
    assert {(entry.size, entry.modified) for entry in found} == {(7, datetime.fromisoformat(AT))}
    assert told == ["m/in//b.csv", "m/in/2026/", "m/in/x/../y.csv"]


def test_what_the_client_has_listed_is_not_listed_again() -> None:
    assert [entry.key for entry in pages(KEYS).after(client(PLAIN[0]), "m/in")] == PLAIN


def test_a_client_that_lists_everything_is_believed() -> None:
    listed = [Entry(key="m/in/a", size=1, modified=datetime(2026, 11, 30, tzinfo=UTC))]

    def ask(query: Mapping[str, str]) -> bytes:
        raise AssertionError(query)

    assert list(WholeList(ask=ask, passed_over=print).after(iter(listed), "m/in")) == listed


@pytest.mark.integration
def test_cloud_storage_lists_what_lies_beside_an_odd_key(tmp_path: Path) -> None:
    told: list[str] = []
    with cloud_storage(tmp_path) as storage:
        upload(storage, "bucket", [*KEYS, "m/in/\x01.csv"])
        objects = open_store(
            "gs://bucket",
            options={"base_url": storage.storage.url, "bearer_token": TOKEN},
            passed_over=told.append,
        )
        assert sorted(objects.keys("m/in")) == sorted(PLAIN)
        assert objects.newest("m/in") in PLAIN
    assert {"m/in//b.csv", "m/in/x/../y.csv", "m/in/\x01.csv"} <= set(told)


def upload(storage: CloudStorage, bucket: str, keys: list[str]) -> None:
    storage.bucket(bucket)
    for key in keys:
        path = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key, safe='')}"
        status, _, body = storage.send("POST", path, b"1", {"authorization": f"Bearer {TOKEN}"})
        assert status == 200, body
