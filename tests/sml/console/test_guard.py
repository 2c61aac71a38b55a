"""Who gets a page: the browser with the key, and no page of another site."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sml.console.routes import ROUTES
from sml.console.server import Server
from sml.console.site import Site
from sml.console.source import Source
from tests.sml.called import called
from tests.sml.staged import MODEL, Staged


class Client:
    """Asks a server, with the headers that a test says."""

    def __init__(self, server: Server) -> None:
        address = urlsplit(server.address)
        self.key, self.host = f"{address.path}?{address.query}", address.netloc
        self.once = f"/?{urlsplit(server.address_once).query}"
        self.cookie = ""

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection(self.host)
        whole = {"host": self.host, "cookie": self.cookie, **headers}
        if body:
            whole["content-type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, {name: value for name, value in whole.items() if value})
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()

    def enter(self) -> str:
        response, _ = self.ask("GET", self.key)
        self.cookie = str(response.headers["set-cookie"]).partition(";")[0]
        return str(response.headers["set-cookie"])


@pytest.fixture
def client(source: Source) -> Iterator[Client]:
    server = Server(Site(source, ROUTES).answer)
    yield Client(server)
    server.close()


def test_the_key_in_the_address_becomes_a_strict_cookie_and_leaves_the_address(client: Client) -> None:
    response, page = client.ask("GET", client.key)
    led = page.partition("url=")[2].partition('"')[0]
    assert (response.status, led) == (200, "/")
    assert client.enter().endswith("; Path=/; HttpOnly; SameSite=Strict")
    response, page = client.ask("GET", "/")
    assert response.status == 200
    assert client.key.partition("=")[2] not in page


def test_the_page_that_it_leads_to_adds_no_header_and_no_mark(client: Client) -> None:
    response, page = client.ask("GET", f"/a%22%3E%0d%0ax-evil:%201{client.key.removeprefix('/')}")
    assert (response.status, response.headers["x-evil"]) == (200, None)
    assert 'href="/a%22%3E%0D%0Ax-evil%3A%201"' in page


def test_the_address_that_a_browser_is_started_with_leads_there_once(client: Client) -> None:
    assert client.once != client.key
    assert client.ask("GET", client.once)[0].status == 200
    assert client.ask("GET", client.once)[0].status == 403
    assert client.ask("GET", "/?key=")[0].status == 403


def test_without_the_cookie_there_is_no_page_nor_file(client: Client) -> None:
    for path in ("/", "/runs", "/static/console.css", f"/models/{MODEL}/ask/promote"):
        response, said = client.ask("GET", path)
        assert (response.status, said) == (403, "open the console by the address that `sml console` printed\n")
    client.cookie = "sml-console-1=x; \x01=\x02"
    assert client.ask("GET", "/")[0].status == 403
    assert client.ask("GET", "/?key=another")[0].status == 403


def test_another_host_is_refused_also_with_the_key(client: Client) -> None:
    client.enter()
    for host in ("evil.example", f"evil.example:{client.host.partition(':')[2]}", "127.0.0.1"):
        assert client.ask("GET", "/", host=host)[0].status == 403
        assert client.ask("GET", client.key, host=host)[0].status == 403


def token(page: str) -> str:
    return page.partition('name="csrf" value="')[2].partition('"')[0]


def test_a_form_needs_the_token_and_the_same_origin(client: Client, staged: Staged) -> None:
    staged.data.put(f"{MODEL}/incoming/a.csv", b"x")
    client.enter()
    path, origin = f"/models/{MODEL}/do/retrain", f"http://{client.host}"
    known = token(client.ask("GET", f"/models/{MODEL}/ask/retrain")[1])
    for body, headers in (
        (f"csrf={known}", {}),
        (f"csrf={known}", {"origin": "http://evil.example"}),
        (f"csrf={known}", {"origin": "null"}),
        ("csrf=x", {"origin": origin}),
        ("x=y", {"origin": origin}),
    ):
        assert client.ask("POST", path, body, **headers)[0].status == 403
    assert staged.started == []
    response, _ = client.ask("POST", path, f"csrf={known}", origin=origin)
    assert (response.status, staged.started) == (200, [{"model": MODEL}])


def test_what_is_no_form_or_too_large_is_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.enter()
    origin = f"http://{client.host}"
    kind = {"content-type": "application/json"}
    assert client.ask("POST", "/", "", origin=origin, **kind, **{"content-length": "x"})[0].status == 413
    monkeypatch.setattr("sml.console.server.LARGEST", 3)
    assert client.ask("POST", "/", "csrf=x", origin=origin)[0].status == 413


def test_a_browser_is_told_to_fetch_nothing_from_elsewhere(client: Client) -> None:
    client.enter()
    response, page = client.ask("GET", "/")
    policy = str(response.headers["content-security-policy"])
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["cache-control"] == "no-store"
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert " style=" not in page
    assert " on" not in {part[:3] for part in page.split('"')}


def test_no_file_of_another_folder_is_served(client: Client) -> None:
    client.enter()
    for path in ("/static/../site.py", "/static/%2e%2e/site.py", "/static/NOTICE.md", "/static/"):
        assert client.ask("GET", path)[0].status == 404
    assert client.ask("GET", "/static/htmx.min.js")[0].status == 200


def test_the_command_prints_the_address_and_says_when_a_port_is_taken(
    staged: Staged, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sml.console.server.Server.wait", lambda _: None)
    assert "http://127.0.0.1:" in staged.sml("console", "--no-browser").out
    assert staged.sml("console", "--no-browser", "--json").document["address"].startswith("http://127.0.0.1:")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert staged.sml("console").code == 0
    assert len(opened) == 1
    said = staged.sml("console", "--no-browser", "--port", client.host.partition(":")[2])
    assert (said.code, "cannot be used" in said.err) == (1, True)


def test_without_a_stack_the_command_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    said = called("console", "--no-browser", state=tmp_path_factory.mktemp("none"))
    assert (said.code, "no stack is up here" in said.err) == (3, True)
