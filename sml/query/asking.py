"""A question, asked of the stack's own files: what it would read is told, and bounded, before anything is read."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from functions.core.watching.captured_day import Moved, again
from interface.tables import BY_NAME, CAPTURES, PREDICTIONS
from sml.mistake import Mistake
from sml.query.answers import Answer, Answers
from sml.query.arrow import table_of
from sml.query.captured import captures_of, predictions_of
from sml.query.days import Costs, Drift, Jobs, Truths
from sml.query.engine import Found, Locked
from sml.query.mirror import Mirror
from sml.query.runs import Experiments, Rejections, Runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sml.query.source import Days, Part, Source
    from sml.query.syntax import Needed
    from sml.stack import Stack

READERS = 32
"""Objects that are read at once."""
SOURCES: Mapping[str, type[Source]] = {
    "truths": Truths,
    "runs": Runs,
    "experiments": Experiments,
    "rejections": Rejections,
    "jobs": Jobs,
    "costs": Costs,
    "drift": Drift,
}
CAPTURED = (CAPTURES.name, PREDICTIONS.name)
"""The tables that are made of the files of captures: both of the same ones."""
MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is read for a table."""

    table: str
    objects: int
    bytes: int

    @property
    def said(self) -> str:
        objects = "1 object" if self.objects == 1 else f"{self.objects:,} objects"
        return f"{self.table}: {objects}, {size(self.bytes)}"


@dataclass(kw_only=True)
class Asked:
    """A question with its answer."""

    readings: Sequence[Reading]
    found: Found
    remarks: list[str] = field(default_factory=list)
    """What is to be known of the answer besides, a sentence each."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How questions are asked of a stack."""

    stack: Stack
    models: Sequence[str]
    days: Days
    most_mb: float
    """Megabytes that may be read at most."""
    seconds: float
    """Seconds that the engine may take."""
    tell: Callable[[Sequence[Reading]], None]
    """Is told what would be read, before it is."""

    def ask(self, question: str) -> Asked:
        """Return a question with its answer. Raise `Mistake`."""
        looks = count()
        with tempfile.TemporaryDirectory(prefix="sml-query-") as place:
            try:
                return again(lambda: self._look(question, Path(place) / str(next(looks))))
            except Moved:
                raise Mistake(
                    "the captures are being made into files just now, again and again: ask again in a minute"
                ) from None

    def _look(self, question: str, folder: Path) -> Asked:
        folder.mkdir()
        with closing(Locked(folder)) as engine:
            needed = engine.needed(question)
            sources = {
                name: [self._source(name, model) for model in self.models] for name in needed.tables if name in SOURCES
            }
            wanted = self.models if not set(CAPTURED).isdisjoint(needed.tables) else ()
            mirrors = [self._mirror(model, engine, folder, needed) for model in wanted]
            parts = {name: [part for one in each for part in one.parts()] for name, each in sources.items()}
            if mirrors:
                first = next(name for name in needed.tables if name in CAPTURED)
                parts = {first: [part for one in mirrors for part in one.parts()], **parts}
            readings = [
                Reading(table=name, objects=len(each), bytes=sum(part.size for part in each))
                for name, each in parts.items()
            ]
            self._bound(readings)
            remarks = [self._nothing(name) for name, each in parts.items() if not each and name != "costs"]
            contents = _fetched(part for name, each in parts.items() if name not in CAPTURED for part in each)
            for name, each in sources.items():
                own = {part.key for part in parts[name]}
                known = {key: content for key, content in contents.items() if key in own}
                rows = [row for one in each for row in one.rows(_of_model(known, one.model))]
                engine.fill(name, table_of(rows, BY_NAME[name]))
                remarks += _damaged(name, [key for one in each for key in one.damaged])
            remarks += self._captured(engine, mirrors, needed.tables)
            return Asked(readings=readings, found=engine.ask(question, self.seconds), remarks=remarks)

    def _source(self, name: str, model: str) -> Source:
        return SOURCES[name](stack=self.stack, model=model, days=self.days)

    def _mirror(self, model: str, engine: Locked, folder: Path, needed: Needed) -> Mirror:
        return Mirror(
            stack=self.stack,
            model=model,
            days=self.days,
            answers=Answers(self.stack.registry, model),
            engine=engine,
            folder=folder,
            needed=needed,
        )

    def _bound(self, readings: Sequence[Reading]) -> None:
        """Tell what would be read. Raise `Mistake` where that is too much."""
        total = sum(one.bytes for one in readings)
        self.tell(readings)
        if total > self.most_mb * MB:
            raise Mistake(
                f"the question would read {size(total)}, more than the {self.most_mb:,g} MB that --most allows: ask for"
                f" fewer days (--since) or one model (--model), or raise --most"
            )

    def _nothing(self, name: str) -> str:
        which = " and ".join(CAPTURED) if name in CAPTURED else name
        return f"{which}: nothing from {self.days.first} to {self.days.last}"

    def _captured(self, engine: Locked, mirrors: Sequence[Mirror], needed: Sequence[str]) -> list[str]:
        """Copy the captures, and make their tables; return remarks. Raise `Moved`."""
        if not mirrors:
            return []
        files = [one for mirror in mirrors for one in mirror.copy()]
        schemas = engine.schemas([str(one.path) for one in files])
        select, lacking = captures_of(files, schemas)
        if CAPTURES.name in needed:
            engine.view(CAPTURES.name, select)
        if PREDICTIONS.name in needed:
            known = {mirror.model: mirror.answers for mirror in mirrors}
            answers = {pair: _answer(known[pair[0]], pair[1]) for pair in {(one.model, one.version) for one in files}}
            engine.view(PREDICTIONS.name, predictions_of(files, schemas, answers))
        remarks = _damaged(CAPTURES.name, [key for mirror in mirrors for key in mirror.damaged])
        if lacking:
            older = max(lacking.values())
            which = "1 file is" if older == 1 else f"{older:,} files are"
            remarks.append(f"captures: {which} of an older release, and empty in {', '.join(lacking)}")
        return remarks


def _answer(answers: Answers, version: str) -> Answer:
    try:
        return answers.of(version)
    except (LookupError, TypeError, ValueError):
        return Answer()


def _fetched(parts: Iterable[Part]) -> dict[str, bytes]:
    """Return the contents of objects by key, without those that are gone."""
    wanted = {part.key: part for part in parts}
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(lambda part: part.objects.find(part.key), wanted.values())
        return {key: content for key, content in zip(wanted, found, strict=True) if content is not None}


def _of_model(contents: Mapping[str, bytes], model: str) -> dict[str, bytes]:
    return {key: content for key, content in contents.items() if key.startswith(f"{model}/")}


def _damaged(table: str, keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    which = "1 object is" if len(keys) == 1 else f"{len(keys):,} objects are"
    return [f"{table}: {which} damaged, and not read whole: {keys[0]}"]


def size(number: float) -> str:
    """Return bytes for people."""
    return f"{number / MB:,.1f} MB" if number >= MB / 10 else f"{number / 1000:,.1f} kB"
