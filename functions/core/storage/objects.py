"""Objects in a bucket: get, put, put-if-absent and compare-and-set, the same on every store."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast

import obstore
from obstore.exceptions import AlreadyExistsError, GenericError, PermissionDeniedError, PreconditionError
from obstore.store import MemoryStore

from functions.core.storage.keys import ODD, Entry, OddKey, in_order
from functions.core.storage.tag import Tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from obstore import GetOptions, GetResult, SignCapableStore
    from obstore.store import ObjectStore

    from functions.core.onnx.tensor import Memory
    from functions.core.storage.whole_list import WholeList


Found = TypeVar("Found")
_UNLISTED = (PermissionDeniedError, GenericError)
"""What a refused list raises: the client does not tell why it fails."""


class Missing(LookupError):
    """There is no object under this key."""


class Forbidden(Exception):
    """The store refuses to write, or to read and does not show that there is nothing to read."""


class Conflict(Exception):
    """The object has changed since it was read, or is gone."""


class TooLarge(ValueError):
    """The object is larger than its reader accepts."""


class Unreadable(ValueError):
    """The content of an object is not what its reader accepts. The text begins with its key."""


def canonical(value: object) -> bytes:
    """Return JSON with sorted keys and no spaces: equal values give equal bytes.

    Raises `ValueError` on NaN or infinity.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Objects:
    """The objects of one store. Keys are relative paths: `model/versions/abc/card.json`.

    A cloud may answer 403 for an object that is missing. It counts as missing only if a list, which is
    consistent on every cloud, shows no such object; any other refusal is `Forbidden`, from every read.
    """

    def __init__(
        self,
        store: ObjectStore,
        reopen: Callable[[], ObjectStore] | None = None,
        *,
        signer: SignCapableStore | None = None,
        whole: WholeList | None = None,
    ) -> None:
        """Wrap `store`. `reopen` opens the same store with new connections; `signer` signs URLs of its objects.

        `whole` goes on with a list where the client fails on a key.
        """
        self._store = store
        self._whole = whole
        self._reopen = reopen
        self._signer = signer

    def renew(self) -> None:
        """Drop all connections and fetched credentials, and open the store anew: the other ends may be gone."""
        if self._reopen is not None:
            self._store = self._reopen()
            self._signer = None if self._signer is None else cast("SignCapableStore", self._store)

    def get(self, key: str, *, at_most: int | None = None) -> bytes:
        """Return the object's bytes. Raises `Missing`, and `TooLarge` beyond `at_most` bytes, without a download."""
        content_and_tag = self.read(key, at_most=at_most)
        if content_and_tag is None:
            raise Missing(key)
        return content_and_tag[0]

    def lend(self, key: str, *, at_most: int | None = None) -> memoryview:
        """Return the object's bytes in the memory of the store's client, without a copy. Raises as `get` does."""
        result = self._open(key, at_most)
        if result is None:
            raise Missing(key)
        return memoryview(result.bytes())

    def find(self, key: str) -> bytes | None:
        """Return the object's bytes, or None when there is no such object."""
        content_and_tag = self.read(key)
        return None if content_and_tag is None else content_and_tag[0]

    def exists(self, key: str) -> bool:
        return self._found(obstore.head, key) is not None

    def read(self, key: str, *, at_most: int | None = None) -> tuple[bytes, Tag] | None:
        """Return the bytes and the tag of one state, for `replace`; None when there is no such object.

        Raises `TooLarge` beyond `at_most` bytes, without a download.
        """
        result = self._open(key, at_most)
        return None if result is None else (bytes(result.bytes()), Tag.of(result.meta))

    def _open(self, key: str, at_most: int | None) -> GetResult | None:
        result = self._found(obstore.get, key)
        if result is not None and at_most is not None and result.meta["size"] > at_most:
            raise TooLarge(f"{key} has {result.meta['size']} bytes; at most {at_most} are accepted")
        return result

    def _found(self, read: Callable[[ObjectStore, str], Found], key: str) -> Found | None:
        """Return what `read` returns of an object; None when there is none. Raises `Forbidden` and `OddKey`."""
        if ODD.search(key):
            raise OddKey(key)
        try:
            return read(self._store, key)
        except FileNotFoundError:
            return None
        except PermissionDeniedError:
            if self._may_exist(key):
                raise Forbidden(f"{key}: the store refuses to read it, and no list shows that it is missing") from None
            return None

    def _may_exist(self, key: str) -> bool:
        """Return whether a list of the key's folder fails to show that there is no such object."""
        try:
            # Names come in order: of those after a beginning of the key, the first that is not before it is it.
            pages = obstore.list(self._store, key.rpartition("/")[0] or None, offset=key[:-1])
            return next((entry["path"] for page in pages for entry in page if entry["path"] >= key), None) == key
        except _UNLISTED:
            return True

    def look(self, key: str) -> tuple[int, Tag] | None:
        """Return the object's size in bytes and the tag of its state; None when there is no such object."""
        meta = self._found(obstore.head, key)
        return None if meta is None else (meta["size"], Tag.of(meta))

    def entry(self, key: str) -> Entry | None:
        """Return what is known of the object without reading it; None when there is no such object."""
        meta = self._found(obstore.head, key)
        return None if meta is None else Entry.of(meta)

    def block(self, key: str, start: int, size: int) -> tuple[bytes, Tag]:
        """Return at most `size` bytes from offset `start` on, and the tag of their state.

        `start` must lie inside the object. Raises `Missing`.
        """
        options: GetOptions = {"range": (start, start + size)}
        result = self._found(partial(obstore.get, options=options), key)
        if result is None:
            raise Missing(key)
        return bytes(result.bytes()), Tag.of(result.meta)

    def put(self, key: str, data: Memory) -> None:
        """Write the object, and replace any that is there."""
        self._put(key, data)

    def put_stream(self, key: str, chunks: Iterator[bytes]) -> None:
        """Write an object from chunks, a few of them in memory at a time. It appears when the last chunk is written."""
        self._put(key, chunks, max_concurrency=2)

    @property
    def signs(self) -> bool:
        """Whether `sign` returns URLs."""
        return self._signer is not None

    def sign(self, method: Literal["GET", "PUT"], key: str, seconds: int) -> str | None:
        """Return a URL that allows `method` on `key` for `seconds`; None when this store signs no URLs.

        The URL grants no more than this function itself may do, and ends with the credentials that sign it.
        """
        if self._signer is None:
            return None
        return obstore.sign(self._signer, method, key, timedelta(seconds=seconds))

    def create(self, key: str, data: bytes) -> bool:
        """Write the object if there is none, and return whether this call wrote it: of many writers one wins."""
        try:
            self._put(key, data, mode="create")
        except (AlreadyExistsError, PreconditionError):
            return False
        return True

    def replace(self, key: str, data: bytes, tag: Tag) -> None:
        """Write the object if its state is still `tag`, else raise `Conflict`. Stores of files cannot do it."""
        try:
            self._put(key, data, mode=tag.condition)
        except (PreconditionError, AlreadyExistsError, FileNotFoundError):
            raise Conflict(key) from None

    def _put(self, key: str, data: Memory | Iterator[bytes], **options: Any) -> None:
        try:
            obstore.put(self._store, key, data, **options)
        except PermissionDeniedError:
            raise Forbidden(f"{key}: the store refuses to write it: permission denied") from None

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects, those among them that are gone already included. Raise `Forbidden`."""
        if not keys:
            return
        try:
            obstore.delete(self._store, list(keys))
        except FileNotFoundError:
            for key in keys:
                with suppress(FileNotFoundError):
                    obstore.delete(self._store, key)
        except PermissionDeniedError:
            raise Forbidden(f"{keys[0]}: the store refuses to remove it: permission denied") from None

    def keys(self, prefix: str, *, after: str | None = None) -> Iterator[str]:
        """Yield the keys in the folder `prefix`, at any depth, in the order of the store; those `after` a key."""
        return (entry.key for entry in self.entries(prefix, after=after))

    def entries(self, prefix: str, *, after: str | None = None) -> Iterator[Entry]:
        """Yield the objects in the folder `prefix`, at any depth, in the order of the store; those `after` a key."""
        entries = (Entry.of(meta) for page in obstore.list(self._store, prefix, offset=after) for meta in page)
        return entries if self._whole is None else self._whole.after(entries, prefix)

    def folders(self, prefix: str) -> list[str]:
        """Return the names of the folders directly in the folder `prefix`, without what is in them."""
        listed = obstore.list_with_delimiter(self._store, prefix)
        return [folder.rstrip("/").rpartition("/")[2] for folder in listed["common_prefixes"]]

    def shows_empty(self, prefix: str) -> bool:
        """Return whether a list shows that the folder `prefix` holds nothing; a list that fails shows nothing."""
        try:
            return next(self.keys(prefix), None) is None
        except _UNLISTED:
            return False

    def newest(self, prefix: str) -> str | None:
        """Return the key in the folder `prefix` that was written last, or None.

        Of several keys that were written in the same second, the greatest is returned. Empty objects are
        passed over: consoles make folders of them.
        """
        entries = (entry for entry in self.entries(prefix) if entry.size)
        latest = max(entries, key=lambda entry: (entry.modified, in_order(entry.key)), default=None)
        return None if latest is None else latest.key

    def get_json(self, key: str) -> Any:
        """Return the object's JSON value. Raises `Missing`, and `Unreadable` when it is not JSON."""
        return _json_of(key, self.get(key))

    def find_json(self, key: str) -> Any | None:
        """Return the object's JSON value; None when there is no such object. Raises `Unreadable`."""
        data = self.find(key)
        return None if data is None else _json_of(key, data)

    def read_json(self, key: str) -> tuple[Any, Tag] | None:
        """Return the object's JSON value and its tag; None when there is no such object. Raises `Unreadable`."""
        content_and_tag = self.read(key)
        return None if content_and_tag is None else (_json_of(key, content_and_tag[0]), content_and_tag[1])

    def put_json(self, key: str, value: object) -> None:
        self.put(key, canonical(value))

    def create_json(self, key: str, value: object) -> bool:
        return self.create(key, canonical(value))

    def replace_json(self, key: str, value: object, tag: Tag) -> None:
        self.replace(key, canonical(value), tag)

    @classmethod
    def in_memory(cls) -> Self:
        """Return a new, empty store in memory."""
        return cls(MemoryStore())


def _json_of(key: str, data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise Unreadable(f"{key} is damaged: its {len(data)} bytes are not JSON") from None
