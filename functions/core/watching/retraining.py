"""The trainings that are asked for of one model: what came of those before, what there is to learn from, and the next.

A request to train again is an object where datasets arrive: the workflow takes it as it takes a dataset, so it has its
turn, its gate, its canary and its record as every other one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.live_pointer import Live
from functions.core.registry.training_request import BadTrainingRequest, TrainingRequest, folder, tables_of
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Conflict, Unreadable
from functions.core.watching.retraining_decision import LOST, Asked, Decision, Seen, decide
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from functions.core.storage.objects import Objects
    from functions.core.storage.tag import Tag
    from interface.retraining import RetrainingPolicy

KEPT = 50
"""Trainings that are remembered."""
FINISHED = "a finished model is not trained here: deploy another file of it"
UPLOAD = "upload a dataset that has the labelled rows, too"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The labelled rows that there are, and how many of them no training has had."""

    days: Mapping[str, int]
    """How many rows are labelled of each day, the oldest first."""
    rows: int
    """Those of days after the last training."""
    lacks: tuple[str, ...]
    until: str
    """The last day of them, or of those that a training has had; empty where there is none."""


@dataclass(frozen=True, kw_only=True)
class Base:
    """The dataset of the live version."""

    tables: tuple[str, ...] = ()
    """Their keys in the data store."""
    missing: str = ""
    """Why they are not there, a sentence; empty where they are."""
    since: float | None = None
    """When the version's run began, in seconds since 1970; None where nobody knows."""


class Retraining:
    """The trainings of one model that were asked for and may be."""

    def __init__(self, model: str, *, models: Objects, captures: Objects, data: Objects) -> None:
        self._model = model
        self._models = models
        self._captures = captures
        self._data = data
        self._registry = Registry(models, model)
        self._tag: Tag | None = None
        """Of what was read of the past; None where there was nothing."""

    def past(self) -> list[Asked]:
        """Return the trainings that were asked for, in order, with what is known of their runs. Raise `Unreadable`."""
        document, self._tag = self._models.read_json(self._key) or ({}, None)
        past = [Asked(**one) for one in document.get("asked", ())]
        unsettled = {one.source: one for one in past if not one.is_settled}
        known = dict(self._came(unsettled)) if unsettled else {}
        return [replace(one, **known.get(one.source, {})) for one in past]

    def consider(
        self, policy: RetrainingPolicy, causes: Sequence[tuple[str, str]], now: float
    ) -> tuple[Decision, list[Asked]]:
        """Ask for a training where the policy says so. Return what was decided, and those that came to nothing since.

        What is known of the trainings before is stored with it. Raise `Conflict` where somebody else has asked for one
        meanwhile: then none is asked for.
        """
        past = [replace(one, status=LOST) if one.is_lost(now) else one for one in self.past()]
        in_vain = [one for one in past if one.came_to_nothing(now) and not one.told]
        past = [replace(one, told=one.told or one in in_vain) for one in past]
        base, labels = self.base(), self.labels(past)
        if base.missing == FINISHED:
            return Decision(begin=False, cause=None, said=FINISHED), in_vain
        seen = Seen(
            causes=causes,
            rows=labels.rows,
            lacks=labels.lacks if labels.rows else (),
            base=base.missing,
            since=base.since,
        )
        decision = decide(policy, seen, past, now)
        if decision.begin and decision.cause is not None:
            self._ask(decision, base, labels, labels.rows, past, now)
        else:
            self._store(past, decision, now)
        return decision, in_vain

    def ask(self, said: str, past: Sequence[Asked], now: float) -> Asked:
        """Ask for a training on the dataset of the live version and the labelled rows since, as a person may.

        It is remembered with those of the `past`, as they were read. Raise `BadTrainingRequest` where there is no
        dataset, `Conflict` as `consider` does.
        """
        base, labels = self.base(), self.labels(past)
        if base.missing:
            raise BadTrainingRequest(base.missing)
        decision = Decision(begin=True, cause="asked", said=said)
        return self._ask(decision, base, labels, self.unlearnt(base, labels), past, now)

    def unlearnt(self, base: Base, labels: Labels) -> int:
        """Return how many labelled rows the live version has not learnt from: also those of trainings in vain."""
        return sum(rows for day, rows in labels.days.items() if f"{self._labelled(day)}.csv" not in base.tables)

    def _ask(
        self, decision: Decision, base: Base, labels: Labels, rows: int, past: Sequence[Asked], now: float
    ) -> Asked:
        cause = str(decision.cause)
        tables = (*base.tables, *self._copied(tuple(labels.days), base.tables))
        source = f"{folder(self._model)}{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}-{cause}.json"
        asked = Asked(at=now, cause=cause, source=source, until=labels.until, rows=rows)
        # Remembered first: of two who ask at once, one is told, and asks for nothing.
        self._store([*past, asked], decision, now)
        self._data.put_json(source, TrainingRequest(cause=cause, said=decision.said, tables=tables).document())
        return asked

    def decided(self) -> dict[str, Any] | None:
        """Return what was decided last, and at which time; None where nothing ever was. Raise `Unreadable`."""
        return (self._models.find_json(self._key) or {}).get("decided")

    def labels(self, past: Sequence[Asked]) -> Labels:
        """Return what is labelled since the last training: that a training has had its rows, its tables say."""
        since = max((one.until for one in past), default="")
        days, rows, lacks = dict[str, int](), 0, set[str]()
        for day in sorted(self._captures.folders(f"{self._model}/{layout.LABELLED}")):
            joined = self._captures.find_json(f"{self._labelled(day)}/joined.json") or {}
            count = sum(joined.get("labelled", {}).values())
            if count and self._captures.exists(f"{self._labelled(day)}/table.csv"):
                days[day] = count
                rows += count if day > since else 0
                lacks |= {*joined.get("lacks", ())}
        return Labels(days=days, rows=rows, lacks=tuple(sorted(lacks)), until=max([since, *days]))

    def base(self) -> Base:
        """Return the tables that the live version was trained on; or why they are not there any more."""
        champion = Live(self._models, self._model).read().champion
        if champion is None:
            return Base(missing="no version is live, so there is no dataset to add labelled rows to")
        card = self._registry.card(champion) or {}
        match card.get("task"):
            case "finished":
                return Base(missing=FINISHED)
        record = (self._registry.read_run(card["run"]) if "run" in card else None) or {}
        tables, missing = self._tables(champion, record)
        return Base(tables=tables, missing=missing, since=_seconds(card.get("created")))

    def _tables(self, version: str, record: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
        """Return the tables of a version's run, by its record; or why they are not there any more, a sentence."""
        source = record.get("source")
        if not isinstance(source, str):
            return (), f"the dataset of version {version} is not in this stack: {UPLOAD}"
        try:
            tables = tables_of(self._data, self._model, source)
        except (BadTrainingRequest, Unreadable):
            return (), f"{source}, which says what version {version} was trained on, cannot be read: {UPLOAD}"
        for table in tables:
            entry = self._data.entry(table)
            if entry is None:
                return (), f"{table}, which version {version} was trained on, is gone: {UPLOAD}"
            at = entry.modified.isoformat(timespec="microseconds")
            if table == source and record.get("arrived") not in (None, "", at):
                return (), f"{table} was replaced since version {version} was trained on it: {UPLOAD}"
        return tables, ""

    @property
    def _key(self) -> str:
        return f"{self._model}/{layout.RETRAINING}asked.json"

    def _labelled(self, day: str) -> str:
        return f"{self._model}/{layout.LABELLED}{day}"

    def _store(self, past: Sequence[Asked], decision: Decision, now: float) -> None:
        at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        document = {"asked": [asdict(one) for one in past[-KEPT:]], "decided": {"at": at, **asdict(decision)}}
        if self._tag is not None:
            self._models.replace_json(self._key, document, self._tag)
        elif not self._models.create_json(self._key, document):
            raise Conflict(self._key)

    def _copied(self, days: Sequence[str], tables: Sequence[str]) -> Iterator[str]:
        """Copy the labelled rows of some days to where datasets are, as captures are kept for a while only.

        Yield the keys of those that the `tables` do not have.
        """
        for day in days:
            key = f"{self._labelled(day)}.csv"
            if key not in tables:
                self._data.put(key, self._captures.get(f"{self._labelled(day)}/table.csv"))
                yield key

    def _came(self, wanted: Mapping[str, Asked]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what is known of the runs that some requests began, by the key of the request."""
        first = min(one.at for one in wanted.values())
        for entry in self._models.entries(f"{self._model}/{layout.RUNS}".rstrip("/")):
            if not entry.key.endswith("/run.json") or entry.modified.timestamp() < first - 1:
                continue
            record = self._models.find_json(entry.key) or {}
            asked = wanted.get(record.get("source", ""))
            if asked is not None:
                seconds = max(0.0, entry.modified.timestamp() - asked.at)
                yield asked.source, {"status": record.get("status"), "seconds": seconds}


def _seconds(moment: object) -> float | None:
    """Return a time of a card in seconds since 1970; None for what is none."""
    try:
        return datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        return None
