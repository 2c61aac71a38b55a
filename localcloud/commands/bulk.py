"""The job of the demonstration: a file of many rows, put where it becomes one, and followed to its result."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.commands.progress import Step
from localcloud.commands.scene import PATIENCE_SECONDS, Scene

ROWS = 20_000
NAME = "bulk.csv"
LEAST_RIGHT = 0.9


def work(scene: Scene, model: str, cases: Sequence[Mapping[str, float]], labels: Sequence[str]) -> None:
    """Every case again and again, and each answer held against the truth in its place. Raises `DemoFailed`."""
    places = [place % len(cases) for place in range(ROWS)]
    content = _csv([cases[place] for place in places])
    with scene.step("job") as step:
        scene.stack.store(scene.stack.outputs["jobs_url"]).put(f"{model}/in/{NAME}", content)
        done = _done(scene, model, step)
        step.text = f"{NAME}, {ROWS:,} rows, {_size(content)} -> jobs/{model}/in/"
    with scene.told("job"):
        result = scene.stack.store(scene.stack.outputs["jobs_url"]).get(f"{model}/out/{NAME}.jsonl")
        answers = [json.loads(line) for line in result.splitlines()]
    if len(answers) != ROWS:
        raise scene.failed(f"the job was given {ROWS:,} rows, and its result has {len(answers):,}")
    right = sum(answer.get("label") == labels[place] for answer, place in zip(answers, places, strict=True)) / ROWS
    if done["refused"] or right < LEAST_RIGHT:
        raise scene.failed(f"the job refused {done['refused']} rows, and of all answers {right:.1%} are right")
    scene.progress.line("", f"{len(answers):,} answers in order, {_size(result)}, {right * 100:.1f} % as in truth")
    scene.summary["job"] = {
        "rows": done["rows"],
        "refused": done["refused"],
        "bytes": len(content),
        "result_bytes": len(result),
        "right": round(right, 4),
        "version": done["version"],
        "seconds": scene.steps[-1]["seconds"],
    }


def _done(scene: Scene, model: str, step: Step) -> dict[str, Any]:
    """What the API says once the job is done."""
    url = f"{scene.stack.outputs['models'][model]['jobs']}/{NAME}"

    def over() -> dict[str, Any] | None:
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - the stack's own
            found = json.load(response)
        step.say(f"{found.get('rows', 0):,} rows")
        if found["status"] == "failed":
            raise scene.failed(f"job {NAME} failed: {found['error']}")
        return found if found["status"] == "done" else None

    return scene.watching(model).wait_for(over, PATIENCE_SECONDS, f"job {NAME} to be done")


def _csv(cases: Sequence[Mapping[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(cases[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cases)
    return text.getvalue().encode()


def _size(content: bytes) -> str:
    return f"{len(content) / 1e6:.1f} MB"
