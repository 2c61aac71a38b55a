"""The XML interface of Cloud Storage, on top of an emulator of the JSON interface.

https://cloud.google.com/storage/docs/xml-api/reference-methods. It implements what the
functions' client uses; anything else (copies, ACLs, signed URLs) is answered with 501.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus, unquote, urlencode
from xml.sax.saxutils import escape

from localcloud.gcp.storage.authorization import Authorize, missing, refusal
from localcloud.gcp.storage.emulator import Emulator, Stored, object_path
from localcloud.gcp.storage.uploads import Uploads
from localcloud.support.http_server import Request, Response

PAGE = 1000
"""The largest number of keys in one page of a list."""
FORWARDED = frozenset({"accept-ranges", "content-range", "content-type", "etag", "last-modified"})
ERRORS = {
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
class ParsedRequest:
    """A request with its path split into bucket, key and query."""

    request: Request
    bucket: str
    key: str
    query: Mapping[str, str]

    @classmethod
    def parse(cls, request: Request) -> ParsedRequest:
        """Split the path of a request, and decode its parts."""
        path, _, query = request.path.partition("?")
        bucket, _, key = path.lstrip("/").partition("/")
        parameters = dict(parse_qsl(query, keep_blank_values=True))
        return cls(request=request, bucket=unquote(bucket), key=unquote(key), query=parameters)


class XmlApi:
    """Answers requests for `/<bucket>` and `/<bucket>/<key>`, and calls `written` for every new object."""

    def __init__(self, emulator: Emulator, authorize: Authorize, written: Callable[[Stored], None]) -> None:
        self._emulator = emulator
        self._authorize = authorize
        self._written = written
        self._uploads = Uploads()
        self._methods: Mapping[tuple[str, frozenset[str]], Callable[[ParsedRequest], Response]] = {
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
        """Return the response to a request."""
        parsed = ParsedRequest.parse(request)
        if parsed.key:
            method = self._methods.get((request.method, frozenset(parsed.query)))
        else:
            method = self._list if request.method == "GET" and parsed.query.get("list-type") == "2" else None
        return method(parsed) if method else _error(501)

    def _refused(self, parsed: ParsedRequest, *verbs: str) -> Response | None:
        status = refusal(self._authorize, parsed.request, *((verb, parsed.bucket, parsed.key) for verb in verbs))
        return None if status is None else _error(status)

    def _refused_writer(self, parsed: ParsedRequest, generation: str | None = None) -> Response | None:
        """Check a writer's permissions; replacing an object also needs to delete it: https://cloud.google.com/storage/docs/access-control/iam-permissions."""
        replaces = generation != "0" and self._emulator.find(parsed.bucket, parsed.key) is not None
        return self._refused(parsed, "create", *(["delete"] if replaces else []))

    def _read(self, parsed: ParsedRequest) -> Response:
        if refused := self._refused(parsed, "get"):
            return refused
        byte_range = parsed.request.header("range")
        # A HEAD is read, too: the server omits the body, but sends its length.
        query = urlencode({"alt": "media", **parsed.query})
        path = f"/download{object_path(parsed.bucket, parsed.key)}?{query}"
        response = self._emulator.send("GET", path, headers={"Range": byte_range} if byte_range else {})
        if response.status == 404:
            return _error(refusal(self._authorize, parsed.request, missing(parsed.bucket)) or 404)
        if response.status not in (200, 206):
            return _error(response.status)
        headers = [(name, value) for name, value in response.headers if _is_forwarded(name)]
        return Response(response.status, headers, response.body)

    def _write(self, parsed: ParsedRequest) -> Response:
        if parsed.request.header("x-goog-copy-source") is not None:
            return _error(501)
        generation = parsed.request.header("x-goog-if-generation-match")
        if refused := self._refused_writer(parsed, generation):
            return refused
        return self._insert(parsed, parsed.request.body, parsed.request.header("content-type"), generation=generation)

    def _insert(
        self, parsed: ParsedRequest, data: bytes, kind: str | None, *, generation: str | None = None, body: bytes = b""
    ) -> Response:
        stored = self._emulator.insert(parsed.bucket, parsed.key, data, kind=kind, generation=generation)
        if not isinstance(stored, Stored):
            return _error(stored.status, NO_BUCKET if stored.status == 404 else None)
        self._written(stored)
        headers = [("ETag", f'"{stored.etag}"'), ("x-goog-generation", str(stored.generation))]
        return Response(200, [*headers, ("Content-Type", "application/xml")], body)

    def _delete(self, parsed: ParsedRequest) -> Response:
        if refused := self._refused(parsed, "delete"):
            return refused
        response = self._emulator.send("DELETE", object_path(parsed.bucket, parsed.key))
        return Response(204, [], b"") if response.status == 200 else _error(response.status)

    def _list(self, parsed: ParsedRequest) -> Response:
        prefix = parsed.query.get("prefix", "")
        if status := refusal(self._authorize, parsed.request, ("list", parsed.bucket, prefix)):
            return _error(status)
        after = parsed.query.get("start-after")
        size = parsed.query.get("max-keys") or str(PAGE)
        if not size.isdecimal():
            return _error(400)
        query = {
            "prefix": prefix,
            "delimiter": parsed.query.get("delimiter", ""),
            "maxResults": str(min(int(size), PAGE)),
            "pageToken": parsed.query.get("continuation-token", ""),
            # A page begins after `start-after` in the XML interface, and with `startOffset` in the JSON one.
            "startOffset": f"{after}\0" if after else "",
        }
        query_text = urlencode({name: value for name, value in query.items() if value})
        response = self._emulator.send("GET", f"{object_path(parsed.bucket)}?{query_text}")
        if response.status != 200:
            return _error(response.status, NO_BUCKET if response.status == 404 else None)
        encoded = parsed.query.get("encoding-type") == "url"
        return _page(parsed.bucket, json.loads(response.body), encoded=encoded)

    def _begin(self, parsed: ParsedRequest) -> Response:
        if refused := self._refused(parsed, "create"):
            return refused
        if not self._emulator.has(parsed.bucket):
            return _error(404, NO_BUCKET)
        name = self._uploads.begin(parsed.bucket, parsed.key, parsed.request.header("content-type"))
        return _xml("InitiateMultipartUploadResult", _named(parsed) + _tag("UploadId", name))

    def _part(self, parsed: ParsedRequest) -> Response:
        if refused := self._refused(parsed, "create"):
            return refused
        upload, number = (
            self._uploads.find(parsed.query["uploadId"], parsed.bucket, parsed.key),
            parsed.query["partNumber"],
        )
        if upload is None or not number.isdecimal():
            return _error(404, NO_UPLOAD)
        self._uploads.add(upload, int(number), parsed.request.body)
        digest = hashlib.md5(parsed.request.body, usedforsecurity=False).hexdigest()
        return Response(200, [("ETag", f'"{digest}"')], b"")

    def _complete(self, parsed: ParsedRequest) -> Response:
        if refused := self._refused_writer(parsed):
            return refused
        name = parsed.query["uploadId"]
        upload = self._uploads.find(name, parsed.bucket, parsed.key)
        if upload is None:
            return _error(404, NO_UPLOAD)
        numbers = re.findall(rb"<PartNumber>(\d+)</PartNumber>", parsed.request.body)
        data = self._uploads.whole(upload, [int(number) for number in numbers])
        if data is None:
            return _error(400, NO_PART)
        body = _document("CompleteMultipartUploadResult", _named(parsed) + _tag("ETag", f'"{name}"'))
        response = self._insert(parsed, data, upload.kind, body=body)
        self._uploads.forget(name)
        return response

    def _abort(self, parsed: ParsedRequest) -> Response:
        if refused := self._refused(parsed, "create"):
            return refused
        if self._uploads.find(parsed.query["uploadId"], parsed.bucket, parsed.key) is None:
            return _error(404, NO_UPLOAD)
        self._uploads.forget(parsed.query["uploadId"])
        return Response(204, [], b"")


def _is_forwarded(name: str) -> bool:
    return name.lower() in FORWARDED or name.lower().startswith("x-goog-")


def _page(bucket: str, listing: Mapping[str, Any], *, encoded: bool) -> Response:
    """Return a page of a list; `encoded` names are written as in URLs, since XML has no control characters."""
    if encoded:
        items = [{**item, "name": quote_plus(item["name"], safe="/")} for item in listing.get("items", [])]
        listing = {**listing, "items": items}
    fields = {"Key": "name", "Generation": "generation", "LastModified": "updated", "ETag": "etag", "Size": "size"}
    contents = ("".join(_tag(tag, item[name]) for tag, name in fields.items()) for item in listing.get("items", []))
    folders = (_tag("Prefix", prefix) for prefix in listing.get("prefixes", []))
    next_page = listing.get("nextPageToken", "")
    parts = [
        _tag("Name", bucket),
        _tag("IsTruncated", "true" if next_page else "false"),
        *([_tag("NextContinuationToken", next_page)] if next_page else []),
        *(f"<Contents>{content}</Contents>" for content in contents),
        *(f"<CommonPrefixes>{folder}</CommonPrefixes>" for folder in folders),
    ]
    return _xml("ListBucketResult", "".join(parts))


def _named(parsed: ParsedRequest) -> str:
    return _tag("Bucket", parsed.bucket) + _tag("Key", parsed.key)


def _tag(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def _document(name: str, inner: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?><{name}>{inner}</{name}>".encode()


def _xml(name: str, inner: str, status: int = 200) -> Response:
    return Response(status, [("Content-Type", "application/xml; charset=UTF-8")], _document(name, inner))


def _error(status: int, error: tuple[str, str] | None = None) -> Response:
    code, message = error or ERRORS.get(status, ("InternalError", "We encountered an internal error."))
    return _xml("Error", _tag("Code", code) + _tag("Message", message), status)
