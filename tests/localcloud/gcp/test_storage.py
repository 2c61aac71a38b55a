"""The embedded Cloud Storage, by both of its interfaces; what objects promise stands in functions/core/storage."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import obstore
import pytest
from obstore.store import GCSStore

from localcloud.engine.cloud import CloudFailed
from localcloud.gcp.storage import Storage, emulator
from localcloud.gcp.storage.emulator import BINARY, Emulator, NotForThisMachine, binary
from localcloud.support.process import group_alive
from tests.cloudstorage import PYTHON, TOKEN, CloudStorage, cloud_storage

pytestmark = pytest.mark.integration

ANNA = {"Authorization": "Bearer anna"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudStorage]:
    with cloud_storage(tmp_path_factory.mktemp("storage")) as storage:
        yield storage


@pytest.fixture
def cloud(shared: CloudStorage) -> Iterator[CloudStorage]:
    yield shared
    shared.may = lambda _: True
    shared.asked.clear()
    shared.announced.clear()


@pytest.fixture
def bucket(cloud: CloudStorage) -> str:
    name = f"bucket-{uuid4().hex[:8]}"
    cloud.storage.create(name)
    return name


@pytest.fixture
def store(cloud: CloudStorage, bucket: str) -> GCSStore:
    return GCSStore(
        bucket, base_url=cloud.storage.url, bearer_token=TOKEN, client_options={"allow_http": True},
        retry_config={"max_retries": 0},
    )  # fmt: skip


def code(body: bytes) -> str:
    return body.decode().partition("<Code>")[2].partition("</Code>")[0]


# The XML interface ---------------------------------------------------------------------------


def test_a_read_returns_type_size_generation_and_tag(cloud: CloudStorage, bucket: str) -> None:
    status, written, _ = cloud.send("PUT", f"/{bucket}/a%2Fb", b"12345", {"Content-Type": "text/csv"})
    assert status == 200
    for method, body in (("GET", b"12345"), ("HEAD", b"")):
        status, headers, content = cloud.send(method, f"/{bucket}/a/b")
        assert (status, content) == (200, body)
        assert headers["content-length"] == "5"
        assert headers["content-type"] == "text/csv"
        assert headers["x-goog-generation"] == written["x-goog-generation"]
        assert headers["etag"] == written["etag"]


def test_a_range_is_a_part_and_one_beyond_the_end_is_none(cloud: CloudStorage, bucket: str, store: GCSStore) -> None:
    obstore.put(store, "a", b"0123456789")
    assert bytes(obstore.get_range(store, "a", start=2, end=5)) == b"234"
    status, headers, body = cloud.send("GET", f"/{bucket}/a", headers={"Range": "bytes=7-"})
    assert (status, body, headers["content-range"]) == (206, b"789", "bytes 7-9/10")
    status, _, body = cloud.send("GET", f"/{bucket}/a", headers={"Range": "bytes=10-"})
    assert (status, code(body)) == (416, "InvalidRange")


@pytest.mark.parametrize("generation", ["0", "7", "live"])
def test_a_write_minds_the_generation(cloud: CloudStorage, bucket: str, generation: str) -> None:
    _, written, _ = cloud.send("PUT", f"/{bucket}/a", b"1")
    live = written["x-goog-generation"]
    precondition = live if generation == "live" else generation
    status, headers, body = cloud.send("PUT", f"/{bucket}/a", b"2", {"x-goog-if-generation-match": precondition})
    if generation == "live":
        assert status == 200
        assert int(headers["x-goog-generation"]) > int(live)
    else:
        assert (status, code(body)) == (412, "PreconditionFailed")
        assert cloud.send("GET", f"/{bucket}/a")[2] == b"1"


def test_an_object_that_is_not_there_is_none_of_any_generation(cloud: CloudStorage, bucket: str) -> None:
    assert cloud.send("PUT", f"/{bucket}/a", b"1", {"x-goog-if-generation-match": "7"})[0] == 412
    assert cloud.send("GET", f"/{bucket}/a")[0] == 404


def test_an_earlier_generation_can_still_be_read(cloud: CloudStorage, bucket: str) -> None:
    first = cloud.send("PUT", f"/{bucket}/a", b"1")[1]["x-goog-generation"]
    cloud.send("PUT", f"/{bucket}/a", b"2")
    assert cloud.send("GET", f"/{bucket}/a?generation={first}")[2] == b"1"


def test_a_list_comes_in_pages_and_by_folders(store: GCSStore, cloud: CloudStorage, bucket: str) -> None:
    for key in ("a/1", "a/2", "a/b/3", "c"):
        obstore.put(store, key, b"")
    status, _, body = cloud.send("GET", f"/{bucket}?list-type=2&max-keys=2&prefix=a/")
    assert (status, body.count(b"<Contents>"), b"<IsTruncated>true" in body) == (200, 2, True)
    token = body.decode().partition("<NextContinuationToken>")[2].partition("<")[0]
    _, _, body = cloud.send("GET", f"/{bucket}?list-type=2&max-keys=2&prefix=a/&continuation-token={token}")
    assert (body.count(b"<Contents>"), b"a/b/3" in body, b"<IsTruncated>false" in body) == (1, True, True)
    listing = obstore.list_with_delimiter(store, "a")
    assert [entry["path"] for entry in listing["objects"]] == ["a/1", "a/2"]
    assert listing["common_prefixes"] == ["a/b"]
    later = [entry["path"] for page in obstore.list(store, offset="a/2") for entry in page]
    assert later == ["a/b/3", "c"]
    assert cloud.send("GET", f"/{bucket}?list-type=2&max-keys=x")[0] == 400


def test_more_keys_than_a_page_are_all_listed(cloud: CloudStorage, bucket: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: cloud.storage._emulator.insert(bucket, f"p/{n:04}", b""), range(1100)))
    keys = cloud.storage.objects(bucket, TOKEN).keys("p/")
    assert keys == [f"p/{n:04}" for n in range(1100)]


def test_a_deleted_object_is_gone(store: GCSStore, cloud: CloudStorage, bucket: str) -> None:
    obstore.put(store, "a", b"")
    obstore.delete(store, "a")
    assert cloud.send("GET", f"/{bucket}/a")[0] == 404
    status, _, body = cloud.send("DELETE", f"/{bucket}/a")
    assert (status, code(body)) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "a"), ("GET", "?list-type=2"), ("POST", "a?uploads=")], ids=["put", "list", "upload"]
)
def test_a_bucket_that_is_not_there_is_named_as_the_reason(cloud: CloudStorage, method: str, path: str) -> None:
    status, _, body = cloud.send(method, f"/nowhere{path}" if path[0] == "?" else f"/nowhere/{path}")
    assert (status, code(body)) == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("PUT", "/{}/b", {"x-goog-copy-source": "x/a"}),
        ("GET", "/{}", {}),
        ("PUT", "/{}", {}),
        ("GET", "/{}/a?acl", {}),
        ("POST", "/{}/a", {}),
        ("PATCH", "/{}/a", {}),
    ],
)
def test_what_is_not_emulated_says_so(
    cloud: CloudStorage, bucket: str, method: str, path: str, headers: dict[str, str]
) -> None:
    status, _, body = cloud.send(method, path.format(bucket), headers=headers)
    assert (status, code(body)) == (501, "NotImplemented")


# Objects that come in parts ------------------------------------------------------------------


def begin(cloud: CloudStorage, bucket: str, key: str = "a") -> str:
    _, _, body = cloud.send("POST", f"/{bucket}/{key}?uploads", headers={"Content-Type": "text/csv"})
    return body.decode().partition("<UploadId>")[2].partition("<")[0]


def listed(*numbers: int) -> bytes:
    return "".join(f"<Part><PartNumber>{number}</PartNumber></Part>" for number in numbers).encode()


def test_parts_become_an_object_in_the_order_that_is_listed_and_only_then(cloud: CloudStorage, bucket: str) -> None:
    upload = begin(cloud, bucket)
    for number, data in ((2, b"b"), (1, b"x"), (3, b"c"), (1, b"a")):
        assert cloud.send("PUT", f"/{bucket}/a?partNumber={number}&uploadId={upload}", data)[0] == 200
    assert cloud.send("GET", f"/{bucket}/a")[0] == 404
    assert cloud.announced == []
    status, headers, _ = cloud.send("POST", f"/{bucket}/a?uploadId={upload}", listed(1, 2, 3))
    assert status == 200
    status, fields, body = cloud.send("GET", f"/{bucket}/a")
    assert (body, fields["content-type"]) == (b"abc", "text/csv")
    assert fields["x-goog-generation"] == headers["x-goog-generation"]
    assert cloud.announced == [(bucket, "a", int(headers["x-goog-generation"]), 3)]
    assert cloud.send("POST", f"/{bucket}/a?uploadId={upload}", listed(1))[0] == 404


@pytest.mark.parametrize("numbers", [(), (1, 2), (2, 1), (1, 1)])
def test_parts_that_do_not_fit_are_no_object(cloud: CloudStorage, bucket: str, numbers: tuple[int, ...]) -> None:
    upload = begin(cloud, bucket)
    cloud.send("PUT", f"/{bucket}/a?partNumber=1&uploadId={upload}", b"a")
    if numbers == (2, 1):
        cloud.send("PUT", f"/{bucket}/a?partNumber=2&uploadId={upload}", b"b")
    status, _, body = cloud.send("POST", f"/{bucket}/a?uploadId={upload}", listed(*numbers))
    assert (status, code(body)) == (400, "InvalidPart")
    assert cloud.send("GET", f"/{bucket}/a")[0] == 404


def test_an_upload_is_known_by_its_own_object_and_can_be_cancelled(cloud: CloudStorage, bucket: str) -> None:
    upload = begin(cloud, bucket)
    status, _, body = cloud.send("PUT", f"/{bucket}/b?partNumber=1&uploadId={upload}", b"a")
    assert (status, code(body)) == (404, "NoSuchUpload")
    assert cloud.send("DELETE", f"/{bucket}/a?uploadId={upload}")[0] == 204
    assert cloud.send("DELETE", f"/{bucket}/a?uploadId={upload}")[0] == 404
    assert cloud.send("PUT", f"/{bucket}/a?partNumber=1&uploadId={upload}", b"a")[0] == 404


# Permissions and notifications -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers", "verbs"),
    [
        ("GET", "/{}/a", {}, ["get"]),
        ("HEAD", "/{}/a", {}, ["get"]),
        ("PUT", "/{}/a", {}, ["create", "delete"]),
        ("PUT", "/{}/new", {}, ["create"]),
        ("PUT", "/{}/a", {"x-goog-if-generation-match": "0"}, ["create"]),
        ("PUT", "/{}/a", {"x-goog-if-generation-match": "7"}, ["create", "delete"]),
        ("DELETE", "/{}/a", {}, ["delete"]),
        ("POST", "/{}/a?uploads", {}, ["create"]),
        ("PUT", "/{}/a?partNumber=1&uploadId=u", {}, ["create"]),
        ("POST", "/{}/a?uploadId=u", {}, ["create", "delete"]),
        ("DELETE", "/{}/a?uploadId=u", {}, ["create"]),
        ("GET", "/{}?list-type=2&prefix=x/", {}, ["list"]),
        ("GET", "/storage/v1/b/{}/o?prefix=x/", {}, ["list"]),
        ("GET", "/storage/v1/b/{}/o/a?alt=media", {}, ["get"]),
        ("GET", "/download/storage/v1/b/{}/o/a?alt=media", {}, ["get"]),
        ("DELETE", "/storage/v1/b/{}/o/a", {}, ["delete"]),
        ("POST", "/upload/storage/v1/b/{}/o?uploadType=media&name=a", {}, ["create", "delete"]),
        ("POST", "/upload/storage/v1/b/{}/o?uploadType=media&name=new", {}, ["create"]),
        ("POST", "/upload/storage/v1/b/{}/o?uploadType=resumable&name=new", {}, ["create"]),
        ("POST", "/storage/v1/b/{}/o/a/rewriteTo/b/{}/o/b", {}, ["admin"]),
        ("PATCH", "/storage/v1/b/{}/o/a", {}, ["admin"]),
        ("GET", "/storage/v1/b/{}", {}, ["admin"]),
        ("DELETE", "/storage/v1/b/{}", {}, ["admin"]),
        ("POST", "/storage/v1/b?project=x", {}, ["admin"]),
    ],
)
def test_whoever_lacks_one_permission_of_those_a_call_needs_is_refused(
    cloud: CloudStorage, bucket: str, method: str, path: str, headers: dict[str, str], verbs: list[str]
) -> None:
    cloud.storage._emulator.insert(bucket, "a", b"before")
    path = path.replace("{}", bucket)
    key = "x/" if verbs == ["list"] else "new" if "new" in path else "a"
    needed = [("anna", verb, *(("", "") if verb == "admin" else (bucket, key))) for verb in verbs]
    for lacking in needed:
        cloud.asked.clear()
        cloud.may = lambda asked, lacking=lacking: asked != lacking
        assert cloud.send(method, path, b"{}", {**headers, **ANNA})[0] == 403
        assert cloud.asked == needed[: needed.index(lacking) + 1]
    cloud.may = lambda asked: False
    assert cloud.send(method, path, b"{}", headers)[0] == 401
    assert cloud.storage._emulator.find(bucket, "new") is None
    assert cloud.send("GET", f"/{bucket}/a", headers=ANNA)[0] == 403
    cloud.may = lambda _: True
    assert cloud.send("GET", f"/{bucket}/a")[2] == b"before"
    assert cloud.announced == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "path",
    ["/{}/{}", "/storage/v1/b/{}/o/{}?alt=media", "/download/storage/v1/b/{}/o/{}?alt=media"],
    ids=["xml", "json", "download"],
)
def test_only_who_may_list_the_bucket_learns_that_an_object_is_missing(
    cloud: CloudStorage, bucket: str, path: str, method: str
) -> None:
    """Anna may get everything, and list below a prefix, which a request for one object does not name."""
    cloud.storage._emulator.insert(bucket, "a", b"1")
    cloud.may = lambda asked: asked[1:] != ("list", bucket, None)
    assert cloud.send(method, path.format(bucket, "a"), headers=ANNA)[0] == 200
    assert cloud.send(method, path.format(bucket, "new"), headers=ANNA)[0] == 403
    cloud.may = lambda _: True
    assert cloud.send(method, path.format(bucket, "new"), headers=ANNA)[0] == 404


@pytest.mark.parametrize(
    "query",
    ["prefix=secret&prefix=m/", "prefix=&prefix=m/", "prefix=m/;prefix="],
)
def test_a_parameter_that_is_there_twice_is_refused(cloud: CloudStorage, bucket: str, query: str) -> None:
    """The storage would act on another one than the one that was checked."""
    assert cloud.send("GET", f"/storage/v1/b/{bucket}/o?{query}")[0] == 400
    upload = f"/upload/storage/v1/b/{bucket}/o?uploadType=media&name=m/live.json&name=m/versions/q"
    assert cloud.send("POST", upload, b"1")[0] == 400
    assert cloud.announced == []


def test_what_stands_before_the_first_part_names_nothing(cloud: CloudStorage, bucket: str) -> None:
    body = b'{"name":"m/versions/q"}\r\n--x\r\nContent-Type: application/json\r\n\r\n{"name":"secret"}\r\n'
    body += b"--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--x--\r\n"
    path = f"/upload/storage/v1/b/{bucket}/o?uploadType=multipart"
    cloud.send("POST", path, body, {"Content-Type": "multipart/related; boundary=x"})
    created = [key for _, verb, _, key in cloud.asked if verb == "create"]
    assert created == ["secret"]


@pytest.mark.parametrize("header", ["", "Basic abc", "Bearer", "Bearer  "])
def test_what_is_no_bearer_token_is_nobodys(cloud: CloudStorage, bucket: str, header: str) -> None:
    cloud.send("GET", f"/{bucket}/a", headers={"Authorization": header})
    assert cloud.asked == [(None, "get", bucket, "a"), (None, "list", bucket, None)]


MULTIPART = (
    b'--B\r\nContent-Type: application/json\r\n\r\n{"name": "a"}\r\n'
    b"--B\r\nContent-Type: text/csv\r\n\r\n12345\r\n--B--\r\n"
)


@pytest.mark.parametrize(
    ("query", "kind", "body"),
    [
        ("uploadType=media&name=a", "text/csv", b"12345"),
        ("uploadType=multipart", "multipart/related; boundary=B", MULTIPART),
    ],
    ids=["media", "multipart"],
)
def test_both_uploads_of_the_json_interface_are_announced_and_mind_the_generation(
    cloud: CloudStorage, bucket: str, query: str, kind: str, body: bytes
) -> None:
    target, headers = f"/upload/storage/v1/b/{bucket}/o?{query}", {"Content-Type": kind, **ANNA}
    status, _, answer = cloud.send("POST", f"{target}&ifGenerationMatch=0", body, headers)
    generation = int(json.loads(answer)["generation"])
    assert status == 200
    assert cloud.announced == [(bucket, "a", generation, 5)]
    assert cloud.send("GET", f"/{bucket}/a")[1]["content-type"] == "text/csv"
    assert cloud.send("POST", f"{target}&ifGenerationMatch=0", body, headers)[0] == 412
    assert cloud.send("POST", f"{target}&ifGenerationMatch={generation}", body, headers)[0] == 200
    assert cloud.send("POST", f"{target}&ifGenerationMatch={generation}", body, headers)[0] == 412
    assert len(cloud.announced) == 2
    assert ("anna", "delete", bucket, "a") in cloud.asked


def test_a_resumable_upload_is_announced_when_it_is_whole(cloud: CloudStorage, bucket: str) -> None:
    target = f"/upload/storage/v1/b/{bucket}/o?uploadType=resumable&name=a"
    status, headers, _ = cloud.send("POST", target, b"{}", {"Content-Type": "application/json"})
    assert status == 200
    assert headers["location"].startswith(cloud.storage.url)
    assert cloud.announced == []
    resumed = headers["location"].removeprefix(cloud.storage.url)
    assert cloud.send("PUT", resumed, b"12345", {"Content-Range": "bytes 0-4/5"})[0] == 200
    assert [(key, size) for _, key, _, size in cloud.announced] == [("a", 5)]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("o/a/rewriteTo/b/{}/o/b", b""),
        ("o/a/copyTo/b/{}/o/b", b""),
        ("o/b/compose", b'{"sourceObjects":[{"name":"a"}]}'),
    ],
)
def test_a_copy_is_announced(cloud: CloudStorage, bucket: str, path: str, body: bytes) -> None:
    cloud.storage._emulator.insert(bucket, "a", b"12345")
    target = f"/storage/v1/b/{bucket}/{path.replace('{}', bucket)}"
    assert cloud.send("POST", target, body, {"Content-Type": "application/json"})[0] == 200
    assert [(key, size) for _, key, _, size in cloud.announced] == [("b", 5)]


@pytest.mark.parametrize(
    "path",
    [
        "/storage/v1/b/{}/o/a/rewriteTo/b/{}/o/b?ifGenerationMatch=0",
        "/storage/v1/b/{}/o/b/compose?ifGenerationMatch=0",
        "/upload/storage/v1/b/{}/o?uploadType=resumable&name=a&ifGenerationMatch=0",
        "/upload/storage/v1/b/{}/o?uploadType=media&name=a&ifMetagenerationMatch=1",
    ],
)
def test_a_precondition_that_would_be_ignored_is_refused(cloud: CloudStorage, bucket: str, path: str) -> None:
    status, _, body = cloud.send("POST", path.replace("{}", bucket), b"{}")
    assert status == 501
    assert "not emulated here for this call" in json.loads(body)["error"]["message"]


def test_a_failing_listener_does_not_harm_the_writer_of_an_object(cloud: CloudStorage, tmp_path: Path) -> None:
    def failing(*_: object) -> None:
        raise RuntimeError("the listener is broken")

    with Storage(PYTHON, tmp_path, authorize=lambda *_: True, finalized=failing) as storage:
        storage.create("bucket")
        storage.objects("bucket", TOKEN).put("a", b"1")
        assert storage.objects("bucket", TOKEN).get("a") == b"1"
        assert "gs://bucket/a: not announced" in storage.log.read_text(encoding="utf-8")
        assert "the listener is broken" in storage.log.read_text(encoding="utf-8")


# For a person, and for whoever runs it -------------------------------------------------------


def test_a_person_puts_gets_and_lists_under_a_token(cloud: CloudStorage, bucket: str, tmp_path: Path) -> None:
    objects = cloud.storage.objects(bucket, "root")
    (tmp_path / "file").write_bytes(b"from a file")
    objects.put("a/b1", tmp_path / "file")
    objects.put("a/b2", b"2")
    objects.put("c", b"3")
    assert objects.get("a/b1") == b"from a file"
    assert objects.keys() == ["a/b1", "a/b2", "c"]
    assert objects.keys("a/b") == ["a/b1", "a/b2"]
    assert objects.keys("a/b2") == ["a/b2"]
    assert objects.keys("b") == []
    with pytest.raises(FileNotFoundError, match=f"gs://{bucket}/nothing"):
        objects.get("nothing")
    assert {asked[0] for asked in cloud.asked} == {"root"}
    assert [key for _, key, _, _ in cloud.announced] == ["a/b1", "a/b2", "c"]


def test_a_bucket_goes_with_all_that_it_holds(cloud: CloudStorage, bucket: str) -> None:
    objects = cloud.storage.objects(bucket, TOKEN)
    objects.put("a", b"1")
    objects.put("a", b"2")
    objects.put("b/c", b"3")
    cloud.storage.remove(bucket)
    assert cloud.send("GET", f"/{bucket}?list-type=2")[0] == 404
    cloud.storage.remove(bucket)
    cloud.storage.create(bucket)
    with pytest.raises(CloudFailed, match=f"gs://{bucket}: cannot be created"):
        cloud.storage.create(bucket)
    assert objects.keys() == []


def test_it_ends_with_its_process_and_says_so_when_that_ended_first(tmp_path: Path) -> None:
    storage = Storage(PYTHON, tmp_path, authorize=lambda *_: True, finalized=lambda *_: None)
    with pytest.raises(CloudFailed, match="is not running"):
        storage.create("bucket")
    storage.start()
    storage.check()
    pid = storage.pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(CloudFailed, match=r"ended with code -9; its log is .*storage\.log"):
        storage.check()
    storage.stop()
    storage.stop()
    assert not group_alive(pid)


def test_a_server_of_another_stack_is_not_taken_for_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = emulator.free_port
    ports = list[int]()

    def free_port() -> int:
        """Return what the first server listens on to the second one, too, and then a port that is free."""
        ports.append(ports[0] if len(ports) == 1 else found())
        return ports[-1]

    monkeypatch.setattr(emulator, "free_port", free_port)
    with (
        cloud_storage(tmp_path / "theirs") as cloud,
        Storage(PYTHON, tmp_path, authorize=lambda *_: True, finalized=lambda *_: None) as storage,
    ):
        storage.create("of-one-alone")
        assert storage.has("of-one-alone")
        assert not cloud.storage.has("of-one-alone")
        assert len(ports) == 3


def test_without_a_server_for_the_machine_the_message_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BINARY, raising=False)
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(NotForThisMachine, match=r"this is \w+ riscv64[\s\S]*go install[\s\S]*CLOUD=aws"):
        Storage(tmp_path / "bin" / "python", tmp_path, authorize=lambda *_: True, finalized=lambda *_: None)


def test_a_server_that_is_not_installed_is_reported_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BINARY, raising=False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    with pytest.raises(CloudFailed, match=r"is not there: [\s\S]*`make up CLOUD=gcp` installs it") as failure:
        binary(tmp_path)
    assert not isinstance(failure.value, NotForThisMachine)


def test_a_server_of_ones_own_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BINARY, str(tmp_path / "missing"))
    with pytest.raises(CloudFailed, match="missing"):
        binary(PYTHON.parents[1])
    mine = tmp_path / "mine"
    mine.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    mine.chmod(0o755)
    monkeypatch.setenv(BINARY, str(mine))
    assert binary(PYTHON.parents[1]) == mine
    with pytest.raises(CloudFailed, match="ended with code 3"):
        Emulator(mine, tmp_path, url="http://127.0.0.1:1", progress=lambda _: None).start()


@pytest.mark.parametrize(
    "call",
    [
        "/upload/storage/v1/b/{}/o?uploadType=media&name=a&",
        "/upload/storage/v1/b/{}/o?uploadType=resumable&name=a&",
        "/storage/v1/b/{}/o/a/rewriteTo/b/{}/o/a?",
        "/storage/v1/b/{}/o/a/compose?",
    ],
)
def test_the_emulator_itself_still_ignores_these_preconditions(cloud: CloudStorage, bucket: str, call: str) -> None:
    """Why the server does what it does. When this fails, the emulator does it by itself, and the server can do less."""
    cloud.storage._emulator.insert(bucket, "a", b"1")
    target = f"{call.replace('{}', bucket)}ifGenerationMatch=0"
    body = b'{"sourceObjects": [{"name": "a"}]}'
    assert cloud.storage._emulator.send("POST", target, body, {"Content-Type": "application/json"}).status == 200
