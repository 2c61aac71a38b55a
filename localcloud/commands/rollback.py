"""The champion before this one, live again: the workflow is asked for it, as on a cloud."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress
from localcloud.commands.watch import NothingCame, Watch
from localcloud.engine.cloud import CloudFailed, State
from localcloud.engine.stack import LocalStack

PATIENCE_SECONDS = 120


def main(progress: Progress, state: Path, model: str, reason: str) -> int:
    """Ask the stack that `make up` holds, and say what answers now and how long that took.

    Raises `CloudFailed` when no stack is up, and when there is no way back.
    """
    found = ask(state / FILE, "rollback", model=model, reason=reason)
    text = f"{model} @ {found['version']} (before: {found['before']}), live after {found['live_seconds']:.1f} s"
    progress.line("rollback", text, found["seconds"])
    return 0


def roll_back(stack: LocalStack, model: str, reason: str) -> dict[str, Any]:
    """Start the workflow, and wait until the API answers by the version before.

    Returns `version`, `before`, and the seconds until the pointer had changed (`live_seconds`)
    and until the first answer by it (`seconds`). Raises `CloudFailed` when it does not come to that.
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
        _answered(watch, models[model]["metadata"])
    except NothingCame as problem:
        raise CloudFailed(f"{model}: {problem}; the cloud's log: {stack.log}") from None
    return {
        "version": after,
        "before": before,
        "live_seconds": round(live_seconds, 2),
        "seconds": round(time.monotonic() - began, 2),
    }


def _rolled_back(stack: LocalStack, watch: Watch, execution: str) -> tuple[str, str]:
    """The version that an execution made live again, and the one that fell: the history names them by it.

    Others may change the pointer at the same time: their entries go by another run.
    """
    run = execution.rpartition(":")[2]  # a whole name, such as an ARN, ends with the one that the workflow knows

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


def _answered(watch: Watch, metadata: str) -> None:
    """Wait until the API answers by whatever is live."""

    def look() -> bool | None:
        return _answering(metadata) == watch.live()["champion"] or None

    watch.wait_for(look, PATIENCE_SECONDS, f"{watch.live()['champion']} to answer")


def _answering(metadata: str) -> str | None:
    """The version that the API says it serves; None for one that does not say so."""
    url = urlsplit(metadata)
    connection = http.client.HTTPConnection(url.netloc, timeout=30)
    try:
        connection.request("GET", url.path)
        return (json.loads(connection.getresponse().read()).get("versions") or [None])[0]
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
