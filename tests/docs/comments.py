"""The comments that docs/pull-requests.md shows: four changes of one stack, each by what a pull request would run.

`python -m tests.docs.comments` writes them anew, and draws them where this machine has a browser.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from infra.function_spec import reads
from infra.function_table import named
from interface import layout
from localcloud.commands.estimate import priced
from localcloud.commands.preview import show
from localcloud.commands.progress import Progress
from localcloud.engine.stack_file import SETTINGS, StackFile
from sml.review.documents import MADE, SIDES, Review, Side
from sml.review.markdown import comment
from sml.review.rendering import reports
from tests.docs.pictures import browser, draw
from tests.root import ROOT

FOLDER: Final = ROOT / "docs" / "pull-requests"
STACK: Final = "prod"
DAY: Final = date(2026, 11, 30)
"""Whether a tariff is old depends on the day."""
COMMITS: Final = ("3f9a1c27d0", "b84e6650f2")
SETTING: Final[Mapping[str, Mapping[str, Any]]] = {
    "memory": {SETTINGS: {"functions": {"predict": {"memory_mb": 3008}}}},
    "profile": {SETTINGS: {"scaling": {"profile": "latency", "minimum": 2}}},
    "region": {"aws:region": "eu-north-1"},
    "grant": {},
}
"""What the head states otherwise; the grant is a change of the program."""


def comments(folder: Path) -> Iterator[tuple[str, str]]:
    """The name and the Markdown of each comment; the documents that they are made of stay in the folder."""
    base = previewed(folder / "of all", {})
    for name, override in SETTING.items():
        with granted() if name == "grant" else nullcontext():
            previewed(folder / name / SIDES[1], override)
        (folder / name / SIDES[0]).symlink_to(base)
        yield name, rendered(folder / name)


def rendered(folder: Path) -> str:
    """The comment on the documents in a folder, as `python -m sml.review` renders them."""
    made = Side(state=MADE)
    Review(base=COMMITS[0], head=COMMITS[1], notes=(), stacks={STACK: (made, made)}).write(folder)
    (report,) = reports(folder)
    return comment(report)


def previewed(folder: Path, override: Mapping[str, Any]) -> Path:
    """The folder with the documents of a preview."""
    folder.mkdir(parents=True)
    console = Console(file=io.StringIO())
    assert show(Progress(console), StackFile.read(STACK, override=override), folder) == 0
    graph = json.loads((folder / f"graph-{STACK}.json").read_text(encoding="utf-8"))
    estimate = json.dumps(priced(graph, today=DAY))
    (folder / f"estimate-{STACK}.json").write_text(estimate, encoding="utf-8")
    return folder


@contextmanager
def granted() -> Generator[None]:
    """The program as if somebody had written one line more into the table of functions."""
    row = named("predict")
    needs = row.needs
    object.__setattr__(row, "needs", (*needs, reads("data", layout.DATASETS)))
    try:
        yield
    finally:
        object.__setattr__(row, "needs", needs)


def main() -> None:
    """Write every comment, and its picture where there is a browser."""
    program = browser()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, markdown in comments(Path(folder)):
            (FOLDER / f"{name}.md").write_text(markdown, encoding="utf-8")
            if program is not None:
                draw(markdown, FOLDER / f"{name}.png", program)


if __name__ == "__main__":
    main()
