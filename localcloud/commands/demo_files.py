"""The second model of the demonstration, which was not trained here: it classifies files by their content."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from localcloud.commands.demo_run import PATIENCE_SECONDS, DemoRun
from localcloud.engine.stack_file import ROOT
from models.breast_cancer import sample
from models.file_type import client

MODEL = "file_type"
PATHS = ("README.md", "infra/blueprint.py", "docs/outputs.schema.json", "models/file_type/model.onnx")
NAMELESS = "nameless"
"""The name of a dataset without an extension, so that only its content tells what it is."""


def classify(demo: DemoRun) -> None:
    """Classify a few files with the model's own client. Raises `DemoFailed` when one gets no answer."""
    champion = live(demo)
    url = demo.stack.outputs["models"][MODEL]["predict"]
    demo.progress.line("ask", f"POST {url}")
    with demo.timed("ask"), tempfile.TemporaryDirectory() as folder:
        sample.write_csv(Path(folder) / NAMELESS)
        try:
            guesses = client.tell([*(ROOT / name for name in PATHS), Path(folder) / NAMELESS], url)
        except client.Unanswered as problem:
            raise demo.failed(str(problem)) from None
    files = []
    for name, guess in zip((*PATHS, NAMELESS), guesses, strict=True):
        if guess.probability is None:
            raise demo.failed(f"{name}: {guess.kind}")
        shown = name if name in PATHS else f"{name} (a dataset)"
        demo.progress.line("", f"{shown:<28} {guess.kind}, {guess.probability * 100:.1f} %")
        files.append({"file": name, "kind": guess.kind, "probability": round(guess.probability, 4)})
    demo.summary["finished"] = {"model": MODEL, "champion": champion, "files": files}


def live(demo: DemoRun) -> str:
    """Wait until the uploaded model is live, and return the version of its champion."""
    watch = demo.watching(MODEL)

    def released() -> dict[str, Any] | None:
        pointer = watch.live()
        for run in () if pointer else watch.runs():
            demo.expect(watch.record(run), "training", "registered", "promoted")
        return pointer or None

    with demo.step("finished") as step:
        champion = watch.wait_for(released, PATIENCE_SECONDS, f"{MODEL} to be live")["champion"]
        step.text = f"{MODEL} @ {champion} (its model.onnx, as it came)"
    return champion
