"""Makes the previous champion live again, by the training workflow as on a cloud."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress
from localcloud.commands.watch import WaitTimedOut, Watch
from localcloud.engine.cloud import CloudFailed, State
from localcloud.engine.stack import LocalStack

PATIENCE_SECONDS = 120


def main(progress: Progress, state: Path, model: str, reason: str) -> int:
    """Roll back in the stack of `make up`, and print the version that answers now and the time it took.

    Raises `CloudFailed` when no stack is up, and when there is no earlier version.
    """
    result = ask(state / FILE, "rollback", model=model, reason=reason)
    text = f"{model} @ {result['version']} (before: {result['before']}), live after {result['live_seconds']:.1f} s"
    progress.line("rollback", text, result["seconds"])
    return 0


def roll_back(stack: LocalStack, model: str, reason: str) -> dict[str, Any]:
    """Start a rollback, and wait until the API answers by the previous version.

    Return the versions that are live now (`version`) and were before (`before`), the seconds until
    the pointer had changed (`live_seconds`) and until the API first answered by it (`seconds`).
    Raises `CloudFailed` for an unknown model, when there is no earlier version, and when the
    workflow fails or takes longer than `PATIENCE_SECONDS`.
    """
    models = stack.outputs.get("models") or {}
    if not models:
        raise CloudFailed(f"nothing is deployed yet in the stack {stack.file.name}: its models come with a deployment")
    if model not in models:
        raise CloudFailed(f"there is no model {model}; served here: {', '.join(sorted(models))}")
    watch, began = Watch(stack.store(stack.outputs["models_url"]), model), time.monotonic()
    if not watch.live().get("previous"):
        raise CloudFailed(f"{model}: there is no earlier version to go back to")
    execution = stack.execute({"model": model, "action": "rollback", "reason": reason})
    try:
        after, before = _rolled_back(stack, watch, execution)
        live_seconds = time.monotonic() - began
        _wait_until_served(watch, models[model]["metadata"])
    except WaitTimedOut as problem:
        raise CloudFailed(f"{model}: {problem}; the cloud's log: {stack.log}") from None
    return {
        "version": after,
        "before": before,
        "live_seconds": round(live_seconds, 2),
        "seconds": round(time.monotonic() - began, 2),
    }


def _rolled_back(stack: LocalStack, watch: Watch, execution: str) -> tuple[str, str]:
    """Wait for an execution's entry in the history; return the versions that are live now and were before.

    Others may change the pointer at the same time: their entries name another run.
    """
    run = execution.rpartition(":")[2]  # an ARN ends with the name that the workflow knows

    def look() -> tuple[str, str] | None:
        failed = stack.executions().get(execution) is State.FAILED
        live = watch.live()
        for entry in live.get("history", ()):
            if (entry["event"], entry["run"]) == ("rolled_back", run):
                return live["champion"], entry["version"]
        if failed:
            raise CloudFailed(f"{watch.model}: the rollback failed; the cloud's log: {stack.log}")
        return None

    return watch.wait_for(look, PATIENCE_SECONDS, "the rollback to be in the history")


def _wait_until_served(watch: Watch, metadata: str) -> None:
    """Wait until the API answers by the live version."""

    def look() -> bool | None:
        return _served_version(metadata) == watch.live()["champion"] or None

    watch.wait_for(look, PATIENCE_SECONDS, f"{watch.live()['champion']} to answer")


def _served_version(metadata: str) -> str | None:
    """Return the version that the API's metadata names; None when there is no such response."""
    url = urlsplit(metadata)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    try:
        connection.request("GET", url.path)
        return (json.loads(connection.getresponse().read()).get("versions") or [None])[0]
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
