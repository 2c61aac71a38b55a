"""Bring-your-own models: the program uploads each file to the prefix whose arrival makes a version of it.

The key holds the digest of the file: another file is another object, and arrives; the same file
is neither uploaded nor released again. An arrival can be lost while its trigger is new: S3
takes "around five minutes" to begin to tell EventBridge
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html),
a trigger of Eventarc up to two
(https://cloud.google.com/eventarc/docs/run/create-trigger-storage-console). So a schedule
starts the workflow for each model every quarter of an hour, too; it leaves a file alone that
has been judged before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pulumi

from infra.keep import Keep
from infra.serving import shortened
from infra.vocabulary import Cloud, ScheduleArgs, Store, UploadArgs, Workflow
from interface import layout
from interface.onnx_file import unservable
from models.bring_your_own import FILE, BringYourOwn
from models.catalogue import load
from models.section import FOLDER

EVERY_QUARTER = "*/15 * * * *"


def models(names: Iterable[str]) -> dict[str, Path]:
    """Return the file of each bring-your-own model among `names`, by the model's name.

    Raise `ContractError` for a contract that is not valid, and `pulumi.RunError` as `require_file`
    does.
    """
    contracts = {name: load(name) for name in names}
    return {
        name: require_file(name, contract) for name, contract in contracts.items() if isinstance(contract, BringYourOwn)
    }


def require_file(model: str, contract: BringYourOwn, folder: Path = FOLDER) -> Path:
    """Return the file of a bring-your-own model.

    Raise `pulumi.RunError` when it is missing, empty, larger than `gate.maximum_bytes` of its
    contract, or when its bytes tell that it would not be served. What only onnxruntime can tell,
    `make preview` asks it.
    """
    file, bound = folder / model / FILE, contract.gate.maximum_bytes
    if not file.is_file():
        raise pulumi.RunError(f"models/{model}/{FILE} is missing; its model.yaml says task: finished")
    size = file.stat().st_size
    if not 0 < size <= bound:
        raise pulumi.RunError(
            f"models/{model}/{FILE}: {size:,} bytes; accepted: 1 to {bound:,} (gate.maximum_bytes of its model.yaml)"
        )
    if (why := unservable(file.read_bytes())) is not None:
        raise pulumi.RunError(f"models/{model}/{FILE}: {why}")
    return file


def publish(
    cloud: Cloud, files: Mapping[str, Path], data: Store, workflow: Workflow, keep: Keep, opts: pulumi.ResourceOptions
) -> dict[str, object]:
    """Upload the file of each model, and schedule the workflow for it; return the schedules by name.

    `opts` waits for the arrival of datasets.
    """
    schedules = {}
    for model, file in files.items():
        digest, name = hashlib.sha256(file.read_bytes()).hexdigest()[:16], shortened(model)
        cloud.upload(
            f"publish-{name}", UploadArgs(store=data, key=f"{model}/{layout.INCOMING}{digest}.onnx", file=file), opts
        )
        args = ScheduleArgs(cron=EVERY_QUARTER, target=workflow, input={"model": model}, keep=keep)
        schedules[f"republish-{name}"] = cloud.schedule(f"republish-{name}", args, opts)
    return schedules
