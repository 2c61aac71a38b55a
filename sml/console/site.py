"""The site: which page answers which address, and what is said where one cannot."""

from __future__ import annotations

import mimetypes
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from jinja2 import ChainableUndefined, Environment, FileSystemLoader

from sml.console import once, words
from sml.console.once import Once
from sml.console.source import Source, sentence
from sml.console.web import HTML, Reply, Request

if TYPE_CHECKING:
    from sml.console.guard import Guard

FOLDER = Path(__file__).resolve().parent
STATIC = {path.name: path for path in (FOLDER / "static").iterdir() if path.suffix in (".css", ".js", ".svg")}


@dataclass(frozen=True, kw_only=True)
class Page:
    """A template and what it is filled with."""

    template: str
    title: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    """The model that the page is about."""
    status: int = 200


View = Callable[..., Page | Reply]
"""Takes the source, the request, and the parts of the address by name."""


class Site:
    """Answers requests with pages over a source."""

    def __init__(self, source: Source, routes: Mapping[tuple[str, str], View]) -> None:
        """`routes` are views by method and path; `{name}` in a path stands for a part of it."""
        self._source = source
        self._routes = [(method, _pattern(path), view) for (method, path), view in routes.items()]
        self._templates = _templates()
        self._once = Once()

    def answer(self, request: Request, guard: Guard) -> Reply:
        """Return the page of a request, or one with the sentence that says why there is none."""
        if request.path.startswith("/static/"):
            return _static(request.path.removeprefix("/static/"))
        if request.method == "POST" and (asked := request.given("once")):
            return self._once.reply((request.path, asked), lambda: self._answered(request, guard))
        return self._answered(request, guard)

    def _answered(self, request: Request, guard: Guard) -> Reply:
        try:
            found = self._view(request)
            return found if isinstance(found, Reply) else self._drawn(found, request, guard)
        except Exception as problem:
            status, text = sentence(problem, self._source.typed)
            if status == 500:
                traceback.print_exception(problem, file=sys.stderr)
            return self._drawn(_problem(text, status), request, guard)

    def _view(self, request: Request) -> Page | Reply:
        methods = set()
        for method, pattern, view in self._routes:
            if (found := pattern.fullmatch(request.path)) is not None:
                if method == request.method:
                    return view(self._source, request, **found.groupdict())
                methods.add(method)
        text = f"{request.path} is asked by {', '.join(methods)}" if methods else f"there is no page {request.path}"
        return _problem(text, 405 if methods else 404)

    def _drawn(self, page: Page, request: Request, guard: Guard) -> Reply:
        again = f"{quote(request.path)}?{urlencode(request.query, doseq=True)}" if request.method == "GET" else "/"
        asked = {"page": page, "request": request, "again": again, "token": guard.token}
        shared = {**asked, "stack": self._known(), "typed": self._source.typed}
        drawn = self._templates.get_template(page.template).render({**shared, **page.facts})
        return Reply(status=page.status, body=drawn.encode(errors="replace"), kind=HTML)

    def _known(self) -> Mapping[str, Any]:
        """Return what the head of every page says of the stack, also of one that is down."""
        try:
            stack = self._source.stack
        except Exception:
            return {}
        return {"name": stack.name, "where": "on this machine" if stack.here else "in an account"}


def _problem(text: str, status: int) -> Page:
    return Page(template="problem.html", title="No page", facts={"sentence": text}, status=status)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _static(name: str) -> Reply:
    if (path := STATIC.get(name)) is None:
        return Reply(status=404, body=b"there is no such file\n", kind="text/plain; charset=utf-8")
    kind = mimetypes.types_map[path.suffix]
    return Reply(body=path.read_bytes(), kind=f"{kind}; charset=utf-8", headers={"cache-control": "max-age=300"})


def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("number", "share", "text", "moment", "ago", "iso", "kind", "short", "size", "document")
    made.filters.update({name: getattr(words, name) for name in names})
    functions: dict[str, Any] = {"url": url, "under_way": words.under_way, "once": once.name}
    made.globals.update(functions)
    return made


def url(*parts: str, **query: Any) -> str:
    """Return the address of a page: its parts, each quoted, and a query of the values that are not empty."""
    path = "/" + "/".join(quote(str(part), safe="") for part in parts)
    asked = urlencode({name: value for name, value in query.items() if value not in (None, "")}, doseq=True)
    return f"{path}?{asked}" if asked else path
