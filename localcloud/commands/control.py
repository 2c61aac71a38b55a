"""Commands for a running stack, sent from another terminal by `sml`.

Only the process of `make up` can reach its queues, some of which live in its memory. So it
listens on a loopback address, and writes the address and a secret to `control.json`, which
only the user who started it can read.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from localcloud.engine.cloud import CloudFailed
from localcloud.support.http_server import HttpServer, Request, Response, json_response

FILE = "control.json"
LIMIT = 100_000
Command = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes the fields of a request and returns those of the response. Raises `CloudFailed` or `LookupError`."""


class Control:
    """Runs commands by name for as long as the `with` block lasts.

    with Control(state / FILE, {"redrive": lambda fields: {"moved": stack.redrive(fields["function"])}}):
        ...
    """

    def __init__(self, path: Path, commands: Mapping[str, Command]) -> None:
        """Write the address and the secret to `path`."""
        self._path = path
        self._commands = commands
        self._secret = secrets.token_urlsafe(32)
        self._server: HttpServer | None = None

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer, limit=LIMIT)
        # Whoever reads it meanwhile finds all of it, or nothing.
        beside = self._path.with_name(f".{self._path.name}.new")
        beside.unlink(missing_ok=True)
        beside.touch(mode=0o600)
        document = {"url": self._server.url, "secret": self._secret}
        beside.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        beside.replace(self._path)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()

    def _answer(self, request: Request) -> Response:
        authorization = request.header("authorization") or ""
        if not secrets.compare_digest(authorization.encode(), f"Bearer {self._secret}".encode()):
            return json_response(403, {"message": "the secret does not match"})
        command = self._commands.get(request.path.strip("/"))
        if request.method != "POST" or command is None:
            return json_response(404, {"message": f"accepted: POST {', '.join(sorted(self._commands))}"})
        try:
            return json_response(200, command(_Fields.of(request.path.strip("/"), json.loads(request.body or b"{}"))))
        except (CloudFailed, LookupError, ValueError, OSError) as problem:
            return json_response(409, {"message": str(problem.args[0] if problem.args else problem)})


class _Fields(dict[str, Any]):
    """The fields of a request. Raises `CloudFailed` when a command reads one that is missing."""

    command = ""

    @classmethod
    def of(cls, command: str, document: object) -> Self:
        """Return the fields of a request's body. Raises `CloudFailed` for one that is no JSON object."""
        if not isinstance(document, dict):
            raise CloudFailed(f"{command}: accepted is a JSON object with the command's fields")
        fields = cls(document)
        fields.command = command
        return fields

    def __missing__(self, name: str) -> Any:
        names = ", ".join(sorted(self)) or "none"
        raise CloudFailed(f"{self.command}: the field {name!r} is missing; given: {names}")
