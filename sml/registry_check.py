"""Verify the model registry in a store, and mend what can be mended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from obstore.exceptions import BaseError

from functions.core.release.mending import NotProven, mend
from functions.core.release.verification import Verified, keys_by_model, verify
from functions.core.storage.objects import Forbidden
from functions.core.storage.store_url import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.core.storage.objects import Objects

    Say = Callable[[str, str], None]
    """Tells a line by its kind: whole, fault, mended, unproven or failed."""

WHOLE, FAULTS, NOT_ASKED = 0, 1, 2


def run(request: Mapping[str, Any], say: Say) -> int:
    """Do what a request asks; return 0 where all is whole, 1 where a fault is left, 2 where the store cannot be read.

    `url` is that of the models store; `options` are for its client, none where it finds credentials by itself;
    `models`, none for all; `repair`; and `champion`, a version or None.
    """
    try:
        store = open_store(request["url"], options=request.get("options"), patience_seconds=8)
        found = keys_by_model(store)
        wanted = request.get("models") or list(found)
        champion = request.get("champion")
        if (unknown := [model for model in wanted if model not in found]) or (champion and len(wanted) != 1):
            known = ", ".join(found) or "none"
            say("failed", f"there is no model {unknown[0]}; in the store: {known}" if unknown else _WHICH)
            return NOT_ASKED
        return max((_one(store, model, found[model], request, say) for model in wanted), default=WHOLE)
    except (BaseError, Forbidden, OSError, ValueError) as problem:
        say("failed", f"{request['url']} cannot be read: {' '.join(str(problem).split())[:300]}")
        return NOT_ASKED


_WHICH = "--champion names a version of one model: name the model, too"


def _one(store: Objects, model: str, keys: Sequence[str], request: Mapping[str, Any], say: Say) -> int:
    found = verify(store, model, list(keys))
    champion = request.get("champion")
    if request.get("repair") and (found.faults or champion):
        try:
            for sentence in mend(store, found, champion, time.time()):
                say("mended", sentence)
        except NotProven as reason:
            say("unproven", str(reason))
        found = verify(store, model, keys_by_model(store).get(model, []))
    _tell(found, say)
    return FAULTS if found.faults else WHOLE


def _tell(found: Verified, say: Say) -> None:
    for fault in found.faults:
        say("fault", str(fault))
    counted = f"{found.objects} objects, {found.versions} versions, {found.runs} runs"
    if not found.faults:
        live = found.pointer.champion if found.pointer else None
        say("whole", f"{found.model}: {counted}; " + (f"live is {live}" if live else "nothing is live"))
