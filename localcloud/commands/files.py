"""The second model of the demonstration, which came finished: it tells files by what they hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from localcloud.commands.scene import PATIENCE_SECONDS, Scene
from localcloud.engine.stack_file import ROOT
from models.breast_cancer import sample
from models.file_type import client

MODEL = "file_type"
ASKED = ("README.md", "infra/blueprint.py", "docs/outputs.schema.json", "models/file_type/model.onnx")
NAMELESS = "nameless"
"""A dataset, under a name that says nothing of it."""


def tell(scene: Scene) -> None:
    """Ask about a few files with the client that ships. Raises `DemoFailed`."""
    champion = _live(scene)
    url = scene.stack.outputs["models"][MODEL]["predict"]
    scene.progress.line("ask", f"POST {url}")
    with scene.timed("ask"), tempfile.TemporaryDirectory() as folder:
        sample.write_csv(Path(folder) / NAMELESS)
        try:
            told = client.tell([*(ROOT / name for name in ASKED), Path(folder) / NAMELESS], url)
        except client.Unanswered as problem:
            raise scene.failed(str(problem)) from None
    files = []
    for name, one in zip((*ASKED, NAMELESS), told, strict=True):
        if one.probability is None:
            raise scene.failed(f"{name}: {one.kind}")
        shown = name if name in ASKED else f"{name} (a dataset)"
        scene.progress.line("", f"{shown:<28} {one.kind}, {one.probability * 100:.1f} %")
        files.append({"file": name, "kind": one.kind, "probability": round(one.probability, 4)})
    scene.summary["finished"] = {"model": MODEL, "champion": champion, "files": files}


def _live(scene: Scene) -> str:
    """Its champion: the file came with the program, and its arrival made a version of it."""
    watch = scene.watching(MODEL)

    def live() -> dict[str, Any] | None:
        found = watch.live()
        for run in () if found else watch.runs():
            scene.expect(watch.record(run), "training", "registered", "promoted")
        return found or None

    with scene.step("finished") as step:
        champion = watch.wait_for(live, PATIENCE_SECONDS, f"{MODEL} to be live")["champion"]
        step.text = f"{MODEL} @ {champion} (its model.onnx, as it came)"
    return champion
