"""The examination of finished models before a deployment, by the code of admission, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi

from localcloud.commands.progress import Progress
from models.bring_your_own import FILE

ROOT = Path(__file__).resolve().parents[2]
EXAMINE = (sys.executable, "-m", "functions.core.selection.examination")
SECONDS = 600
"""How long the examination of all models may take."""


def examine(
    progress: Progress, models: Sequence[str], command: Iterable[str] = EXAMINE, seconds: float = SECONDS
) -> None:
    """Examine finished models by their names, and print a line for each.

    Raise `pulumi.RunError` for those that admission would refuse, with every reason.
    """
    if not models:
        return
    with progress.step("models") as step:
        step.say(f"examining {', '.join(models)}")
        checks, end = _checks([*command, *models], seconds)
        refused = list(_refusals(models, checks, end))
        step.text = f"{len(models)} finished: " + ("refused" if refused else "admission accepts them")
    if refused:
        raise pulumi.RunError("\n".join(refused))


def _checks(command: list[str], seconds: float) -> tuple[dict[str, list[dict[str, Any]]], str]:
    """Return the checks of each model that was examined, and how the process ended."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=seconds)
        output, said = done.stdout, done.stderr.decode(errors="replace").strip().splitlines()
        end = said[-1] if said else f"the process ended with {done.returncode}"
    except subprocess.TimeoutExpired as late:
        output, end = late.stdout or b"", f"no answer within {seconds:g} seconds"
    found = map(json.loads, output.splitlines())
    return {one["model"]: one["checks"] for one in found}, end


def _refusals(models: Sequence[str], checks: Mapping[str, list[dict[str, Any]]], end: str) -> Iterator[str]:
    for model in models:
        where = f"models/{model}/{FILE}"
        if model not in checks:
            yield f"{where}: cannot be examined: {end}"
            return
        yield from (f"{where}: {check['name']}: {check['detail']}" for check in checks[model] if not check["passed"])
