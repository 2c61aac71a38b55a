"""Questions in SQL: how long each that has a name takes over a million captures, from the stores to the answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from bench.measure import Spread
from bench.row import Row
from functions.core.registry.capture_index import CaptureDay, CaptureFile, CaptureIndex
from functions.core.storage.objects import Objects, canonical
from functions.core.watching import capture_file
from functions.core.watching.captured_columns import Record, columns_of
from interface import layout
from models.breast_cancer.sample import instances
from models.contract import Contract
from sml.query.asking import Asked, Asking
from sml.query.questions import QUESTIONS, Dialect
from sml.query.source import Days
from sml.stack import Stack

GROUP = "questions"
MODEL, VERSIONS = "breast_cancer", ("0" * 16, "1" * 16)
CAPTURES, A_FILE, AN_OBJECT = 1_000_000, 50_000, 100
DAYS = Days(all=[f"2026-11-{day:02}" for day in range(21, 26)])
MOST_MB = 2_000


@dataclass(kw_only=True)
class Stores:
    """The stores of a stack, in memory."""

    name: str = "bench"
    registry: Objects = field(default_factory=Objects.in_memory)
    captures: Objects = field(default_factory=Objects.in_memory)
    data: Objects = field(default_factory=Objects.in_memory)
    jobs: Objects = field(default_factory=Objects.in_memory)


def rows(workspace: Path, *, rounds: int, quick: bool, say: Callable[[str], None]) -> Iterator[Row]:
    del workspace, quick
    say("a million captures are written")
    stores = Stores()
    size = _fill(stores)
    found: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    read = 0
    for at in range(rounds):
        for name, question in QUESTIONS.items():
            say(f"round {at + 1}: {name}")
            seconds, asked = _timed(stores, question.text(Dialect.DUCKDB, DAYS.first, DAYS.last))
            found[name].append(seconds)
            read = max(read, sum(one.bytes for one in asked.readings))
            if name == "slowest-versions" and sum(row[2] for row in asked.found.rows) != CAPTURES:
                raise RuntimeError(f"{asked.found.rows} are not {CAPTURES} captures")
    slowest = max(found, key=lambda name: sorted(found[name])[rounds // 2])
    about = f"over a million captures, {size / 2**20:.0f} MiB in {CAPTURES // A_FILE} files"
    yield _row(f"the slowest named question, {slowest}, {about}, {read / 2**20:.0f} MiB read", found[slowest])
    say("a column of the rows")
    question = "select day, version, avg(in_mean_radius), avg(out_malignant) from predictions group by day, version"
    timed = [_timed(stores, question) for _ in range(rounds)]
    read = sum(one.bytes for one in timed[0][1].readings)
    name = f"the mean of two columns of rows by day, {about}, {read / 2**20:.0f} MiB read"
    yield _row(name, [seconds for seconds, _ in timed])
    yield from _of_today(rounds, say)


def _of_today(rounds: int, say: Callable[[str], None]) -> Iterator[Row]:
    """Ask about captures that are in no files yet, as the predict function writes them."""
    stores, records = Stores(), _records(VERSIONS[0]) * 2
    stores.registry.put_json(f"{MODEL}/{layout.VERSIONS}{VERSIONS[0]}/card.json", _card())
    written = 0
    for number in range(0, len(records), AN_OBJECT):
        content = b"\n".join(map(canonical, records[number : number + AN_OBJECT]))
        stores.captures.put(f"{MODEL}/{DAYS.last}/{number // AN_OBJECT % 24:02}/{number:06}.jsonl", content)
        written += len(content)
    for table in ("captures", "predictions"):
        say(f"{table} that are in no files yet")
        asked = f"select count(*) from {table}"  # noqa: S608 - the names of tables
        about = f"{len(records):,} captures that are in no files yet, {written / 2**20:.0f} MiB of JSON"
        yield _row(f"the number of {table} of {about}", [_timed(stores, asked)[0] for _ in range(rounds)], target=10)


def _timed(stores: Stores, question: str) -> tuple[float, Asked]:
    began = time.perf_counter()
    asking = Asking(
        stack=cast("Stack", stores), models=[MODEL], days=DAYS, most_mb=MOST_MB, seconds=60, tell=lambda _: None
    )
    asked = asking.ask(question)
    return time.perf_counter() - began, asked


def _row(name: str, seconds: Sequence[float], target: float = 2) -> Row:
    return Row(group=GROUP, name=name, against="", figure=Spread.of(seconds), unit="s", target=target)


def _fill(stores: Stores) -> int:
    """Write the captures as the function that watches does, and return how many bytes they are."""
    card = _card()
    columns = columns_of(card)
    for version in VERSIONS:
        stores.registry.put_json(f"{MODEL}/{layout.VERSIONS}{version}/card.json", card)
    contents = {version: capture_file.written(_records(version), columns) for version in VERSIONS}
    written = 0
    for day in DAYS.all:
        place = CaptureDay(objects=stores.captures, model=MODEL, day=day)
        files = []
        for number in range(CAPTURES // A_FILE // len(DAYS.all)):
            version = VERSIONS[number % 2]
            files.append(CaptureFile(key=place.file_key(version, f"{number:04}"), version=version, requests=A_FILE))
            stores.captures.put(files[-1].key, contents[version])
            written += len(contents[version])
        place.write(CaptureIndex(files=tuple(files)), None)
    return written


def _card() -> dict[str, Any]:
    contract = Contract.load(MODEL)
    return {
        "task": "classification",
        "features": [one.document() for one in contract.features],
        "target": {"classes": list(contract.target.classes)},
        "outputs": {"label": "label", "probabilities": "probabilities"},
    }


def _records(version: str) -> list[Record]:
    """Return the captures of a file: rows like those of the dataset, no two of them alike."""
    rng = np.random.default_rng(int(version[0]))
    names = [feature.name for feature in Contract.load(MODEL).features]
    known = np.array([[row[name] for name in names] for row in instances()[0]])
    inputs = known[rng.integers(len(known), size=A_FILE)] * rng.normal(1, 0.05, (A_FILE, len(names)))
    inputs = inputs.astype(np.float32).astype(np.float64)
    certain, ms = rng.random(A_FILE).round(7), rng.lognormal(-3, 0.5, A_FILE).round(3)
    begin = datetime(2026, 11, 21, tzinfo=UTC).timestamp()
    compared = {"agreed": 1, "champion": {"version": VERSIONS[0], "ms": 0.05}} if version == VERSIONS[1] else {}
    return [
        {
            "time": begin + at * 0.5,
            "request": f"{rng.bytes(12).hex()}",
            "caller": f"{at % 1000:016x}",
            "model": MODEL,
            "version": version,
            "variant": "challenger" if compared else "champion",
            "status": 200,
            "ms": float(ms[at]),
            "rows": 1,
            "answered_by": version,
            **compared,
            "inputs": [inputs[at].tolist()],
            "outputs": [[float(certain[at]), float(1 - certain[at])]],
        }
        for at in range(A_FILE)
    ]
