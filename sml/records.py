"""What the registry of a stack says of one model: its runs, versions and live pointer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from functions.core.registry.executions import Executions
from functions.core.registry.live_pointer import Live, UnreadablePointer
from functions.core.registry.runs import Status
from functions.core.storage.objects import Missing
from interface import layout
from models.readable import readable
from sml import sentences
from sml.mistake import Mistake
from sml.typed import Typed
from sml.whole import CARD, DAMAGED, EXPERIMENT, ORIGIN, RUN, damage, rows_of, whole

if TYPE_CHECKING:
    from functions.core.registry.pointer import Pointer
    from functions.core.storage.objects import Objects

READERS = 32
"""Objects that are read at once: a store answers one in tens of milliseconds, and a list reads hundreds."""
Record = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R")


class Records:
    """The records of one model."""

    def __init__(self, objects: Objects, model: str, typed: Typed | None = None) -> None:
        """`typed` writes a command for the stack that has these records."""
        self._objects = objects
        self.model = model
        self.typed = typed or Typed()

    # Runs ----------------------------------------------------------------------------------

    def run_ids(self) -> list[str]:
        """Return the id of every run, in no order that means anything."""
        return self._objects.folders(f"{self.model}/{layout.RUNS}")

    def runs(self) -> list[Record]:
        """Return the record of every run, the newest first."""
        ids = self.run_ids()
        found = self._each(f"{self.model}/{layout.RUNS}{run}/run.json" for run in ids)
        records = [self._whole(run, record) for run, record in zip(ids, found, strict=True) if record is not None]
        return sorted(records, key=lambda record: str(record.get("created")), reverse=True)

    def scheduled(self) -> list[Record]:
        """Return what is known of the executions that wait for their slot: as records, of runs that have no id yet."""
        at_once = f"`{self.typed('retrain', self.model)}` begins at once"
        keys = [entry.key for entry in Executions(self._objects, self.model).open()]
        notes = (note for note in self._read(keys) if note.get("status") == Status.SCHEDULED)
        return [
            {**note, "run": "", "model": self.model, "cause": f"{sentences.scheduled(note['schedule'])}; {at_once}"}
            for note in notes
            if isinstance(note.get("schedule"), dict) and "run" not in note
        ]

    def last_run(self) -> Record | None:
        """Return the record of the run that changed last, by a list alone: without reading all others."""
        entries = self._objects.entries(f"{self.model}/{layout.RUNS}")
        records = (entry for entry in entries if entry.key.endswith("/run.json"))
        last = max(records, key=lambda entry: entry.modified, default=None)
        return None if last is None else self._object(last.key)

    def run(self, beginning: str) -> Record:
        """Return the record of the run whose id begins so. Raise `Mistake` where none or several do."""
        found = [run for run in self.run_ids() if run.startswith(beginning)]
        if len(found) != 1 or not beginning:
            raise Mistake(self._which("run", beginning, found))
        record = next(self._read([f"{self.model}/{layout.RUNS}{found[0]}/run.json"]), None)
        if record is None:
            return {"run": found[0], "model": self.model, "status": "training"}
        return self._whole(found[0], record)

    def find_run(self, run: str) -> Record:
        """Return the record of a run; empty where it has none yet."""
        return next(self._read([f"{self.model}/{layout.RUNS}{run}/run.json"]), {})

    def leaderboard(self, run: str) -> list[Record]:
        """Return the experiments of a run, the best first; of a run under way those that are done, in any order."""
        found = self._object(f"{self.model}/{layout.RUNS}{run}/leaderboard.json")
        ranked = found.get("experiments") if found else None
        if isinstance(ranked, list) and all(isinstance(one, dict) and "id" in one for one in ranked):
            return [whole(one, EXPERIMENT) for one in ranked]
        keys = self._objects.keys(f"{self.model}/{layout.RUNS}{run}/experiments/")
        read = self._read(key for key in keys if key.endswith(".json"))
        return [_summary(record) for record in read if "id" in record]

    def planned(self, run: str) -> int:
        """Return how many experiments a run has."""
        found = (self._object(f"{self.model}/{layout.RUNS}{run}/plan.json") or {}).get("experiments")
        return len(found) if isinstance(found, list) else 0

    def report(self, run: Record) -> bytes:
        """Return a run's report, a page of HTML. Raise `Mistake` where it has none."""
        places = [f"{self.model}/{layout.RUNS}{run['run']}/report.html"]
        if run.get("version"):
            places.insert(0, f"{self.model}/{layout.VERSIONS}{run['version']}/report.html")
        for key in places:
            if (found := self._objects.find(key)) is not None:
                return found
        raise Mistake(f"run {run['run']} is {run.get('status')} and has no report: a run has one once it has a version")

    # Versions ------------------------------------------------------------------------------

    def versions(self) -> list[Record]:
        """Return the card of every version, the newest first."""
        names = self._objects.folders(f"{self.model}/{layout.VERSIONS}")
        found = self._each(f"{self.model}/{layout.VERSIONS}{name}/card.json" for name in names)
        cards = [
            whole(card, CARD) if card.get("version") == name else {"version": name, "run": "", DAMAGED: ["card"]}
            for name, card in zip(names, found, strict=True)
            if card is not None
        ]
        known = set(self.run_ids()) if cards else set()
        foreign = [card for card in cards if card.get("run") not in known]
        origins = self._each(self._origin(card["version"]) for card in foreign)
        for card, origin in zip(foreign, origins, strict=True):
            if origin is not None:
                card["origin"] = whole(origin, ORIGIN)
        return sorted(cards, key=lambda card: str(card.get("created")), reverse=True)

    def _origin(self, version: str) -> str:
        return f"{self.model}/{layout.VERSIONS}{version}/{layout.ORIGIN}"

    def version(self, beginning: str) -> Record:
        """Return the card of the version whose name begins so. Raise `Mistake` where none or several do."""
        names = self._objects.folders(f"{self.model}/{layout.VERSIONS}")
        found = [name for name in names if name.startswith(beginning)]
        if len(found) != 1 or not beginning:
            raise Mistake(self._which("version", beginning, found))
        card = self._object(f"{self.model}/{layout.VERSIONS}{found[0]}/card.json")
        if card is None or card.get("version") != found[0]:
            verify = self.typed("registry", "verify")
            raise Mistake(f"version {found[0]} of {self.model} has no card: `{verify}` says what is damaged")
        origin = self._object(self._origin(found[0]))
        return whole(card, CARD) | ({} if origin is None else {"origin": whole(origin, ORIGIN)})

    def golden(self, version: str) -> Record:
        """Return what a version must answer each time it is opened: rows, or the cases of a finished model."""
        return self._object(f"{self.model}/{layout.VERSIONS}{version}/golden.json") or {}

    def examples(self, version: str) -> list[list[float]]:
        """Return rows that a version was tried with, as its model takes them; none for a finished model.

        None are returned where they are damaged, too.
        """
        return rows_of(self.golden(version)) or []

    def live(self) -> Pointer:
        """Return the live pointer; an empty one before the first version. Raise `Mistake` where it is damaged."""
        try:
            return Live(self._objects, self.model).read()
        except UnreadablePointer as damaged:
            raise Mistake(str(damaged)) from None

    def _whole(self, run: str, record: Record) -> Record:
        """Return what is whole of the record of a run; for one that says nothing of it, that it is damaged."""
        verify = self.typed("registry", "verify")
        if record.get("run") != run or not isinstance(record.get("status"), str):
            cause = f"its record is not one: `{verify}`"
            return {"run": run, "model": self.model, "status": "damaged", "cause": cause}
        found = whole(record, RUN)
        return {**found, "status": "damaged", "cause": damage(found, verify)} if DAMAGED in found else found

    def _which(self, kind: str, beginning: str, found: list[str]) -> str:
        """Say that no run or version begins so, or several do."""
        if not found:
            return f"{self.model} has no {kind} {beginning}: `{self.typed(f'{kind}s', self.model)}` lists them"
        return f"{self.model} has {len(found)} {kind}s that begin with {beginning}: {', '.join(sorted(found)[:5])}"

    # Reading -------------------------------------------------------------------------------

    def _object(self, key: str) -> Record | None:
        return next(self._read([key]), None)

    def _read(self, keys: Iterable[str]) -> Iterator[Record]:
        """Yield the JSON objects under these keys; what is not there, or no JSON object, is passed over."""
        return (record for record in self._each(keys) if record is not None)

    def _each(self, keys: Iterable[str]) -> Iterator[Record | None]:
        """Return the JSON object under each of these keys; None for what is not there, or no JSON object."""

        def one(key: str) -> Record | None:
            try:
                record = json.loads(self._objects.get(key))
            except (Missing, ValueError, RecursionError):
                return None
            return record if isinstance(record, dict) else None

        return iter(at_once(one, keys))


def at_once(read: Callable[[T], R], places: Iterable[T]) -> list[R]:
    """Return what is read at each place, in their order, many of them at a time. Raise what reading raises."""
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(read, places))


def reason(record: Mapping[str, Any]) -> str:
    """Return why a run is what it is, in a sentence; empty where there is nothing to say."""
    if record.get("cause"):
        return " ".join(str(record["cause"]).split())
    failed = [check for check in record.get("checks", ()) if not check["passed"]]
    if failed and record.get("status") == "refused":
        return "; ".join(said(check) for check in failed)
    return " ".join(str((record.get("rollout") or {}).get("reason") or "").split())


def said(check: Mapping[str, Any]) -> str:
    """Return what a check of the gate compared, in words."""
    compared = ", ".join(
        f"{name} {readable(check[key])}"
        for key, name in (("value", "found"), ("bound", "asked"))
        if _is_number(check[key])
    )
    detail = f" ({check['detail']})" if check.get("detail") else ""
    return f"{check['name']}: {compared or ('passed' if check['passed'] else 'not passed')}{detail}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _summary(record: Record) -> Record:
    metrics = record.get("metrics")
    return {
        "id": record["id"],
        "params": record.get("params"),
        "status": record.get("status"),
        "metrics": {
            name: metric.get("mean")
            for name, metric in (metrics.items() if isinstance(metrics, dict) else ())
            if isinstance(metric, dict)
        },
        "error": record.get("error"),
        "trace": record.get("trace"),
        "why": record.get("why"),
    }
