"""A browser without a window: it asks the site in this process, and sends what its forms would send."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from sml.console.guard import Guard
from sml.console.site import Site
from sml.console.web import File, Reply, Request


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a page shows."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def html(self) -> str:
        return self.reply.body.decode()

    @property
    def text(self) -> str:
        """The words of the page, as they are read, without its head."""
        inner = self.html.partition("<main")[2] or self.html
        bare = re.sub(r"<(script|style).*?</\1>", " ", inner, flags=re.DOTALL)
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", bare)).split())


class Browser:
    """Asks one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._guard = Guard(1)

    def get(self, address: str) -> Shown:
        parts = urlsplit(address)
        query = parse_qs(parts.query, keep_blank_values=True)
        request = Request(method="GET", path=unquote(parts.path), query=query)
        return Shown(reply=self._site.answer(request, self._guard))

    def post(self, path: str, values: dict[str, str] | None = None, file: File | None = None) -> Shown:
        form: dict[str, Sequence[str]] = {name: [value] for name, value in (values or {}).items()}
        files = {} if file is None else {"file": file}
        request = Request(method="POST", path=path, form=form, files=files)
        return Shown(reply=self._site.answer(request, self._guard))
