"""Trains a model on its newest dataset, by the training workflow as on a cloud: also one whose arrival was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from localcloud.commands.control import FILE, ask
from localcloud.commands.progress import Progress
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack


def main(progress: Progress, state: Path, model: str) -> int:
    """Start training in the stack of `make up`, and print where its dataset is.

    Raises `CloudFailed` when no stack is up, and when there is no dataset.
    """
    progress.line("train", f"{model} on the newest of {ask(state / FILE, 'train', model=model)['uploads']}")
    return 0


def train(stack: LocalStack, model: str) -> dict[str, Any]:
    """Start the workflow for a model; return where it takes the newest dataset from (`uploads`) and the `execution`.

    A dataset that was trained on before is not trained on again. Raises `CloudFailed` for an unknown
    model, and when nothing was uploaded for it.
    """
    models = stack.outputs.get("models") or {}
    if not models:
        raise CloudFailed(f"nothing is deployed yet in the stack {stack.file.name}: its models come with a deployment")
    if model not in models:
        raise CloudFailed(f"there is no model {model}; served here: {', '.join(sorted(models))}")
    url = f"{stack.outputs['data_url']}/{model}/incoming/"
    uploads = stack.store(stack.outputs["data_url"]).keys(f"{model}/incoming/")
    if not uploads:
        raise CloudFailed(f"{model}: there is no dataset in {url}")
    return {"uploads": url, "execution": stack.execute({"model": model})}
