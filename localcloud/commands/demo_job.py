"""The job of the demonstration: a file of many rows is uploaded, becomes a job, and is followed to its result."""

from __future__ import annotations

import csv
import io
import json
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.commands.demo_run import PATIENCE_SECONDS, DemoRun
from localcloud.commands.progress import Step

ROWS = 20_000
NAME = "bulk.csv"
MINIMUM_ACCURACY = 0.9


def run(demo: DemoRun, model: str, cases: Sequence[Mapping[str, float]], labels: Sequence[str]) -> None:
    """Send the cases as a job of `ROWS` rows, repeating them, and compare each prediction with its label.

    Raises `DemoFailed` when rows are refused, predictions are missing, or fewer than
    `MINIMUM_ACCURACY` of them are right.
    """
    positions = [position % len(cases) for position in range(ROWS)]
    content = csv_of([cases[position] for position in positions])
    with demo.step("job") as step:
        demo.stack.store(demo.stack.outputs["jobs_url"]).put(f"{model}/in/{NAME}", content)
        done = _done(demo, model, step)
        step.text = f"{NAME}, {ROWS:,} rows, {_size(content)} -> jobs/{model}/in/"
    with demo.errors_of("job"):
        result = demo.stack.store(demo.stack.outputs["jobs_url"]).get(f"{model}/out/{NAME}.jsonl")
        answers = [json.loads(line) for line in result.splitlines()]
    if len(answers) != ROWS:
        raise demo.failed(f"the job was given {ROWS:,} rows, and its result has {len(answers):,}")
    right = sum(answer.get("label") == labels[at] for answer, at in zip(answers, positions, strict=True))
    accuracy = right / ROWS
    if done["refused"] or accuracy < MINIMUM_ACCURACY:
        raise demo.failed(f"the job refused {done['refused']} rows, and of all answers {accuracy:.1%} are right")
    demo.progress.line("", f"{len(answers):,} answers in order, {_size(result)}, {accuracy * 100:.1f} % as in truth")
    demo.summary["job"] = {
        "rows": done["rows"],
        "refused": done["refused"],
        "bytes": len(content),
        "result_bytes": len(result),
        "right": round(accuracy, 4),
        "version": done["version"],
        "seconds": demo.steps[-1]["seconds"],
    }


def _done(demo: DemoRun, model: str, step: Step) -> dict[str, Any]:
    """Wait until the job is done and return its status. Raises `DemoFailed` when it fails."""
    url = f"{demo.stack.outputs['models'][model]['jobs']}/{NAME}"

    def look() -> dict[str, Any] | None:
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - the stack's own
            job = json.load(response)
        step.say(f"{job.get('rows', 0):,} rows")
        if job["status"] == "failed":
            raise demo.failed(f"job {NAME} failed: {job['error']}")
        return job if job["status"] == "done" else None

    return demo.watching(model).wait_for(look, PATIENCE_SECONDS, f"job {NAME} to be done")


def csv_of(cases: Sequence[Mapping[str, float]]) -> bytes:
    """Return cases as a CSV file with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(cases[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cases)
    return text.getvalue().encode()


def _size(content: bytes) -> str:
    return f"{len(content) / 1e6:.1f} MB"
