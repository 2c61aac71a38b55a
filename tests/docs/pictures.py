"""Pictures of comments: Markdown, drawn by a browser about as GitHub shows it."""

from __future__ import annotations

import hashlib
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
WIDTH: Final = 940
SCALE: Final = 1
TALLEST: Final = 4000
KEY: Final = b"markdown-sha256"
SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
STYLE: Final = """
body {margin: 0; background: #fff; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
 color: #1f2328}
main {margin: 16px; padding: 16px; border: 1px solid #d1d9e0; border-radius: 6px}
p, ul, table, details {margin: 0 0 12px}
ul {padding-left: 2em}
code {font: 85% ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; background: #818b981f;
 padding: .2em .4em; border-radius: 6px; overflow-wrap: anywhere}
table {border-collapse: collapse; display: block; width: max-content; max-width: 100%}
th, td {border: 1px solid #d1d9e0; padding: 6px 13px; text-align: left; vertical-align: top}
tr:nth-child(2n) td {background: #f6f8fa}
sub {font-size: 75%; line-height: 1.4; vertical-align: baseline; color: #59636e; display: block}
"""


def page(markdown: str) -> str:
    """The page that shows a comment."""
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown)
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><main>{body}</main>'


def browser() -> str | None:
    """The browser of this machine, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def draw(markdown: str, target: Path, program: str) -> None:
    """Write a picture of a comment; it says of which text it is one."""
    with tempfile.TemporaryDirectory() as folder:
        source, shot = Path(folder, "page.html"), Path(folder, "shot.png")
        source.write_text(page(markdown), encoding="utf-8")
        common = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]
        height = int(_asked([program, *common, "--dump-dom", _measuring(markdown, folder).as_uri()]))
        size = f"--window-size={WIDTH},{min(height, TALLEST)}"
        _asked(
            [program, *common, f"--force-device-scale-factor={SCALE}", size, f"--screenshot={shot}", source.as_uri()]
        )
        target.write_bytes(_marked(shot.read_bytes(), digest(markdown)))


def drawn_from(picture: bytes) -> str | None:
    """The digest of the text that a picture is one of."""
    position = len(SIGNATURE)
    while position < len(picture):
        (size,) = struct.unpack(">I", picture[position : position + 4])
        kind, data = picture[position + 4 : position + 8], picture[position + 8 : position + 8 + size]
        if kind == b"tEXt" and data.startswith(KEY + b"\0"):
            return data[len(KEY) + 1 :].decode()
        position += size + 12
    return None


def digest(markdown: str) -> str:
    return hashlib.sha256(markdown.encode()).hexdigest()


def _marked(picture: bytes, text: str) -> bytes:
    """The picture with a chunk of text behind its first chunk, which is the header."""
    head = len(SIGNATURE) + 12 + struct.unpack(">I", picture[8:12])[0]
    data = b"tEXt" + KEY + b"\0" + text.encode()
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return picture[:head] + chunk + picture[head:]


def _measuring(markdown: str, folder: str) -> Path:
    """A page that consists of its own height once it is drawn."""
    height = "Math.ceil(document.body.getBoundingClientRect().height) + 32"
    script = f"<script>document.documentElement.textContent = {height}</script>"
    path = Path(folder, "measure.html")
    path.write_text(f"{page(markdown)}<style>body {{width: {WIDTH}px}}</style>{script}", encoding="utf-8")
    return path


def _asked(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return "".join(letter for letter in done.stdout if letter.isdigit())
