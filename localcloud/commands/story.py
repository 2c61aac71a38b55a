"""The story of one model: its runs and its releases, told by the objects of the models store as they are written."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from interface import layout
from localcloud.engine.cloud import Objects
from sml import sentences
from sml.typed import Typed

RELEASES = {"canary": "canary", "advanced": "canary", "shadow": "shadow", "rolled_back": "rolled back"}
"""What a change of the live pointer is called, by its event; a promotion has a sentence of its own."""
ENDS = ("rejected", "refused", "superseded", "failed")
"""States in which a run ends with a cause, and without a change of the live pointer."""
AWAITING = "awaiting_approval"
"""The state of a run whose version waits for a person's word."""
SHORTEST_SECONDS = 0.05
SETTLED = ("refused", "canary", "promoted", "rolled_back")
"""States of a run that its dataset, uploaded again, does not change."""


class Say(Protocol):
    """Prints a line: a name, a text, and a duration where there is one."""

    def __call__(self, name: str, text: str, seconds: float | None = None) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a story takes from a model's contract. A finished model has neither features nor a metric."""

    metric: str = ""
    features: int = 0


@dataclass(kw_only=True)
class _Run:
    """What was told of a run, in the execution that works on it."""

    execution: str | None
    since: float
    """When its last stage was told, by the clock."""
    told: set[str] = field(default_factory=set)
    planned: int = 0
    narrows: bool = False
    """Whether its experiments are in several rounds."""
    experiments: dict[str, Mapping[str, Any]] = field(default_factory=dict)


class Story:
    """Tells what became of one model's uploads, each thing once.

    An object is read when it was written, and no other: a model may have any number of runs.
    """

    def __init__(
        self,
        model: str,
        models: Objects,
        say: Say,
        facts: Callable[[], Facts],
        typed: Typed,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`models` is the store of models; `facts` reads the contract, which an edit may change.

        `typed` writes a command for the stack.
        """
        self.model = model
        self.refusal: str | None = None
        """Why the newest file was refused; None while none was, or a later one is live."""
        self._models = models
        self._say = say
        self._facts = facts
        self._typed = typed
        self._clock = clock
        self._uploads: dict[str, float] = {}
        """When a file arrived, by its key."""
        self._runs: dict[str, _Run] = {}
        self._waits: dict[str, str] = {}
        """Until when an execution waits, as it was told, by the key of its note."""
        self._revision = 0
        self._champion: str | None = None

    def uploaded(self, key: str) -> None:
        """Tell that a file arrived."""
        self._uploads[key] = self._clock()
        self._say("upload", sentences.uploaded(key.partition(layout.INCOMING)[2], self.model))

    def written(self, keys: Collection[str]) -> None:
        """Tell what some objects of the models store say, which were written since the last call."""
        runs = dict.fromkeys(key.split("/")[2] for key in keys if key.startswith(f"{self.model}/{layout.RUNS}"))
        for key in keys:
            if key.startswith(layout.below(self.model, layout.EXECUTIONS)):
                self._execution(key)
        for run in runs:
            record = self._read(f"{self.model}/{layout.RUNS}{run}/run.json")
            if record:
                self._tell_run(run, record, keys)
        if f"{self.model}/{layout.LIVE}" in keys:
            self._live()

    def _tell_run(self, run: str, record: Mapping[str, Any], keys: Iterable[str]) -> None:
        known = self._known(run, record)
        if "prepared" not in known.told and record["status"] != "rejected":
            known.told.add("prepared")
            self._prepared(known, run, record)
        prefix = f"{self.model}/{layout.RUNS}{run}/experiments/"
        for key in keys:
            if key.startswith(prefix) and key.endswith(".json"):
                self._experiment(known, key)
        if "checks" in record and "gate" not in known.told:
            known.told.add("gate")
            if known.narrows:
                self._best(known)
            self._stage(known, "gate", f"{self.model}: {sentences.gate(record['checks'])}")
        self._ended(known, record)

    def _known(self, run: str, record: Mapping[str, Any]) -> _Run:
        """Return what was told of a run in its execution, and of the one before it where that waited for approval."""
        known = self._runs.get(run)
        if known is not None and AWAITING in known.told and record["status"] == "registered":
            known.told.discard(AWAITING)
            known.execution = record.get("execution")
        if known is None or known.execution != record.get("execution"):
            began = self._uploads.pop(str(record.get("source")), self._clock())
            known = self._runs[run] = _Run(execution=record.get("execution"), since=began)
        return known

    def _ended(self, known: _Run, record: Mapping[str, Any]) -> None:
        """Tell that no execution works on a run any more, and why."""
        status = record["status"]
        if status in known.told:
            return
        if status == AWAITING:
            known.told.add(status)
            self._stage(known, "approval", sentences.awaiting(self._typed, self.model, str(record.get("version"))))
        elif status in ENDS:
            known.told.add(status)
            if status in ("rejected", "refused"):
                self.refusal = str(record.get("cause"))
            self._stage(known, status, f"{self.model}: {self._why(record)}")

    def _prepared(self, known: _Run, run: str, record: Mapping[str, Any]) -> None:
        plan = self._read(f"{self.model}/{layout.RUNS}{run}/plan.json")
        known.planned = len((plan or {}).get("experiments", ()))
        known.narrows = "rounds" in (plan or {})
        if "rows" in record:
            self._stage(known, "prepare", f"{self.model}: {sentences.prepared(record, self._facts().features)}")
        elif "version" not in record or "selected" in record:
            text = f"{self.model}: {record.get('bytes') or 0:,} bytes, a finished model to be examined"
            self._stage(known, "prepare", text)

    def _experiment(self, known: _Run, key: str) -> None:
        record = self._read(key)
        if record is None or record.get("execution", known.execution) != known.execution:
            return
        known.experiments[key] = record
        metric, done = self._facts().metric, len(known.experiments)
        seconds = (record.get("seconds") or {}).get("total")
        counted = f"{done} of {known.planned}"
        if known.narrows:
            number = sentences.in_round(record)
            counted = f"round {number}, {sum(sentences.in_round(one) >= number for one in known.experiments.values())}"
        self._say("experiment", f"{self.model}: {counted}  {sentences.experiment(record, metric)}", seconds)
        if done == known.planned and not known.narrows:
            self._best(known)

    def _best(self, known: _Run) -> None:
        """Tell which experiment is best, when all are done."""
        metric = self._facts().metric
        board = sentences.leaderboard(known.experiments.values(), metric)
        if board:
            text = sentences.experiments(len(known.experiments), known.planned, sentences.best(board[0], metric))
            self._stage(known, "experiments", f"{self.model}: {text}")

    def _execution(self, key: str) -> None:
        """Tell of an execution that waits, or finds its run settled: the same file was uploaded before."""
        note = self._read(key) or {}
        if note.get("status") == "scheduled" and isinstance(note.get("schedule"), dict):
            text = f"{self.model}: {sentences.scheduled(note['schedule'])}"
            if self._waits.get(key) != text:
                self._waits[key] = text
                self._say("scheduled", text)
        record = self._read(f"{self.model}/{layout.RUNS}{note.get('run')}/run.json") if note.get("run") else None
        others = record is not None and record.get("execution") != note.get("execution")
        if record is not None and others and record["status"] in SETTLED:
            text = f"{self.model}: the same was judged before, in run {note['run']}: {record['status']}"
            self._say("unchanged", text.replace("_", " ") if record["status"] == "rolled_back" else text)

    def _live(self) -> None:
        pointer = self._read(f"{self.model}/{layout.LIVE}") or {}
        for entry in pointer.get("history", ()):
            if entry["revision"] <= self._revision:
                continue
            self._revision = entry["revision"]
            if entry["event"] == "promoted":
                self._promoted(entry)
            else:
                name = RELEASES.get(entry["event"], entry["event"])
                self._say(name, f"{self.model} @ {entry['version']}: {entry['reason']}")
        self._champion = pointer.get("champion") or self._champion

    def _promoted(self, entry: Mapping[str, Any]) -> None:
        self.refusal = None
        known = self._runs.get(entry["run"])
        text = sentences.promoted(self.model, entry["version"], self._champion)
        if known is None:
            self._say("promoted", text)
        else:
            self._stage(known, "promoted", text)
        self._champion = entry["version"]

    def _why(self, record: Mapping[str, Any]) -> str:
        source = str(record.get("source") or "").partition(layout.INCOMING)[2]
        cause = str(record.get("cause"))
        return f"{source}: {cause}" if source else cause

    def _stage(self, known: _Run, name: str, text: str) -> None:
        """Print a stage of a run, with the time since the one before."""
        now = self._clock()
        seconds = now - known.since
        # What was found in the same look as the stage before took no time that could be told.
        self._say(name, text, seconds if seconds >= SHORTEST_SECONDS else None)
        known.since = now

    def _read(self, key: str) -> dict[str, Any] | None:
        """Return a document; None for one that is gone, or is none."""
        try:
            document = json.loads(self._models.get(key) or b"null")
        except (FileNotFoundError, ValueError):
            return None
        return document if isinstance(document, dict) else None
