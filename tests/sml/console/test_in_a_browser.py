"""The pages in a real browser: its policy lets their own script run, and nothing goes wrong in it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions.core.registry.pointer import Pointer, begin, promote_first
from sml.console.routes import ROUTES
from sml.console.server import Server
from sml.console.site import Site
from sml.console.source import Source
from tests.sml.staged import MODEL, Staged

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOUND = next((path for name in NAMES if (path := shutil.which(name))), None)
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(FOUND is None, reason=f"no browser is installed here: {', '.join(NAMES)}"),
]
PNG = b"\x89PNG"


@pytest.fixture
def address(source: Source, staged: Staged) -> Iterator[str]:
    for name in ("aa01", "bb02"):
        staged.run(name, rows=569)
    pointer = begin(promote_first(Pointer(), "v1", "aa01", 0.0), "v2", "bb02", 10, 60.0)
    staged.registry.put_json(f"{MODEL}/live.json", pointer.document())
    server = Server(Site(source, ROUTES).answer)
    yield server.address
    server.close()


def browse(address: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(FOUND),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=3000",
        *options,
        address,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)


@pytest.mark.parametrize(
    "path", ["/", "/runs", f"/models/{MODEL}", f"/models/{MODEL}/canary", f"/models/{MODEL}/runs/aa01"]
)
def test_the_script_of_a_page_runs_and_complains_of_nothing(path: str, address: str, tmp_path: Path) -> None:
    before, _, key = address.partition("/?")
    seen = browse(f"{before}{path}?{key}", tmp_path, "--dump-dom")
    assert "<main" in seen.stdout
    assert "The key in the address" not in seen.stdout
    assert "CONSOLE" not in seen.stderr, re.findall(r".*CONSOLE.*", seen.stderr)
    if path == "/runs":
        assert seen.stdout.count('<button type="button" class="sort">') == 9


@pytest.mark.parametrize("size", ["1400,900", "500,900"])
def test_a_page_can_be_seen(size: str, address: str, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    browse(address, tmp_path, f"--screenshot={picture}", f"--window-size={size}")
    content = picture.read_bytes()
    assert content.startswith(PNG)
    assert len(content) > 5_000
