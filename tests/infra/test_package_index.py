"""The index of a company is heeded as pip and uv heed it, and said without credentials."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pulumi
import pytest

from infra import aws, bundle, dependencies, package_index
from infra.archive import Archive
from infra.package_index import find
from infra.settings import Runtime
from infra.sources import ROOT
from infra.target import target

PLATFORM = target(Runtime(python="host", architecture="host"))
MIRROR = "http://anna:secret@mirror.example/simple"


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return an environment whose home and shared folders hold no file of pip or uv."""
    monkeypatch.setattr(package_index.sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(package_index, "ETC", tmp_path / "etc")
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "XDG_CONFIG_DIRS": str(tmp_path / "shared"), "PATH": os.environ["PATH"]}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def pip_says(text: str = "") -> str:
    return f"[global]\nindex-url = {text or MIRROR}\n"


def test_the_public_index_needs_no_word(alone: dict[str, str], tmp_path: Path) -> None:
    index = find(alone, tmp_path)
    assert (index.hosts, str(index), index.environment) == ((), "", {})


@pytest.mark.parametrize("name", package_index.OF_UV)
def test_what_uv_heeds_is_left_to_it_and_said(name: str, alone: dict[str, str], tmp_path: Path) -> None:
    index = find({**alone, name: MIRROR, "PIP_INDEX_URL": "http://other.example/simple"}, tmp_path)
    assert str(index) == f"packages come from mirror.example ({name})"
    assert index.environment == {}


def test_the_name_of_an_index_is_no_part_of_its_host(alone: dict[str, str], tmp_path: Path) -> None:
    index = find({**alone, "UV_INDEX": f"company={MIRROR} http://second.example/simple"}, tmp_path)
    assert index.hosts == ("mirror.example", "second.example")


def test_a_variable_of_pip_is_told_to_uv(alone: dict[str, str], tmp_path: Path) -> None:
    index = find({**alone, "PIP_INDEX_URL": MIRROR, "PIP_EXTRA_INDEX_URL": "http://second.example/simple"}, tmp_path)
    assert str(index) == "packages come from mirror.example, second.example (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL)"
    assert index.environment == {
        "UV_DEFAULT_INDEX": MIRROR,
        "UV_INDEX": "http://second.example/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


@pytest.mark.parametrize(
    "file",
    ["etc/pip.conf", "shared/pip/pip.conf", "home/.pip/pip.conf", "home/.config/pip/pip.conf", "prefix/pip.conf"],
)
def test_each_file_of_pip_is_heeded(file: str, alone: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / file, pip_says())
    index = find(alone, tmp_path)
    assert index.environment["UV_DEFAULT_INDEX"] == MIRROR
    assert str(index).startswith("packages come from mirror.example (index-url in ")
    assert "secret" not in str(index)


def test_pip_is_heeded_in_its_own_order(alone: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "shared/pip/pip.conf", pip_says("http://shared.example/simple"))
    write(tmp_path / "home/.config/pip/pip.conf", "[install]\nindex_url = http://user.example/simple\n" + pip_says())
    assert find(alone, tmp_path).hosts == ("user.example",)
    write(tmp_path / "prefix/pip.conf", pip_says("http://site.example/simple"))
    assert find(alone, tmp_path).hosts == ("site.example",)
    write(tmp_path / "chosen.conf", pip_says("http://chosen.example/simple"))
    assert find({**alone, "PIP_CONFIG_FILE": str(tmp_path / "chosen.conf")}, tmp_path).hosts == ("chosen.example",)
    assert find({**alone, "PIP_INDEX_URL": MIRROR}, tmp_path).hosts == ("mirror.example",)
    assert find({**alone, "PIP_CONFIG_FILE": os.devnull}, tmp_path).hosts == ()


def test_a_file_that_pip_could_not_read_says_nothing(alone: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "home/.pip/pip.conf", "index-url without a section")
    assert find(alone, tmp_path).hosts == ()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("home/.config/uv/uv.toml", f'index-url = "{MIRROR}"'),
        ("shared/uv/uv.toml", f'[pip]\nindex-url = "{MIRROR}"'),
        ("project/uv.toml", f'[[index]]\nurl = "{MIRROR}"\ndefault = true'),
        ("pyproject.toml", f'[tool.uv]\nextra-index-url = ["{MIRROR}"]'),
    ],
)
def test_a_file_of_uv_comes_before_what_pip_says(file: str, text: str, alone: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / file, text)
    (tmp_path / "project").mkdir(exist_ok=True)
    index = find({**alone, "PIP_INDEX_URL": "http://other.example/simple"}, tmp_path / "project")
    assert (index.hosts, index.environment) == (("mirror.example",), {})
    off = find({**alone, "UV_NO_CONFIG": "1"}, tmp_path / "project")
    assert off.hosts == ()


def test_credentials_are_taken_out_of_what_an_installer_says() -> None:
    said = f"failed to fetch {MIRROR}/tiny/ and https://token@other.example/x, mail a@b"
    plain = "failed to fetch http://mirror.example/simple/tiny/ and https://other.example/x, mail a@b"
    assert package_index.without_credentials(said) == plain


class Index:
    """A simple index on the loopback address that holds one tiny wheel, for who knows the password."""

    def __init__(self, folder: Path) -> None:
        self.wheel = folder / "tiny-1.0-py3-none-any.whl"
        with zipfile.ZipFile(self.wheel, "w") as wheel:
            wheel.writestr("tiny.py", "SIZE = 1\n")
            wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
            wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr("tiny-1.0.dist-info/RECORD", "")
        self.asked: list[str] = []
        handler = functools.partial(_Handler, self)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://anna:secret@{self.address}/simple"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.wheel.read_bytes()).hexdigest()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, index: Index, *args: object) -> None:
        self._index = index
        super().__init__(*args)  # ty: ignore[invalid-argument-type]

    def do_GET(self) -> None:
        self._index.asked.append(self.path)
        known = base64.b64encode(b"anna:secret").decode()
        if self.headers.get("Authorization") != f"Basic {known}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="mirror"')
            self.end_headers()
            return
        if self.path == "/simple/tiny/":
            content = (
                f'<a href="/files/{self._index.wheel.name}#sha256={self._index.digest}">{self._index.wheel.name}</a>'
            )
            self._answer(content.encode(), "text/html")
        elif self.path.startswith("/files/"):
            self._answer(self._index.wheel.read_bytes(), "application/octet-stream")
        else:
            self.send_error(404)

    def _answer(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "index").mkdir()
    served = Index(tmp_path / "index")
    yield served
    served.close()


@pytest.fixture
def cold(alone: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing that another build fetched, and no setting of this machine's."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    for name, value in alone.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "5")


def install(tmp_path: Path, index: Index) -> list[str]:
    lock = tmp_path / "requirements" / "train.txt"
    write(lock, f"tiny==1.0 --hash=sha256:{index.digest}\n# modules: tiny\n")
    found = find(os.environ, ROOT)
    built = dependencies.dependencies(lock, PLATFORM, tmp_path / "cache", print, found)
    with zipfile.ZipFile(built.zip) as packed:
        return packed.namelist()


def by_variable(home: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, url)


def by_file(home: Path, url: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / name, {"pip": pip_says(url), "uv": f'index-url = "{url}"\n'}[name.split("/")[1]])


@pytest.mark.integration
@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize(
    ("how", "name"),
    [
        *((by_variable, name) for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX")),
        (by_variable, "UV_EXTRA_INDEX_URL"),
        *((by_file, name) for name in (".config/pip/pip.conf", ".config/uv/uv.toml")),
    ],
)
def test_packages_are_fetched_from_the_index_that_is_set(
    how: Callable[..., None], name: str, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how(tmp_path / "home", index.url, name, monkeypatch)
    assert "tiny.pyc" in install(tmp_path, index)
    assert "/simple/tiny/" in index.asked
    archive = Archive(path=tmp_path, digest="", size=0, unpacked=0)
    said = bundle.remarks({"train": archive}, aws.CLOUD, PLATFORM)
    assert len(said) == 1
    assert said[0].startswith("packages come from 127.0.0.1 (")
    assert "secret" not in said[0]


@pytest.mark.integration
@pytest.mark.usefixtures("cold")
def test_the_password_may_be_in_netrc(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "home" / ".netrc", "machine 127.0.0.1 login anna password secret\n")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{index.address}/simple")
    assert "tiny.pyc" in install(tmp_path, index)


@pytest.mark.integration
@pytest.mark.usefixtures("cold")
def test_an_index_that_lacks_a_package_is_named_without_its_password(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("/simple", "/elsewhere"))
    with pytest.raises(pulumi.RunError) as refused:
        install(tmp_path, index)
    sentence = str(refused.value)
    assert "functions/requirements/train.txt: cannot be installed for Python" in sentence
    assert "packages come from 127.0.0.1 (PIP_INDEX_URL)" in sentence
    assert "secret" not in sentence
