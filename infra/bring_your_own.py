"""Finished models: the program itself puts the file where its arrival makes a version of it.

The key holds the digest of the file, so that another file is another object, and arrives;
the same one is neither uploaded nor released again. An arrival can be lost as long as what
waits for it is new: S3 takes "around five minutes" to begin to tell EventBridge
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html),
a trigger of Eventarc up to two (https://cloud.google.com/eventarc/docs/run/create-trigger-storage-console).
So somebody looks again every quarter of an hour; what has been through is passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pulumi

from infra.serving import shortened
from infra.vocabulary import Cloud, ScheduleArgs, Store, UploadArgs, Workflow
from interface import layout
from models.bring_your_own import FILE, BringYourOwn
from models.catalogue import load
from models.section import FOLDER

EVERY_QUARTER = "*/15 * * * *"


def models(names: Iterable[str]) -> dict[str, Path]:
    """Those of the models that are finished, each with its file. Raises `ContractError` and `pulumi.RunError`."""
    contracts = {name: load(name) for name in names}
    return {name: require_file(name, found) for name, found in contracts.items() if isinstance(found, BringYourOwn)}


def require_file(model: str, contract: BringYourOwn, folder: Path = FOLDER) -> Path:
    """The file of a finished model. Raises `pulumi.RunError` when there is none that could be admitted."""
    file, bound = folder / model / FILE, contract.gate.maximum_bytes
    if not file.is_file():
        raise pulumi.RunError(f"models/{model}/{FILE} is missing; its model.yaml says task: finished")
    size = file.stat().st_size
    if not 0 < size <= bound:
        raise pulumi.RunError(
            f"models/{model}/{FILE}: {size:,} bytes; accepted: 1 to {bound:,} (gate.maximum_bytes of its model.yaml)"
        )
    return file


def publish(
    cloud: Cloud, files: Mapping[str, Path], data: Store, workflow: Workflow, then: pulumi.ResourceOptions
) -> None:
    """Upload the file of each model, and look after it: `then` is when the arrival of one is waited for."""
    for model, file in files.items():
        digest, name = hashlib.sha256(file.read_bytes()).hexdigest()[:16], shortened(model)
        cloud.upload(
            f"publish-{name}", UploadArgs(store=data, key=f"{model}/{layout.INCOMING}{digest}.onnx", file=file), then
        )
        again = ScheduleArgs(cron=EVERY_QUARTER, target=workflow, input={"model": model})
        cloud.schedule(f"republish-{name}", again, then)
