from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.core.storage.objects import Objects
from sml.console.routes import ROUTES
from sml.console.site import Site
from sml.console.source import Source
from sml.mistake import Mistake
from sml.stack import find_stack
from sml.typed import Typed
from tests.sml.console.browser import Browser
from tests.sml.staged import Staged


@pytest.fixture
def source(staged: Staged) -> Iterator[Source]:
    """Over the staged stack, with a store of captures."""
    staged.stores["s3://captures-1"] = Objects.in_memory()
    staged.resources = [{"type": "aws:s3/bucket:Bucket", "name": "captures-bucket", "id": "captures-1"}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SML_CALLER", "somebody")
        patch.setenv("SML_STATE", str(staged.state))
        yield Source(lambda: find_stack(state=staged.state), Typed(state=staged.state))


@pytest.fixture
def browser(source: Source) -> Browser:
    return Browser(Site(source, ROUTES))


@dataclass
class Clients:
    """What the stack's API answers, by method and the end of the URL, and what it was asked."""

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def send(self, method: str, url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append((method, url, body))
        for (known, end), answer in self.answers.items():
            if known == method and url.endswith(end):
                if isinstance(answer, Mistake):
                    raise answer
                return 200, {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        raise Mistake(f"404: nothing is at {url}")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Clients:
    clients = Clients()

    def send(
        _: object, method: str, url: str, body: bytes = b"", headers: object = None, *, signed: bool = True
    ) -> tuple[int, Mapping[str, str], bytes]:
        del headers, signed
        return clients.send(method, url, body)

    monkeypatch.setattr("sml.api.Api.send", send)
    return clients
