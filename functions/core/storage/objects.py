"""Objects in a bucket: get, put, put-if-absent and compare-and-set, alike on every store."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import obstore
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.store import GCSStore, LocalStore, MemoryStore, S3Store

from models.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from obstore import GetResult, ObjectMeta, SignCapableStore, UpdateVersion
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

    from functions.core.onnx.tensor import Memory


class Missing(LookupError):
    """There is no object under this key."""


class Conflict(Exception):
    """The object has changed since it was read, or is gone."""


class TooLarge(ValueError):
    """The object is larger than its reader accepts."""


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One state of an object, as `read` saw it, for `replace`: whatever its store tells states apart by.

    S3 and memory compare the ETag and look at nothing else, Cloud Storage the version (a
    generation). So both are kept, and each store takes its own.
    """

    e_tag: str | None
    version: str | None

    @classmethod
    def of(cls, meta: ObjectMeta) -> Self:
        return cls(e_tag=meta["e_tag"], version=meta["version"])

    def __str__(self) -> str:
        return f"{self.e_tag} {self.version}"

    @property
    def condition(self) -> UpdateVersion:
        found: UpdateVersion = {}
        if self.e_tag is not None:
            found["e_tag"] = self.e_tag
        if self.version is not None:
            found["version"] = self.version
        return found


def canonical(value: object) -> bytes:
    """JSON with sorted keys and no spaces: equal values give equal bytes. Raises `ValueError` on NaN or infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Objects:
    """The objects of one store. Keys are relative paths: `model/versions/abc/card.json`."""

    def __init__(
        self,
        store: ObjectStore,
        again: Callable[[], ObjectStore] | None = None,
        *,
        signer: SignCapableStore | None = None,
    ) -> None:
        """`again` makes the same store anew, if it is one that connections lead to; `signer` signs URLs of it."""
        self._store = store
        self._again = again
        self._signer = signer

    def renew(self) -> None:
        """Forget every connection, and the credentials that were fetched: whoever was at the other end may be gone."""
        if self._again is not None:
            self._store = self._again()
            self._signer = None if self._signer is None else cast("SignCapableStore", self._store)

    def get(self, key: str, *, at_most: int | None = None) -> bytes:
        """The object's bytes. Raises `Missing`; `TooLarge` (nothing is downloaded) beyond `at_most` bytes."""
        found = self.read(key, at_most=at_most)
        if found is None:
            raise Missing(key)
        return found[0]

    def lend(self, key: str, *, at_most: int | None = None) -> memoryview:
        """As `get`, where the store's client put them, without a copy."""
        found = self._open(key, at_most)
        if found is None:
            raise Missing(key)
        return memoryview(found.bytes())

    def find(self, key: str) -> bytes | None:
        """The object's bytes, or None when there is no such object."""
        found = self.read(key)
        return None if found is None else found[0]

    def exists(self, key: str) -> bool:
        try:
            obstore.head(self._store, key)
        except FileNotFoundError:
            return False
        return True

    def read(self, key: str, *, at_most: int | None = None) -> tuple[bytes, Tag] | None:
        """The bytes and the tag that `replace` takes, of one and the same state; None when there is no such object."""
        found = self._open(key, at_most)
        return None if found is None else (bytes(found.bytes()), Tag.of(found.meta))

    def _open(self, key: str, at_most: int | None) -> GetResult | None:
        try:
            found = obstore.get(self._store, key)
        except FileNotFoundError:
            return None
        if at_most is not None and found.meta["size"] > at_most:
            raise TooLarge(f"{key} has {found.meta['size']} bytes; at most {at_most} are accepted")
        return found

    def look(self, key: str) -> tuple[int, Tag] | None:
        """The object's bytes, counted, and the tag of its state; None when there is none."""
        try:
            found = obstore.head(self._store, key)
        except FileNotFoundError:
            return None
        return found["size"], Tag.of(found)

    def block(self, key: str, start: int, size: int) -> tuple[bytes, Tag]:
        """At most `size` bytes from `start` on, which must lie inside the object, and the tag of their state.

        Raises `Missing`.
        """
        try:
            found = obstore.get(self._store, key, options={"range": (start, start + size)})
        except FileNotFoundError:
            raise Missing(key) from None
        return bytes(found.bytes()), Tag.of(found.meta)

    def put(self, key: str, data: Memory) -> None:
        """Write, whatever was there before."""
        obstore.put(self._store, key, data)

    def put_stream(self, key: str, chunks: Iterator[bytes]) -> None:
        """Write what comes piece by piece, holding a few pieces at a time; until the last has come, nothing changes."""
        obstore.put(self._store, key, chunks, max_concurrency=2)

    @property
    def signs(self) -> bool:
        return self._signer is not None

    def sign(self, method: Literal["GET", "PUT"], key: str, seconds: int) -> str | None:
        """A URL that lets whoever holds it do this one thing for so long. None: this store signs nothing.

        It grants what this function itself may do, and no longer than the credentials live that sign it.
        """
        if self._signer is None:
            return None
        return obstore.sign(self._signer, method, key, timedelta(seconds=seconds))

    def create(self, key: str, data: bytes) -> bool:
        """Write only if there is no such object: one winner among any number of writers. False when there is one."""
        try:
            obstore.put(self._store, key, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    def replace(self, key: str, data: bytes, tag: Tag) -> None:
        """Write only if the object is still as `read` saw it. Raises `Conflict`. Not offered by file:// stores."""
        try:
            obstore.put(self._store, key, data, mode=tag.condition)
        except (PreconditionError, AlreadyExistsError, FileNotFoundError):
            raise Conflict(key) from None

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys in the folder `prefix`, at any depth, sorted as the store sorts them."""
        for page in obstore.list(self._store, prefix):
            for entry in page:
                yield entry["path"]

    def newest(self, prefix: str) -> str | None:
        """The key in the folder `prefix` that was written last; the greatest of several that share the second."""
        entries = (entry for page in obstore.list(self._store, prefix) for entry in page)
        latest = max(entries, key=lambda entry: (entry["last_modified"], entry["path"]), default=None)
        return None if latest is None else latest["path"]

    def get_json(self, key: str) -> Any:
        """The object as JSON. Raises `Missing`, or `ValueError` when it is not JSON."""
        return json.loads(self.get(key))

    def find_json(self, key: str) -> Any | None:
        data = self.find(key)
        return None if data is None else json.loads(data)

    def read_json(self, key: str) -> tuple[Any, Tag] | None:
        found = self.read(key)
        return None if found is None else (json.loads(found[0]), found[1])

    def put_json(self, key: str, value: object) -> None:
        self.put(key, canonical(value))

    def create_json(self, key: str, value: object) -> bool:
        return self.create(key, canonical(value))

    def replace_json(self, key: str, value: object, tag: Tag) -> None:
        self.replace(key, canonical(value), tag)

    @classmethod
    def in_memory(cls) -> Self:
        """An empty store of this process."""
        return cls(MemoryStore())


def open_store(url: str, *, options: Mapping[str, Any] | None = None, patience_seconds: float = 20) -> Objects:
    """The store at `s3://bucket`, `gs://bucket`, `file:///folder` or `memory://` (new and empty).

    `options` go to the cloud's client as they are. A request that keeps failing is given
    up after `patience_seconds`. Raises `ValueError` on another scheme.
    """
    scheme, _, place = url.partition("://")
    bucket, _, folder = place.partition("/")
    prefix = folder.strip("/") or None
    patience = timedelta(seconds=patience_seconds)
    client: ClientConfig = {"timeout": patience, "connect_timeout": timedelta(seconds=3)}
    retry: RetryConfig = {"max_retries": 5, "retry_timeout": patience}
    cloud_options = dict(options or {})
    match scheme:
        case "s3":
            make = partial(S3Store, bucket, prefix=prefix, client_options=client, retry_config=retry, **cloud_options)
            store = make()
            return Objects(store, make, signer=store)
        case "gs":
            # Only an emulator is spoken to without TLS, and there nobody signs.
            emulated = str(cloud_options.get("base_url", "")).startswith("http://")
            client["allow_http"] = emulated
            make = partial(GCSStore, bucket, prefix=prefix, client_options=client, retry_config=retry, **cloud_options)
            store = make()
            return Objects(store, make, signer=None if emulated else store)
        case "file":
            return Objects(LocalStore(f"/{folder}", mkdir=True))
        case "memory":
            return Objects.in_memory()
        case other:
            raise ValueError(
                f"{other!r} is no kind of store; accepted: s3://bucket, gs://bucket, file:///folder, memory://"
            )
