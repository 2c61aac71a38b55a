"""Whether every object of the registry is what its name or its record says, and what happens to callers where not."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.onnx.session import BadModel
from functions.core.registry.approvals import decisions_in
from functions.core.registry.live_pointer import Live, UnreadablePointer
from functions.core.registry.runs import OVER, Status
from functions.core.registry.versions import NAME, Corrupt, Registry
from functions.core.runtime.digest import sha256
from functions.core.serving.opening import open_version
from functions.core.storage.objects import Missing
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.registry.pointer import Pointer
    from functions.core.storage.objects import Objects

RELEASED = frozenset({Status.CANARY, Status.PROMOTED, Status.ROLLED_BACK})
"""States of a run whose version callers have had."""
_REGISTERED = RELEASED | {Status.REGISTERED}
_DIGITS = 64
"""Of a SHA-256, by which an experiment's files go."""
_TRAINED_ANEW = "select fails until the run is started again, which trains it anew"
_UNNOTICED = "callers do not notice"
_NOT_LIVE = "nobody is answered by it meanwhile"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One object that is not what it should be."""

    key: str
    what: str
    """What is wrong with it."""
    meanwhile: str
    """What happens to callers until it is mended."""

    def __str__(self) -> str:
        return f"{self.key} {self.what}; {self.meanwhile}"


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A model's objects in the models store, as they were found."""

    model: str
    faults: tuple[Fault, ...]
    pointer: Pointer | None
    """None where it cannot be read, or is missing although a version was released."""
    broken: frozenset[str]
    """Versions that do not load."""
    objects: int
    versions: int
    runs: int


def keys_by_model(models: Objects) -> dict[str, list[str]]:
    """Return every key of the models store, by the model that it is about, sorted."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key in models.keys(""):
        first, _, rest = key.partition("/")
        model = rest.partition("/")[0] if first.startswith(".") else first
        if NAME.fullmatch(model):
            found[model].append(key)
    return {model: sorted(keys) for model, keys in sorted(found.items())}


def verify(models: Objects, model: str, keys: list[str]) -> Verified:
    """Check every object of a model; `keys` are all that begin with its name."""
    return _Verification(models, model, keys).verify()


class _Verification:
    def __init__(self, models: Objects, model: str, keys: list[str]) -> None:
        self._models = models
        self._keys = keys
        self._known = frozenset(keys)
        self._registry = Registry(models, model)
        self._live = Live(models, model)
        self._faults: list[Fault] = []
        self._runs: dict[str, dict[str, Any]] = {}
        self.model = model

    def verify(self) -> Verified:
        versions = self._names(layout.VERSIONS)
        broken = {version: why for version in versions if (why := self._why_not(version))}
        for run in self._names(layout.RUNS):
            self._check_run(run, versions)
        self._check_executions()
        self._check_approvals()
        pointer = self._check_pointer(versions, broken)
        named = _named(pointer)
        for version, (key, why) in broken.items():
            if version not in named:
                self._fault(key, why, _NOT_LIVE)
        return Verified(
            model=self.model,
            faults=tuple(self._faults),
            pointer=pointer,
            broken=frozenset(broken),
            objects=len(self._keys),
            versions=len(versions),
            runs=len(self._names(layout.RUNS)),
        )

    def _fault(self, key: str, what: str, meanwhile: str) -> None:
        self._faults.append(Fault(key=key, what=what, meanwhile=meanwhile))

    def _names(self, prefix: str) -> list[str]:
        """Return the versions or runs below a prefix."""
        folder = f"{self.model}/{prefix}"
        return sorted({key.removeprefix(folder).split("/")[0] for key in self._keys if key.startswith(folder)})

    def _why_not(self, version: str) -> tuple[str, str] | None:
        """Return the key that keeps a version from being served, and what is wrong with it; None where it is whole."""
        folder = self._registry.key(version, "")
        try:
            loaded = self._registry.load(version)
            open_version(loaded)
        except Missing:
            return f"{folder}card.json", "is missing: its registration never ended, or it was deleted"
        except Corrupt as problem:
            key, _, what = str(problem).partition(" ")
            return (key, what) if key.startswith(folder) else (folder, str(problem))
        except BadModel as problem:
            return f"{folder}model.onnx", f"does not open: {problem}"
        for name, digest in (loaded.card.get("files") or {}).items():
            content = self._models.find(f"{folder}{name}")
            if content is None or sha256(content).hex() != digest:
                self._fault(f"{folder}{name}", "is missing or is not what was registered", _UNNOTICED)
        if f"{folder}{layout.ORIGIN}" in self._known:
            self._json(f"{folder}{layout.ORIGIN}", _UNNOTICED)
        return None

    def _check_pointer(self, versions: list[str], broken: dict[str, tuple[str, str]]) -> Pointer | None:
        key = self._live.key
        if key not in self._known:
            released = [run for run, record in self._runs.items() if record.get("status") in RELEASED]
            if not released:
                return self._live.read()
            what = f"is missing, though run {released[-1]} was released"
            self._fault(key, what, "new copies answer 503, and the next version would go live without a canary")
            return None
        try:
            pointer = self._live.read()
        except UnreadablePointer:
            what = "is not a live pointer"
            self._fault(key, what, "copies that run go on with what they have, new ones answer 503, no release begins")
            return None
        for role, version, meanwhile in _roles(pointer, broken, versions):
            if version not in versions:
                self._fault(key, f"names the {role} {version}, and there is no such version", meanwhile)
            elif version in broken:
                where, why = broken[version]
                self._fault(where, f"{why} (the {role})", meanwhile)
        if pointer.release is not None and pointer.release.run not in self._names(layout.RUNS):
            what = f"names the release of run {pointer.release.run}, and there is no such run"
            self._fault(key, what, "its challenger stays until another release takes its place")
        return pointer

    def _check_run(self, run: str, versions: list[str]) -> None:
        folder = self._registry.run_key(run, "")
        record = self._json(f"{folder}run.json", "its dataset begins it anew when it is uploaded again")
        if record is None:
            return
        self._runs[run] = record
        if record.get("status") not in set(Status):
            self._fault(f"{folder}run.json", f"has the status {record.get('status')!r}, which is none", _NOT_LIVE)
        version = record.get("version")
        if record.get("status") in _REGISTERED and version not in versions:
            self._fault(f"{folder}run.json", f"names the version {version}, and there is no such version", _NOT_LIVE)
        meanwhile = _NOT_LIVE if record.get("status") in OVER else _TRAINED_ANEW
        for key in (key for key in self._keys if key.startswith(folder)):
            self._check_run_object(key, record, meanwhile)
        for name in self._wanted(folder, record):
            if f"{folder}{name}" not in self._known:
                self._fault(f"{folder}{name}", "is missing", meanwhile)

    def _wanted(self, folder: str, record: dict[str, Any]) -> Iterator[str]:
        """Yield the objects that a run must have that got as far as its record says."""
        if "source" not in record or record.get("status") == Status.REJECTED:
            return  # it only released a version again, or began nothing
        yield "plan.json"
        if "selected" not in record or f"{folder}plan.json" not in self._known:
            return
        try:
            planned = [experiment["id"] for experiment in self._models.get_json(f"{folder}plan.json")["experiments"]]
        except (ValueError, KeyError, TypeError):
            return  # which is told already
        yield from (f"experiments/{name}.json" for name in planned)
        yield "leaderboard.json" if planned else "model.onnx"

    def _check_run_object(self, key: str, record: dict[str, Any], meanwhile: str) -> None:
        stem, _, kind = key.rpartition("/")[2].rpartition(".")
        if kind == "json" and stem != "run":
            found = self._json(key, meanwhile)
            if found and "/experiments/" in key and found.get("status") == "succeeded":
                self._check_experiment(key.removesuffix(".json"), found, meanwhile)
        elif kind in ("onnx", "npz"):
            of_experiment = "/experiments/" in key
            if of_experiment and len(stem) != _DIGITS:
                return  # as version 0.1 wrote it: the experiment's record says what it is
            digest = stem if of_experiment else record.get("dataset")
            if sha256(self._models.get(key)).hex() != digest:
                self._fault(key, "is not the file of this digest", meanwhile)

    def _check_experiment(self, folder: str, record: dict[str, Any], meanwhile: str) -> None:
        if "answers" not in record:
            content = self._models.find(f"{folder}/model.onnx")
            if content is None or sha256(content).hex() != record.get("sha256"):
                self._fault(f"{folder}/model.onnx", "is not the file that the experiment's record names", meanwhile)
            return
        for name in (f"{record.get('sha256')}.onnx", f"{record['answers'].get('sha256')}.npz"):
            if f"{folder}/{name}" not in self._known:
                self._fault(f"{folder}/{name}", "is missing, though the experiment's record names it", meanwhile)

    def _check_executions(self) -> None:
        meanwhile = "if that execution fails, no run says so"
        folders = tuple(layout.below(self.model, prefix) for prefix in layout.NOTES)
        runs = self._names(layout.RUNS)
        for key in (key for key in self._keys if key.startswith(folders)):
            if not self._models.find(key):
                continue  # the note of an execution that has ended
            noted = self._json(key, meanwhile)
            if noted is not None and noted.get("run") not in (None, *runs):
                self._fault(key, f"names the run {noted['run']}, and there is no such run", meanwhile)

    def _check_approvals(self) -> None:
        folder = f"{self.model}/{layout.APPROVALS}"
        for key in (key for key in self._keys if key.startswith(folder)):
            if not decisions_in(self._models.get(key)):
                self._fault(key, "holds no decision", "its version counts as one that nobody has decided about")

    def _json(self, key: str, meanwhile: str) -> dict[str, Any] | None:
        content = self._models.find(key)
        try:
            document = json.loads(content) if content is not None else None
        except ValueError:
            document = None
        if isinstance(document, dict):
            return document
        self._fault(key, "is missing" if content is None else "is not a JSON object", meanwhile)
        return None


def _named(pointer: Pointer | None) -> frozenset[str]:
    versions = (pointer.champion, pointer.challenger, pointer.previous) if pointer else ()
    return frozenset(version for version in versions if version)


def _roles(pointer: Pointer, broken: dict[str, tuple[str, str]], versions: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each role that the pointer gives to a version, and what happens to callers where that one does not load."""
    if pointer.champion:
        stands_in = pointer.previous in versions and pointer.previous not in broken
        answered = f"{pointer.previous} answers in its place" if stands_in else "new copies answer 503"
        yield "champion", pointer.champion, f"{answered}, and readiness is 503"
    if pointer.challenger:
        yield "challenger", pointer.challenger, "its callers get the champion's answer, and the judge counts errors"
    if pointer.previous:
        yield "previous champion", pointer.previous, "a rollback has nothing to go back to"
