"""The files of an experiment, under their digests: what one delivery writes never replaces what another's record names.

`experiments/<id>.json` is the record, and `experiments/<id>/` holds the files.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from functions.core.registry.versions import Corrupt
from functions.core.storage.objects import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.core.storage.objects import Objects


def write(models: Objects, folder: str, onnx: bytes, answers: bytes) -> dict[str, Any]:
    """Write the ONNX file and the estimator's answers below `folder`, and return what the record says of the latter."""
    digest = hashlib.sha256(answers).hexdigest()
    models.put(f"{folder}/{hashlib.sha256(onnx).hexdigest()}.onnx", onnx)
    models.put(f"{folder}/{digest}.npz", answers)
    return {"sha256": digest, "bytes": len(answers)}


def read_model(models: Objects, folder: str, record: Mapping[str, Any]) -> bytes:
    """Return the ONNX file that a record names. Raise `Corrupt` where it is not there."""
    # A release before kept it under one name, and no answers.
    name = f"{record['sha256']}.onnx" if "answers" in record else "model.onnx"
    return _read(models, f"{folder}/{name}", record["sha256"])


def read_answers(models: Objects, folder: str, record: Mapping[str, Any]) -> bytes | None:
    """Return the answers of the estimator, as `Task.read` reads them; None where a release before kept none.

    Raise `Corrupt` as above.
    """
    if "answers" not in record:
        return None
    digest = record["answers"]["sha256"]
    return _read(models, f"{folder}/{digest}.npz", digest)


def are_whole(models: Objects, folder: str, record: Mapping[str, Any]) -> bool:
    """Return whether the files that a record names are there."""
    try:
        read_model(models, folder, record)
        read_answers(models, folder, record)
    except Corrupt:
        return False
    return True


def _read(models: Objects, key: str, digest: str) -> bytes:
    try:
        content = models.get(key)
    except Missing:
        raise Corrupt(f"{key} is gone, though the experiment's record names it") from None
    if hashlib.sha256(content).hexdigest() != digest:
        raise Corrupt(f"{key} is not the file that the experiment's record names")
    return content
