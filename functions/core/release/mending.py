"""The repair of what is damaged in the registry, by what else is in the store and nothing that is guessed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.onnx.session import BadModel
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import Entry, Pointer
from functions.core.registry.runs import Status
from functions.core.registry.versions import Corrupt, Registry, version_of
from functions.core.serving.opening import open_version
from functions.core.storage.objects import Conflict, Missing, canonical
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from functions.core.release.verification import Verified
    from functions.core.storage.objects import Objects


class NotProven(Exception):
    """Nothing in the store proves what was live. The text says what is known, and what to pass."""


def mend(models: Objects, found: Verified, champion: str | None, now: float) -> Iterator[str]:
    """Mend what can be, and yield a sentence for each object that was.

    `champion` names the version that is to be live where nothing proves which was. Raise `NotProven`.
    """
    registry = Registry(models, found.model)
    for version in sorted(found.broken):
        yield from _mend_version(models, registry, version)
    if found.pointer is None:
        yield _mend_pointer(models, registry, champion, now)
    elif champion is not None:
        raise NotProven(f"{found.model}: its live pointer is whole; a version is released by the workflow")


def _mend_version(models: Objects, registry: Registry, version: str) -> Iterator[str]:
    """Write the file or the golden answers of a version anew, from its run, where its name proves them."""
    with suppress(Corrupt, Missing, KeyError, TypeError):
        card = registry.card(version) or {}
        model, proof = registry.key(version, "model.onnx"), registry.key(version, "golden.json")
        for onnx in _known(models, model, registry.run_key(card["run"], ""), card["sha256"]):
            for golden in _goldens(models, registry, proof, card):
                if card.get("format") == 1 or version_of(onnx, card, golden) == version:
                    for key, content in ((model, onnx), (proof, canonical(golden))):
                        if models.find(key) != content:
                            models.put(key, content)
                            yield f"{key} is written anew, from the files of its run"
                    return


def _known(models: Objects, own: str, folder: str, digest: str) -> Iterator[bytes]:
    """Yield the bytes of model.onnx, from the version or from its run."""
    from functions.core.runtime.digest import sha256  # noqa: PLC0415 - as all of this, for a command

    for key in (own, *(key for key in models.keys(folder) if key.endswith(".onnx"))):
        content = models.find(key)
        if content is not None and sha256(content).hex() == digest:
            yield content
            return


def _goldens(models: Objects, registry: Registry, own: str, card: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what may be the golden answers: those that are there, and those of the version's experiment."""
    with suppress(ValueError, Missing):
        found = models.get_json(own)
        if isinstance(found, dict):
            yield found
    with suppress(ValueError, Missing, KeyError):
        record = models.get_json(registry.run_key(card["run"], f"experiments/{card['experiment']}.json"))
        yield {**record["golden"], "tolerance": 1e-4}


def _mend_pointer(models: Objects, registry: Registry, champion: str | None, now: float) -> str:
    """Write a pointer anew: of the version that runs prove to be live, or of `champion`. Raise `NotProven`."""
    live = Live(models, registry.model)
    if champion is None:
        champion, previous, revision, reason = _proven(models, registry)
    else:
        previous, revision, reason = None, _revisions(models, registry), "by hand"
    try:
        open_version(registry.load(champion))
    except (Missing, Corrupt, BadModel) as problem:
        raise NotProven(f"{live.key}: {champion} cannot be live: {problem}") from None
    at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    entry = Entry(revision=revision + 1, event="rebuilt", version=champion, run=None, at=at, reason=reason)
    pointer = Pointer(revision=revision + 1, champion=champion, previous=previous, history=(entry,))
    stored = models.read(live.key)
    if stored is None:
        written = models.create_json(live.key, pointer.document())
    else:
        written = _replaced(models, live.key, pointer.document(), stored[1])
    if not written:
        raise NotProven(f"{live.key} has changed meanwhile: verify again")
    return f"{live.key} is written anew: {champion} is the champion, {reason}"


def _replaced(models: Objects, key: str, document: dict[str, Any], tag: Any) -> bool:
    try:
        models.replace_json(key, document, tag)
    except Conflict:
        return False
    return True


def _proven(models: Objects, registry: Registry) -> tuple[str, str | None, int, str]:
    """Return the champion, the one before it, the greatest revision that is known, and how it is known."""
    key = Live(models, registry.model).key
    ask = "; name the version that is to be live: --repair --champion VERSION"
    promoted = [(_revision(record), run, record) for run, record in _records(models, registry, ask) if _was(record)]
    if not promoted:
        raise NotProven(f"{key}: no run was promoted that is champion still{ask}")
    versions = {record["version"] for _, _, record in promoted}
    if len(versions) > 1 and any(revision is None for revision, _, _ in promoted):
        raise NotProven(f"{key}: {', '.join(sorted(versions))} were promoted, in an order that no run tells{ask}")
    promoted.sort(key=lambda found: (found[0] or 0, found[1]))
    _, run, record = promoted[-1]
    earlier = [found["version"] for _, _, found in promoted if found["version"] != record["version"]]
    return (
        record["version"],
        earlier[-1] if earlier else None,
        _revisions(models, registry),
        f"as run {run} was promoted last",
    )


def _was(record: dict[str, Any]) -> bool:
    return record.get("status") == Status.PROMOTED and isinstance(record.get("version"), str)


def _records(models: Objects, registry: Registry, ask: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every run and its record. Raise `NotProven` where one cannot be read: it may be the newest."""
    folder = f"{registry.model}/{layout.RUNS}"
    for run in sorted({key.removeprefix(folder).split("/")[0] for key in models.keys(folder)}):
        try:
            record = registry.read_run(run)
        except json.JSONDecodeError:
            record = None
        if not isinstance(record, dict):
            raise NotProven(f"{registry.run_key(run, 'run.json')} cannot be read, and may be of the champion{ask}")
        yield run, record


def _revision(record: dict[str, Any]) -> int | None:
    revision = (record.get("rollout") or {}).get("revision")
    return revision if isinstance(revision, int) else None


def _revisions(models: Objects, registry: Registry) -> int:
    """Return the greatest revision of the pointer that a run tells; 0 where none does."""
    folder, known = f"{registry.model}/{layout.RUNS}", [0]
    for key in models.keys(folder):
        if key.endswith("/run.json"):
            with suppress(ValueError, AttributeError):
                known.append(_revision(models.get_json(key)) or 0)
    return max(known)
