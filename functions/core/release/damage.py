"""What is damaged in the registry of a model, as far as its callers depend on it: the live pointer, versions in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.registry.live_pointer import REPAIR, Live, UnreadablePointer
from functions.core.registry.pointer import Pointer
from functions.core.registry.versions import Corrupt, Registry
from functions.core.storage.objects import Unreadable, canonical
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.runtime.log import Log
    from functions.core.storage.objects import Objects

PARTS = ("card.json", "golden.json", "model.onnx")
"""What a version cannot be served without."""
EXAMINED_BYTES = 200_000_000
"""The largest model that is read again when its object is in another state: whoever opens it will tell."""


def examine(models: Objects, model: str, log: Log) -> list[str]:
    """Report a live pointer that is damaged or gone, and versions in use whose objects are; return their keys.

    What was there the last time is remembered in an object of its own, the pointer among it.
    """
    key = f"{model}/{layout.SUPERVISED}seen.json"
    before, live = _seen(models, key), Live(models, model)
    try:
        pointer = live.read()
    except UnreadablePointer as problem:
        return [_report(log, "pointer unreadable", live.key, f"{problem}; {key} has what it held last")]
    if pointer == Pointer() and before["pointer"] is not None:
        reason = f"{live.key} is gone; `{REPAIR}` writes it anew; {key} has what it held last"
        return [_report(log, "pointer gone", live.key, reason)]
    states, damaged = _states(Registry(models, model), models, pointer, before["states"])
    seen = {"pointer": None if pointer == Pointer() else pointer.document(), "states": states}
    if canonical(seen) != canonical(before):
        models.put_json(key, seen)
    return [_report(log, "version damaged", damaged_key, reason) for damaged_key, reason in damaged.items()]


def _report(log: Log, event: str, key: str, reason: str) -> str:
    metric = "VersionDamaged" if event == "version damaged" else "PointerUnreadable"
    log.error(event, key=key, reason=reason, repair=REPAIR, metric=metric)
    return key


def _seen(models: Objects, key: str) -> dict[str, Any]:
    """Return what was remembered; nothing where that is damaged."""
    try:
        seen = models.find_json(key)
    except Unreadable:
        seen = None
    if not isinstance(seen, dict) or not isinstance(seen.get("states"), dict):
        return {"pointer": None, "states": {}}
    return {"pointer": seen.get("pointer"), "states": seen["states"]}


def _states(
    registry: Registry, models: Objects, pointer: Pointer, before: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the state of each object of the versions in use, and what is wrong with those that are damaged, by key.

    An object of a version never changes, so one in another state than before is read again.
    """
    states: dict[str, str] = {}
    damaged: dict[str, str] = {}
    for version in filter(None, dict.fromkeys((pointer.champion, pointer.challenger, pointer.previous))):
        for key in (registry.key(version, part) for part in PARTS):
            size_and_state = models.look(key)
            if size_and_state is None:
                damaged[key] = f"{key} is gone"
                continue
            size, state = size_and_state[0], str(size_and_state[1])
            if before.get(key) == state or size > EXAMINED_BYTES or _is_whole(registry, version):
                states[key] = state
            else:
                damaged[key] = f"{key} is not what was registered, or another object of its version"
    return states, damaged


def _is_whole(registry: Registry, version: str) -> bool:
    """Return whether a version is what was registered, as far as its own objects tell."""
    try:
        registry.load(version)
    except (Corrupt, LookupError, TypeError, ValueError):
        return False
    return True
