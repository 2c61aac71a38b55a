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


def run(
    demo: DemoRun,
    model: str,
    cases: Sequence[Mapping[str, Any]],
    truths: Sequence[str | float],
    minimum_accuracy: float | None = None,
) -> None:
    """Send the cases as a job of `ROWS` rows, repeating them, and compare each prediction with the truth.

    Raises `DemoFailed` when rows are refused, predictions are missing, or fewer than
    `minimum_accuracy` of them are right.
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
    figure, text = _compared(answers, [truths[at] for at in positions])
    if done["refused"] or figure.get("right", 1.0) < (minimum_accuracy or 0.0):
        raise demo.failed(f"the job refused {done['refused']} rows, and of all answers {text}")
    demo.progress.line("", f"{len(answers):,} answers in order, {_size(result)}, {text}")
    demo.summary["job"] = {
        "rows": done["rows"],
        "refused": done["refused"],
        "bytes": len(content),
        "result_bytes": len(result),
        **figure,
        "version": done["version"],
        "seconds": demo.steps[-1]["seconds"],
    }


def _compared(answers: Sequence[Mapping[str, Any]], truths: Sequence[str | float]) -> tuple[Mapping[str, float], str]:
    """Return how good answers are, as the summary has it and as a text: labels that are right, or by how much numbers
    are off."""
    both = list(zip(answers, truths, strict=True))
    if numbers := [abs(answer["value"] - float(truth)) for answer, truth in both if "value" in answer]:
        error = sum(numbers) / len(numbers)
        return {"mean_absolute_error": round(error, 4)}, f"{error:.4g} off the truth on average"
    right = sum(answer.get("label") == truth for answer, truth in both) / len(both)
    return {"right": round(right, 4)}, f"{right * 100:.1f} % as in truth"


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
