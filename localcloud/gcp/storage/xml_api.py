"""The XML interface of Cloud Storage, as far as the functions' client speaks it, over an emulator of the JSON one.

https://cloud.google.com/storage/docs/xml-api/reference-methods. What is not spoken here
(copies, ACLs, signed URLs) is a 501 that says so.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode
from xml.sax.saxutils import escape

from localcloud.gcp.storage.emulator import Emulator, Stored, place
from localcloud.gcp.storage.gate import Authorize, refusal
from localcloud.gcp.storage.uploads import Uploads
from localcloud.support.http_server import Request, Response

PAGE = 1000
"""Keys of a list's page at most."""
KEPT = frozenset({"accept-ranges", "content-range", "content-type", "etag", "last-modified"})
SAID = {
    400: ("InvalidArgument", "Invalid argument."),
    401: ("AuthenticationRequired", "Authentication required."),
    403: ("AccessDenied", "Access denied."),
    404: ("NoSuchKey", "The specified key does not exist."),
    412: ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold."),
    416: ("InvalidRange", "The requested range cannot be satisfied."),
    501: ("NotImplemented", "This is not emulated here."),
}
NO_BUCKET = ("NoSuchBucket", "The specified bucket does not exist.")
NO_UPLOAD = ("NoSuchUpload", "The requested upload was not found.")
NO_PART = ("InvalidPart", "One or more of the specified parts could not be found.")


@dataclass(frozen=True, kw_only=True)
class Asked:
    request: Request
    bucket: str
    key: str
    query: Mapping[str, str]

    @classmethod
    def parse(cls, request: Request) -> Asked:
        path, _, query = request.path.partition("?")
        bucket, _, key = path.lstrip("/").partition("/")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        return cls(request=request, bucket=unquote(bucket), key=unquote(key), query=parameters)


class XmlApi:
    """Answers requests for `/<bucket>` and `/<bucket>/<key>`; `written` is told of every new object."""

    def __init__(self, emulator: Emulator, authorize: Authorize, written: Callable[[Stored], None]) -> None:
        self._emulator = emulator
        self._authorize = authorize
        self._written = written
        self._uploads = Uploads()
        self._methods: Mapping[tuple[str, frozenset[str]], Callable[[Asked], Response]] = {
            ("GET", frozenset()): self._read,
            ("HEAD", frozenset()): self._read,
            ("GET", frozenset({"generation"})): self._read,
            ("HEAD", frozenset({"generation"})): self._read,
            ("PUT", frozenset()): self._write,
            ("DELETE", frozenset()): self._delete,
            ("POST", frozenset({"uploads"})): self._begin,
            ("PUT", frozenset({"partNumber", "uploadId"})): self._part,
            ("POST", frozenset({"uploadId"})): self._complete,
            ("DELETE", frozenset({"uploadId"})): self._abort,
        }

    def answer(self, request: Request) -> Response:
        asked = Asked.parse(request)
        if asked.key:
            method = self._methods.get((request.method, frozenset(asked.query)))
        else:
            method = self._list if request.method == "GET" and asked.query.get("list-type") == "2" else None
        return method(asked) if method else _error(501)

    def _refused(self, asked: Asked, *verbs: str) -> Response | None:
        status = refusal(self._authorize, asked.request, *((verb, asked.bucket, asked.key) for verb in verbs))
        return None if status is None else _error(status)

    def _refused_writer(self, asked: Asked, generation: str | None = None) -> Response | None:
        """Replacing takes the right to delete, too: https://cloud.google.com/storage/docs/access-control/iam-permissions."""
        replaces = generation != "0" and self._emulator.find(asked.bucket, asked.key) is not None
        return self._refused(asked, "create", *(["delete"] if replaces else []))

    def _read(self, asked: Asked) -> Response:
        if refused := self._refused(asked, "get"):
            return refused
        given = asked.request.header("range")
        # A HEAD is read, too: the door leaves the body out, but tells its length.
        query = urlencode({"alt": "media", **asked.query})
        where = f"/download{place(asked.bucket, asked.key)}?{query}"
        found = self._emulator.send("GET", where, headers={"Range": given} if given else {})
        if found.status not in (200, 206):
            return _error(found.status)
        return Response(found.status, [(name, value) for name, value in found.headers if _is_kept(name)], found.body)

    def _write(self, asked: Asked) -> Response:
        if asked.request.header("x-goog-copy-source") is not None:
            return _error(501)
        generation = asked.request.header("x-goog-if-generation-match")
        if refused := self._refused_writer(asked, generation):
            return refused
        return self._insert(asked, asked.request.body, asked.request.header("content-type"), generation=generation)

    def _insert(
        self, asked: Asked, data: bytes, kind: str | None, *, generation: str | None = None, body: bytes = b""
    ) -> Response:
        stored = self._emulator.insert(asked.bucket, asked.key, data, kind=kind, generation=generation)
        if not isinstance(stored, Stored):
            return _error(stored.status, NO_BUCKET if stored.status == 404 else None)
        self._written(stored)
        headers = [("ETag", f'"{stored.etag}"'), ("x-goog-generation", str(stored.generation))]
        return Response(200, [*headers, ("Content-Type", "application/xml")], body)

    def _delete(self, asked: Asked) -> Response:
        if refused := self._refused(asked, "delete"):
            return refused
        found = self._emulator.send("DELETE", place(asked.bucket, asked.key))
        return Response(204, [], b"") if found.status == 200 else _error(found.status)

    def _list(self, asked: Asked) -> Response:
        wanted, prefix = asked.query, asked.query.get("prefix", "")
        if status := refusal(self._authorize, asked.request, ("list", asked.bucket, prefix)):
            return _error(status)
        after = wanted.get("start-after")
        size = wanted.get("max-keys") or str(PAGE)
        if not size.isdecimal():
            return _error(400)
        query = {
            "prefix": prefix,
            "delimiter": wanted.get("delimiter", ""),
            "maxResults": str(min(int(size), PAGE)),
            "pageToken": wanted.get("continuation-token", ""),
            # The one interface names the key after which a page begins, the other the one with which it does.
            "startOffset": f"{after}\0" if after else "",
        }
        given = urlencode({name: value for name, value in query.items() if value})
        found = self._emulator.send("GET", f"{place(asked.bucket)}?{given}")
        if found.status != 200:
            return _error(found.status, NO_BUCKET if found.status == 404 else None)
        return _page(asked.bucket, json.loads(found.body))

    def _begin(self, asked: Asked) -> Response:
        if refused := self._refused(asked, "create"):
            return refused
        if not self._emulator.has(asked.bucket):
            return _error(404, NO_BUCKET)
        name = self._uploads.begin(asked.bucket, asked.key, asked.request.header("content-type"))
        return _xml("InitiateMultipartUploadResult", _named(asked) + _tag("UploadId", name))

    def _part(self, asked: Asked) -> Response:
        if refused := self._refused(asked, "create"):
            return refused
        upload, number = self._uploads.find(asked.query["uploadId"], asked.bucket, asked.key), asked.query["partNumber"]
        if upload is None or not number.isdecimal():
            return _error(404, NO_UPLOAD)
        self._uploads.add(upload, int(number), asked.request.body)
        digest = hashlib.md5(asked.request.body, usedforsecurity=False).hexdigest()
        return Response(200, [("ETag", f'"{digest}"')], b"")

    def _complete(self, asked: Asked) -> Response:
        if refused := self._refused_writer(asked):
            return refused
        name = asked.query["uploadId"]
        upload = self._uploads.find(name, asked.bucket, asked.key)
        if upload is None:
            return _error(404, NO_UPLOAD)
        numbers = re.findall(rb"<PartNumber>(\d+)</PartNumber>", asked.request.body)
        data = self._uploads.whole(upload, [int(number) for number in numbers])
        if data is None:
            return _error(400, NO_PART)
        body = _document("CompleteMultipartUploadResult", _named(asked) + _tag("ETag", f'"{name}"'))
        answer = self._insert(asked, data, upload.kind, body=body)
        self._uploads.forget(name)
        return answer

    def _abort(self, asked: Asked) -> Response:
        if refused := self._refused(asked, "create"):
            return refused
        if self._uploads.find(asked.query["uploadId"], asked.bucket, asked.key) is None:
            return _error(404, NO_UPLOAD)
        self._uploads.forget(asked.query["uploadId"])
        return Response(204, [], b"")


def _is_kept(name: str) -> bool:
    return name.lower() in KEPT or name.lower().startswith("x-goog-")


def _page(bucket: str, found: Mapping[str, Any]) -> Response:
    fields = {"Key": "name", "Generation": "generation", "LastModified": "updated", "ETag": "etag", "Size": "size"}
    contents = ("".join(_tag(tag, item[name]) for tag, name in fields.items()) for item in found.get("items", []))
    folders = (_tag("Prefix", prefix) for prefix in found.get("prefixes", []))
    more = found.get("nextPageToken", "")
    parts = [
        _tag("Name", bucket),
        _tag("IsTruncated", "true" if more else "false"),
        *([_tag("NextContinuationToken", more)] if more else []),
        *(f"<Contents>{content}</Contents>" for content in contents),
        *(f"<CommonPrefixes>{folder}</CommonPrefixes>" for folder in folders),
    ]
    return _xml("ListBucketResult", "".join(parts))


def _named(asked: Asked) -> str:
    return _tag("Bucket", asked.bucket) + _tag("Key", asked.key)


def _tag(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def _document(name: str, inner: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><{name}>{inner}</{name}>".encode()


def _xml(name: str, inner: str, status: int = 200) -> Response:
    return Response(status, [("Content-Type", "application/xml; charset=UTF-8")], _document(name, inner))


def _error(status: int, said: tuple[str, str] | None = None) -> Response:
    code, message = said or SAID.get(status, ("InternalError", "We encountered an internal error."))
    return _xml("Error", _tag("Code", code) + _tag("Message", message), status)
