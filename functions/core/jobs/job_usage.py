"""What a job used: every attempt at it, failed ones too. One that is killed says nothing and is not counted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from functions.core.jobs.job import Job, NotAJob
from functions.core.registry import usage_records
from functions.core.runtime.usage import Usage
from interface import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from functions.core.storage.objects import Objects


class JobUsage:
    """The usage of the jobs of some models, beside their checkpoints: it is kept as long as those."""

    def __init__(self, objects: Objects, models: Collection[str], clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._models = models
        self._clock = clock

    def note(self, key: str, version: object, used: Usage) -> dict[str, str]:
        """Record what an attempt used at the job whose input or continuation is at `key`; return model and version.

        `version` is the one that answered; anything but a text where none did.
        """
        answered_by = version if isinstance(version, str) else usage_records.NOBODY
        try:
            job = Job.at(key, self._models)
        except NotAJob:
            return {}
        usage_records.note(self._objects, job.checkpoints, {answered_by: used}, self._clock())
        return {"model": job.model, "version": answered_by}

    def document(self, job: Job) -> dict[str, Any]:
        """Return `{"usage": ...}` of a job, as its status shows it; nothing where nothing is known."""
        versions: dict[str, Usage] = {}
        for key in self._objects.keys(f"{job.checkpoints}/{layout.USAGE}".rstrip("/")):
            usage_records.add(versions, usage_records.read(key))
        return {"usage": Usage.total(versions.values()).document()} if versions else {}
