"""The table of docs/changes.md: what a change of each setting does."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.changes.difference import Operation, Step
from tests.changes.matrix import CLOUDS, MATRIX, Change, changes, problems
from tests.root import ROOT

PAGE = ROOT / "docs" / "changes.md"
BEGIN, END = "<!-- the matrix -->\n", "<!-- end of the matrix -->\n"
WORDS = {
    Operation.CREATE: "creates",
    Operation.UPDATE: "updates",
    Operation.REPLACE: "replaces",
    Operation.DELETE: "deletes",
    Operation.LEAVE: "leaves",
}


def table() -> str:
    """Return the table, as Markdown."""
    made: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in changes():
        made[change.setting, change.cloud].append(change)
    lines = ["| setting | pairs | on AWS | on GCP | good to know |", "| --- | --- | --- | --- | --- |"]
    for name, setting in MATRIX.items():
        cells = [_done(made[name, cloud]) if made[name, cloud] else "not offered" for cloud in CLOUDS]
        pairs = sum(len(made[name, cloud]) for cloud in CLOUDS)
        lines.append(f"| {name} | {pairs} | {cells[0]} | {cells[1]} | {setting.note} |")
    every = [change for group in made.values() for change in group]
    unclean = [change for change in every if problems(change)]
    exceptions = ", ".join(map(str, unclean)) or "none"
    return "\n".join(
        [*lines, "", f"{len(every)} pairs; clean: {len(every) - len(unclean)}; exceptions: {exceptions}.", ""]
    )


def written(text: str) -> str:
    """Return the page with the table as it is now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}"


def _done(made: Iterable[Change]) -> str:
    kinds: dict[Operation, set[str]] = defaultdict(set)
    for change in made:
        for step in change.difference.steps:
            kinds[step.operation].add(_kind(step))
    return "; ".join(f"{WORDS[one]} {', '.join(sorted(kinds[one]))}" for one in Operation if kinds[one])


def _kind(step: Step) -> str:
    """Return what a type is called, in a few words: `bucket lifecycle configuration`."""
    return " ".join(_words(step.resource.type.rpartition(":")[2].removesuffix("v2"))).lower()


def _words(name: str) -> Iterator[str]:
    return iter(re.findall(r"[A-Z]{2,}(?=[A-Z][a-z])|[A-Z][a-z]+|[A-Z]+", name))
