"""A request and a response, as no cloud's gateway spells them, and the bytes that a client sent."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from functions.core.http.problem import Problem
from interface.operations import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.spans import Span

JSON = "application/json"
PROBLEM = "application/problem+json"
BINARY = "application/octet-stream"
_JOBS = 'rows as a file by {"upload": "csv"}, a tensor by {"upload": "npy"}, posted to /v2/models/MODEL/jobs'
"""How what is too large for a request is sent: docs/jobs.md."""


class Request:
    """A request as it came to the gateway."""

    __slots__ = ("body", "caller", "headers", "method", "path", "principal", "query", "request_id", "span")

    def __init__(  # noqa: PLR0913 - as much as a gateway knows
        self,
        *,
        method: str,
        path: str,
        caller: str,
        request_id: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes = b"",
        principal: str | None = None,
        span: Span | None = None,
    ) -> None:
        """Take what a gateway knows of a request.

        `path` begins with a slash, without the gateway's stage, and with the query, if there is one. `caller`
        is who asks, as well as it is known: callers are split between versions by it.
        `headers` are named in lower case. `principal` is who the gateway has checked that asks, None where it checks
        nobody. `span` is that of the request, begun when it came; without one it begins when it is answered.
        """
        self.method = method
        self.path, _, self.query = path.partition("?")
        self.caller = caller
        self.request_id = request_id
        self.headers = headers
        self.body = body
        self.principal = principal
        self.span = span


class Response:
    """A response. Its headers are completed on its way to the gateway."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, *, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: dict[str, str] = dict(headers or {})


_WINDOWS = {"gzip": 31, "deflate": 15}
"""The compressions that are taken, and what zlib calls the form of their data."""
_REPLACED = "\ufffd".encode()
"""What a gateway writes in place of bytes that are not UTF-8, where it takes a body for text."""


def content_of(body: bytes, headers: Mapping[str, str], *, at_most: int = REQUEST_BYTES) -> bytes:
    """Return what a client sent, uncompressed.

    Raise `Problem` 413 for more than `at_most` bytes, of which no more is ever in memory, 400 for what is not
    compressed as it says, 415 for another compression.
    """
    encoding = headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity") and len(body) <= at_most:
        body = _expanded(body, encoding, at_most)
    if len(body) > at_most:
        raise Problem(413, f"the body has more than {at_most} bytes; send fewer rows, or a job: {_JOBS}")
    return body


def unreplaced(text: bytes) -> bytes:
    """Return a text. Raise `Problem` 400 for one with U+FFFD, by which a gateway replaces bytes that are not UTF-8."""
    if _REPLACED in text:
        accepted = f"JSON in UTF-8, with \\ufffd for U+FFFD itself, or content-type: {BINARY} for bytes"
        raise Problem(400, f"the body holds U+FFFD, which stands for bytes that are not UTF-8; accepted: {accepted}")
    return text


def travels_as_text(headers: Mapping[str, str]) -> bool:
    """Return whether a gateway may take the body for text, and so change its bytes.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind.rpartition("/")[2].rpartition("+")[2] in ("json", "xml", "javascript")


def _expanded(body: bytes, encoding: str, at_most: int) -> bytes:
    """Return at most a byte more than `at_most` of a compressed body. Raise `Problem` 400 or 415."""
    import zlib  # noqa: PLC0415 - few clients compress what they send

    accepted = ", ".join(_WINDOWS)
    if encoding not in _WINDOWS:
        detail = f"the body is compressed with something else than {accepted}"
        raise Problem(415, detail, headers={"accept-encoding": accepted})
    reader = zlib.decompressobj(_WINDOWS[encoding])
    try:
        content = reader.decompress(body, at_most + 1)
    except zlib.error:
        hint = f"; a gateway passes compressed bytes on only with content-type: {BINARY}"
        raise Problem(400, f"the body is not {encoding}{hint}") from None
    if len(content) <= at_most and (not reader.eof or reader.unused_data):
        raise Problem(400, f"the body is not one whole stream of {encoding}")
    return content


HEADER = "x-caller-id"
LONGEST_ID = 256


def caller_of(headers: Mapping[str, str], *, principal: str | None, address: str) -> str:
    """Return who a caller says it is, else who was authenticated, else where the request comes from.

    `headers` are named in lower case. The answer tells the three apart and proves nothing: a
    caller may call itself what it likes.
    """
    if name := headers.get(HEADER, "").strip():
        return f"id:{name[:LONGEST_ID]}"
    return f"principal:{principal}" if principal else f"address:{address}"


KEY_HEADER = "x-feedback-key"
LONGEST_KEY = 128
KEY_DIGITS = 32
"""Hexadecimal digits of the pseudonym by which a key is kept."""
ACCEPTED_KEY = f"1 to {LONGEST_KEY} characters of ASCII"


def is_key(text: str) -> bool:
    """Return whether rows can be named by a text. In a header it travels, where other characters are not sure to."""
    return 0 < len(text.strip()) <= LONGEST_KEY and text.isascii() and text.strip().isprintable()


def key_of(headers: Mapping[str, str]) -> str | None:
    """Return the key by which a caller will name the rows of a request; None where it gives none. Raise `Problem` 400.

    `headers` are named in lower case.
    """
    key = headers.get(KEY_HEADER)
    if key is not None and not is_key(key):
        raise Problem(400, f"the X-Feedback-Key does not have {ACCEPTED_KEY}")
    return None if key is None else key.strip()
