"""The champion before this one, live again: the workflow is asked for it, as on a cloud."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.local.cloud import CloudFailed, State
from infra.local.control import FILE, ask
from infra.local.narrate import Narrator
from infra.local.stack import LocalStack
from infra.local.watch import Watch

PATIENCE_SECONDS = 120


def main(narrator: Narrator, state: Path, model: str, reason: str) -> int:
    """Ask the stack that `make up` holds, and say what answers now and how long that took.

    Raises `CloudFailed` when no stack is up, and when there is no way back.
    """
    found = ask(state / FILE, "rollback", model=model, reason=reason)
    text = f"{model} @ {found['version']} (before: {found['before']}), live after {found['live_seconds']:.1f} s"
    narrator.line("rollback", text, found["seconds"])
    return 0


def roll_back(stack: LocalStack, model: str, reason: str) -> dict[str, Any]:
    """Start the workflow, and wait until the API answers by the version before.

    Returns `version`, `before`, and the seconds until the pointer had changed (`live_seconds`)
    and until the first answer by it (`seconds`). Raises `CloudFailed` when it does not come to that.
    """
    if model not in stack.outputs["models"]:
        raise CloudFailed(f"there is no model {model}; served here: {', '.join(sorted(stack.outputs['models']))}")
    watch, began = Watch(stack.store(stack.outputs["models_url"]), model), time.monotonic()
    before = watch.live()
    if not before.get("previous"):
        raise CloudFailed(f"{model}: there is no earlier version to go back to")
    execution = stack.execute({"model": model, "action": "rollback", "reason": reason})

    def live() -> Mapping[str, Any] | None:
        if stack.executions().get(execution) is State.FAILED:
            raise CloudFailed(f"{model}: the rollback failed; the cloud's log: {stack.log}")
        found = watch.live()
        return found if found["champion"] != before["champion"] else None

    found = watch.wait_for(live, PATIENCE_SECONDS, f"{before['previous']} to be live")
    live_seconds = time.monotonic() - began
    metadata = stack.outputs["models"][model]["metadata"]
    watch.wait_for(
        lambda: _answering(metadata) == found["champion"] or None, PATIENCE_SECONDS, f"{found['champion']} to answer"
    )
    return {
        "version": found["champion"],
        "before": before["champion"],
        "live_seconds": round(live_seconds, 2),
        "seconds": round(time.monotonic() - began, 2),
    }


def _answering(metadata: str) -> str | None:
    url = urlsplit(metadata)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    try:
        connection.request("GET", url.path)
        return (json.loads(connection.getresponse().read()).get("versions") or [None])[0]
    finally:
        connection.close()
