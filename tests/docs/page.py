"""The pages of the project, and what stands on them: fenced blocks, tables, inline code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.root import ROOT

PAGES: Final = tuple(
    sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md")])
)
MARK: Final = re.compile(r"<!-- not run: (.+) -->\s*")
"""In the line before a block: why nothing runs it."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: where it begins, its language, its text, and why it is not run if it says so."""

    page: str
    line: int
    language: str
    text: str
    not_run: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(path: Path) -> Iterator[Block]:
    """Every fenced block of a page, in order."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start: int | None = None
    for number, line in enumerate(lines):
        if not line.startswith("```"):
            continue
        if start is None:
            start = number
            continue
        mark = MARK.fullmatch(lines[start - 1]) if start else None
        yield Block(
            page=name_of(path),
            line=start + 1,
            language=lines[start].removeprefix("```").strip(),
            text="\n".join(lines[start + 1 : number]) + "\n",
            not_run=mark[1] if mark else None,
        )
        start = None


def every_block(*languages: str) -> list[Block]:
    """The blocks of all pages in one of the languages; of every language if none is named."""
    return [block for page in PAGES for block in blocks(page) if not languages or block.language in languages]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the table whose first column is headed so, without its heading."""
    found: list[list[str]] = []
    within = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("|") else []
        if cells and cells[0] == heading:
            within = True
        elif within and not cells:
            break
        elif within and not set(line) <= set("| -:"):
            found.append(cells)
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
