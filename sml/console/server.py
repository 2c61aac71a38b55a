"""The HTTP server: on the loopback address alone, a thread for each connection."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from sml.console.guard import HEADERS, Guard
from sml.console.web import NUMBER, NotServed, Reply, Request, form_of

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = Callable[[Request, Guard], Reply]

HOST = "127.0.0.1"
LARGEST = 100_000_000
"""Bytes of a form."""
PATIENCE_SECONDS = 30.0


class Server:
    """Answers requests from its making on, until it is closed."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        """`port` 0 is any that is free. Raise `OSError` where the port is taken."""
        self._http = _Http((HOST, port), _Handler)
        self._http.answer, self._http.guard = answer, Guard(self._http.server_port)
        self.address = self._http.guard.address
        self.address_once = self._http.guard.address_once
        """One that leads to the console once: other users of a machine can see what a browser is started with."""
        self._thread = threading.Thread(target=self._http.serve_forever, name="console", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when the server has ended."""
        self._thread.join()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    answer: Answer
    guard: Guard


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def version_string(self) -> str:
        return "sml"

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the terminal is for what the user is told."""

    def _respond(self) -> None:
        server = cast("_Http", self.server)
        guard = server.guard
        try:
            request = self._head()
            guard.check_host(request)
            reply = guard.enter(request)
            if reply is None:
                guard.admit(request)
                request = self._whole(request)
                guard.check_form(request)
                reply = server.answer(request, guard)
        except NotServed as refused:
            self.close_connection = True
            reply = Reply(status=refused.status, body=f"{refused}\n".encode(), kind="text/plain; charset=utf-8")
        # A browser that went on to another page does not read this one.
        with suppress(ConnectionError, TimeoutError):
            self._send(reply)

    def _head(self) -> Request:
        address = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = parse_qs(address.query, keep_blank_values=True)
        return Request(method=self.command, path=unquote(address.path), query=query, headers=headers)

    def _whole(self, request: Request) -> Request:
        """Return the request with its form. Raise `NotServed` for one that is too large."""
        length = request.headers.get("content-length", "0")
        if not NUMBER.fullmatch(length) or int(length) > LARGEST:
            raise NotServed(413, f"a form has at most {LARGEST // 1_000_000} MB")
        form, files = form_of(request.headers.get("content-type", ""), self.rfile.read(int(length)))
        return replace(request, form=form, files=files)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {**HEADERS, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("content-type", reply.kind)
        self.send_header("content-length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
