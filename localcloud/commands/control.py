"""What a stack that is up can be asked to do from another terminal.

`make up` holds the clouds' clients and is alone in knowing its queues, some of which live in
its own process. So it offers a loopback address, and writes it and a secret beside the
outputs, where only the user that started it can read them.
"""

from __future__ import annotations

import http.client
import json
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from localcloud.engine.cloud import CloudFailed
from localcloud.support.http_server import HttpServer, Request, Response, json_response

FILE = "control.json"
LIMIT = 100_000
PATIENCE_SECONDS = 600
Order = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes the fields of an order, answers with what came of it; raises `CloudFailed` or `LookupError` with the reason."""


class Control:
    """`with Control(state / FILE, {"redrive": ...}): ...` takes orders for as long as the block lasts."""

    def __init__(self, place: Path, orders: Mapping[str, Order], **facts: str | None) -> None:
        """`facts` are written beside the address, for whoever reads the file."""
        self._place = place
        self._orders = orders
        self._facts = facts
        self._secret = secrets.token_urlsafe(32)
        self._server: HttpServer | None = None

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer, limit=LIMIT)
        self._place.unlink(missing_ok=True)
        self._place.touch(mode=0o600)
        found = {"url": self._server.url, "secret": self._secret, **self._facts}
        self._place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._place.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()

    def _answer(self, request: Request) -> Response:
        given = request.header("authorization") or ""
        if not secrets.compare_digest(given.encode(), f"Bearer {self._secret}".encode()):
            return json_response(403, {"message": "the secret is another"})
        order = self._orders.get(request.path.strip("/"))
        if request.method != "POST" or order is None:
            return json_response(404, {"message": f"accepted: POST {', '.join(sorted(self._orders))}"})
        try:
            return json_response(200, order(_Fields.of(request.path.strip("/"), json.loads(request.body or b"{}"))))
        except (CloudFailed, LookupError, ValueError, OSError) as problem:
            return json_response(409, {"message": str(problem.args[0] if problem.args else problem)})


class _Fields(dict[str, Any]):
    """The fields of an order. Raises `CloudFailed` for one that it needs and was not given."""

    order = ""

    @classmethod
    def of(cls, order: str, given: object) -> Self:
        if not isinstance(given, dict):
            raise CloudFailed(f"{order}: accepted is a JSON object with the order's fields")
        found = cls(given)
        found.order = order
        return found

    def __missing__(self, name: str) -> Any:
        given = ", ".join(sorted(self)) or "none"
        raise CloudFailed(f"{self.order}: the field {name!r} is missing; given: {given}")


def ask(place: Path, order: str, **fields: Any) -> dict[str, Any]:
    """Give an order to the stack that wrote `place`. Raises `CloudFailed` when none is up, or with its refusal."""
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        connection = http.client.HTTPConnection(urlsplit(found["url"]).netloc, timeout=PATIENCE_SECONDS)
        headers = {"authorization": f"Bearer {found['secret']}", "content-type": "application/json"}
        connection.request("POST", f"/{order}", json.dumps(fields), headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
    except (FileNotFoundError, ConnectionError):
        raise CloudFailed(f"no stack is up here ({place} leads nowhere); start one with `make up`") from None
    if response.status != 200:
        raise CloudFailed(answer["message"])
    return answer
