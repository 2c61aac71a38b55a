"""What a browser asks and gets, as plain data: the server fills and sends it, pages read and make it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import HTTP
from urllib.parse import parse_qs

HTML = "text/html; charset=utf-8"

NUMBER = re.compile(r"[0-9]{1,9}")
"""A number in an address or a header."""


class NotServed(Exception):
    """A request that gets no page. The text is for whoever sent it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that a form brought."""

    name: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)

    def asked(self, name: str, default: str = "") -> str:
        """Return a value of the query; the default where there is none."""
        return next(iter(self.query.get(name, ())), default)

    def given(self, name: str, default: str = "") -> str:
        """Return a value of the form; the default where there is none."""
        return next(iter(self.form.get(name, ())), default)


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int = 200
    body: bytes = b""
    kind: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


def form_of(kind: str, body: bytes) -> tuple[dict[str, list[str]], dict[str, File]]:
    """Return the values and the files of a form's body. Raise `NotServed` for what is no form."""
    if kind.startswith("application/x-www-form-urlencoded") or not body:
        return parse_qs(body.decode(errors="replace"), keep_blank_values=True), {}
    if not kind.startswith("multipart/form-data"):
        raise NotServed(415, "a form is accepted")
    boundary = str(_headers(b"content-type: " + kind.encode()).get_param("boundary", ""))
    if not boundary:
        raise NotServed(400, "the form names no boundary")
    values: dict[str, list[str]] = {}
    files: dict[str, File] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        said = _headers(head.lstrip())
        name, file = said.get_param("name", header="content-disposition"), said.get_filename()
        if file is not None:
            files[str(name)] = File(name=file, content=content)
        else:
            values.setdefault(str(name), []).append(content.decode(errors="replace"))
    return values, files


def _headers(text: bytes) -> Message:
    return BytesHeaderParser(policy=HTTP).parsebytes(text + b"\r\n\r\n")
