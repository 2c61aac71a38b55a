"""The JSON interface of Cloud Storage: checks permissions and preconditions, and forwards to the emulator.

https://cloud.google.com/storage/docs/json_api/v1. The emulator ignores most preconditions and
overwrites silently. A precondition that it would ignore is a 501 here. That of a media upload
is kept, because the upload is sent as the one kind of request in which the emulator checks it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote

from localcloud.gcp.storage.authorization import Authorize, Need, missing, refusal
from localcloud.gcp.storage.emulator import Emulator, Stored
from localcloud.support.http_server import Request, Response, json_response

PREFIXES = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/resumable/upload/", "/batch/")
UPLOAD = re.compile(r"/(?:resumable/)?upload/storage/v1/b/(?P<bucket>[^/]+)/o")
OBJECT = re.compile(r"/(?:download/)?storage/v1/b/(?P<bucket>[^/]+)/o(?:/(?P<key>[^/]+))?")
LARGEST_METADATA = 65_536
CONDITION = re.compile(r"if(Source)?(Generation|Metageneration)(Not)?Match")


class JsonApi:
    """Answers requests below `PREFIXES`, and calls `written` for every new object."""

    def __init__(self, emulator: Emulator, authorize: Authorize, written: Callable[[Stored], None]) -> None:
        self._emulator = emulator
        self._authorize = authorize
        self._written = written

    def answer(self, request: Request) -> Response:
        """Return the response to a request."""
        path, _, query_text = request.path.partition("?")
        pairs = parse_qsl(query_text, keep_blank_values=True)
        query = dict(pairs)
        if len(query) < len(pairs) or ";" in query_text:
            # The storage behind this would act on another one of them than the one that is checked.
            return _error(400, "a parameter is there twice, or separated by a semicolon")
        upload = UPLOAD.fullmatch(path)
        kind = query.get("uploadType") if upload else None
        conditions = {name for name in query if CONDITION.fullmatch(name)}
        if kind in ("media", "multipart"):
            conditions -= {"ifGenerationMatch"}
        if conditions:
            return _error(501, f"{', '.join(sorted(conditions))}: not emulated here for this call")
        needs = self._upload_needs(upload, query, request) if upload else self._needs(request.method, path, query)
        if status := refusal(self._authorize, request, *needs):
            return _error(status, "Anonymous caller." if status == 401 else "Permission denied.")
        if upload and kind == "media" and "name" in query:
            return self._media(unquote(upload["bucket"]), query, request)
        response = self._emulator.send(request.method, request.path, request.body, request.headers)
        if response.status == 404 and needs[0][0] == "get":
            status = refusal(self._authorize, request, missing(needs[0][1]))
            return response if status is None else _error(status, "Permission denied.")
        if request.method in ("POST", "PUT") and response.status == 200:
            self._announce(response.body)
        return response

    def _needs(self, method: str, path: str, query: dict[str, str]) -> list[Need]:
        """Return the permissions for reading, listing or deleting objects; any other request needs `admin`."""
        match = OBJECT.fullmatch(path)
        verb = {"GET": "get", "HEAD": "get", "DELETE": "delete"}.get(method)
        if match is None or verb is None:
            return [("admin", "", "")]
        bucket = unquote(match["bucket"])
        if match["key"] is None:
            return [("list", bucket, query.get("prefix", ""))] if verb == "get" else [("admin", bucket, "")]
        return [(verb, bucket, unquote(match["key"]))]

    def _upload_needs(self, upload: re.Match[str], query: dict[str, str], request: Request) -> list[Need]:
        bucket, key = unquote(upload["bucket"]), query.get("name") or _name_in(request)
        needs = [("create", bucket, key)]
        if query.get("ifGenerationMatch") != "0" and self._emulator.find(bucket, key) is not None:
            needs.append(("delete", bucket, key))
        return needs

    def _media(self, bucket: str, query: dict[str, str], request: Request) -> Response:
        key, generation = query["name"], query.get("ifGenerationMatch")
        kind = request.header("content-type")
        stored = self._emulator.insert(bucket, key, request.body, kind=kind, generation=generation)
        if not isinstance(stored, Stored):
            return stored
        self._written(stored)
        return json_response(200, _resource(stored))

    def _announce(self, body: bytes) -> None:
        try:
            document: Any = json.loads(body)
        except ValueError:
            return
        resource = document.get("resource", document) if isinstance(document, dict) else {}
        # The response to the start of an upload is an object of generation 0.
        if resource.get("kind") == "storage#object" and int(resource.get("generation", 0)):
            self._written(Stored.parse(resource))


def _name_in(request: Request) -> str:
    """Return the name in an upload's metadata, which is the first JSON object in the body.

    In a body of several parts it is that of the first part: whatever stands before it is no part, and not read.
    """
    boundary = re.search(r'boundary="?([^";]+)', request.header("content-type") or "")
    first = request.body.find(f"--{boundary[1]}".encode()) if boundary else 0
    start = max(request.body.find(b"{", max(first, 0)), 0)
    head = request.body[start : start + LARGEST_METADATA].decode("utf-8", "replace")
    try:
        metadata, _ = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return ""
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""


def _resource(stored: Stored) -> dict[str, str]:
    return {
        "kind": "storage#object",
        "bucket": stored.bucket,
        "name": stored.key,
        "generation": str(stored.generation),
        "size": str(stored.size),
        "etag": stored.etag,
    }


def _error(status: int, message: str) -> Response:
    return json_response(status, {"error": {"code": status, "message": message}})
