"""Who may use the console: the browser that was given its address, and no page of another site."""

from __future__ import annotations

import secrets
from html import escape
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from sml.console.web import NotServed, Reply, Request

SECRET = "key"  # noqa: S105 - the name of a value, as is the next
"""The name of the secret in the address."""
TOKEN = "csrf"  # noqa: S105
"""The field of a form with the token that only the console's own pages know."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LEADING = """<!doctype html>
<html lang="en"><title>sml console</title>
<link rel="icon" href="/static/icon.svg">
<meta http-equiv="refresh" content="0; url={on}">
<a href="{on}">Go on</a>
"""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Without an origin a form of the console could not be told from one of elsewhere.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""What goes with every reply that does not say otherwise."""


class Guard:
    """Knows one console's secrets."""

    def __init__(self, port: int) -> None:
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        # Cookies are those of a host, whatever the port.
        self._cookie = f"sml-console-{port}"
        self._key, self._once, self._session, self.token = (secrets.token_urlsafe(32) for _ in range(4))
        self.address, self.address_once = (
            f"http://{self._hosts[0]}/?{SECRET}={one}" for one in (self._key, self._once)
        )

    def check_host(self, request: Request) -> None:
        """Raise `NotServed` for a name that somebody else's server may have led here."""
        if request.headers.get("host") not in self._hosts:
            raise NotServed(403, f"the console answers at {self._hosts[0]} alone")

    def enter(self, request: Request) -> Reply | None:
        """Return the reply to an address with the secret: a cookie, and the address without it; else None.

        The page leads there, and no redirect: a browser that came from another site, such as a terminal in a browser,
        would not show a strict cookie after one.
        """
        given = request.asked(SECRET)
        if request.method != "GET" or not given:
            return None
        if self._once and _same(given, self._once):
            self._once = ""
        elif not _same(given, self._key):
            raise NotServed(403, "the key in the address is not this console's: use the address that it printed")
        cookie = f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"
        page = LEADING.format(on=escape(quote(request.path)))
        return Reply(body=page.encode(), headers={"set-cookie": cookie})

    def admit(self, request: Request) -> None:
        """Raise `NotServed` where the cookie is missing, or a form comes from elsewhere; before its body is read."""
        if not _same(self._given(request), self._session):
            raise NotServed(403, "open the console by the address that `sml console` printed")
        if request.method == "POST" and request.headers.get("origin") not in {f"http://{one}" for one in self._hosts}:
            raise NotServed(403, "a form of another site is not accepted")

    def check_form(self, request: Request) -> None:
        """Raise `NotServed` for a form that is not one of this console's own pages."""
        if request.method == "POST" and not _same(request.given(TOKEN), self.token):
            raise NotServed(403, "the form is not one of this console: load its page again")

    def _given(self, request: Request) -> str:
        try:
            found = SimpleCookie(request.headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value


def _same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode(errors="replace"), known.encode())
