"""Rollout metrics: how a challenger did among real callers, read from the captures."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from functions.core.registry.captures import folder, written_at
from functions.core.release.units import settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from functions.core.release.outcomes import Outcomes
    from functions.core.release.units import Written
    from functions.core.storage.objects import Objects
    from models.section import RolloutThresholds

MOST_OBJECTS = 1_000
"""The most objects that are read; of more, so many, evenly spread over the time."""
ASKED = frozenset({"challenger", "shadow"})
"""Variants of the requests that the challenger was asked about."""
_READERS = 16


@dataclass(frozen=True, kw_only=True)
class RolloutMetrics:
    """One step of a release, in numbers. None: no request to measure it on."""

    requests: int
    """Requests that the challenger was asked about, as canary or as shadow."""
    errors: int
    """How many of these the challenger failed on, refused though the champion did not, or was not loaded for."""
    agreement: float | None
    """Mean share of a request's rows to which champion and challenger give the same label."""
    challenger_ms: float | None
    champion_ms: float | None
    """Medians over the requests that both were asked."""
    share_read: float = 1.0
    """The share of the captured objects that was read."""
    callers: int = 0
    """How many callers these requests came from."""

    @property
    def error_rate(self) -> float:
        return self.errors / self.requests if self.requests else 0.0

    @property
    def latency_ratio(self) -> float | None:
        if self.challenger_ms is None or not self.champion_ms:
            return None
        return self.challenger_ms / self.champion_ms

    def document(self) -> dict[str, Any]:
        return asdict(self) | {"error_rate": self.error_rate, "latency_ratio": self.latency_ratio}


def observe(objects: Objects, model: str, version: str, since: float, now: float) -> RolloutMetrics:
    """Measure the challenger `version` from `since` to `now`, both in seconds since the epoch."""
    read, share = written_between(objects, model, version, (since, since, now))
    return _weigh([record for _, record in read], share_read=share)


def among(records: Iterable[dict[str, Any]], version: str, since: float, share_read: float) -> RolloutMetrics:
    """Measure the challenger `version` from `since` on by captures of any kind that were read already."""
    own = [one for one in records if _is_of(one, version) and one.get("time", 0.0) >= since]
    return _weigh(own, share_read=share_read)


def look(
    objects: Objects, model: str, version: str, since: float, now: float, counted: Outcomes, rules: RolloutThresholds
) -> tuple[RolloutMetrics, Outcomes]:
    """Measure a step that began at `since`, and add to the outcomes of the whole release those that are new.

    Both are of what was written until the same moment: a step has not seen what is yet to be counted.
    Of very many objects a part is read, chosen by their places in time and never by what they hold. An
    outcome that was counted stays counted, so whatever a look leaves out, later looks are as sure as they say.
    """
    read, share = written_between(objects, model, version, (min(since, counted.until), counted.since, now))
    until = settled(now, rules)
    of_step = [record for at, record in read if at < until and record["time"] >= since]
    return _weigh(of_step, share_read=share), counted.with_these(read, until, rules)


def written_between(
    objects: Objects, model: str, version: str, span: tuple[float, float, float], until: float = math.inf
) -> tuple[list[Written], float]:
    """Return what was captured of a challenger, and the share of the objects that was read.

    `span` is from when objects are read, from when their records count, and until when; `until` before when objects
    were written. Of very many an even share is read, by their places in time.
    """
    written_from, since, now = span
    listed = (key for hour in _hours(written_from, min(now, until)) for key in objects.keys(folder(model, hour)))
    written = ((written_at(key), key) for key in listed)
    keys = sorted((at, key) for at, key in written if at is not None and int(written_from) <= at < until)
    stride = -(-len(keys) // MOST_OBJECTS) if keys else 1
    chosen = keys[::stride]

    def read(place: tuple[int, str]) -> list[Written]:
        at, key = place
        return [
            (at, record)
            for record in _records(objects.find(key) or b"")
            if _is_of(record, version)
            if since <= record.get("time", 0.0) <= now
        ]

    with ThreadPoolExecutor(_READERS) as pool:
        records = [record for of_one_object in pool.map(read, chosen) for record in of_one_object]
    return records, len(chosen) / len(keys) if keys else 1.0


def _is_of(record: dict[str, Any], version: str) -> bool:
    return record.get("variant") in ASKED and record.get("version") == version


def _weigh(records: list[dict[str, Any]], *, share_read: float) -> RolloutMetrics:
    answered = [record for record in records if not record.get("error")]
    compared = [record for record in answered if record.get("champion")]
    return RolloutMetrics(
        requests=len(records),
        errors=len(records) - len(answered),
        agreement=fmean(record["agreed"] / record["rows"] for record in compared) if compared else None,
        challenger_ms=median(record["ms"] for record in compared) if compared else None,
        champion_ms=median(record["champion"]["ms"] for record in compared) if compared else None,
        share_read=share_read,
        callers=len({record["caller"] for record in records if record.get("caller")}),
    )


def _hours(since: float, now: float) -> Iterator[float]:
    at = since - since % 3600
    while at <= now:
        yield at
        at += 3600


def _records(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue  # an object cut off in the writing proves nothing for or against a challenger
        if isinstance(record, dict):
            yield record
