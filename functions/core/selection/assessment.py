"""The assessment of a run: whatever kind of model it is about, its version is registered or refused by checks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.registry.runs import RunUsage, Status
from functions.core.registry.versions import Registry
from functions.core.storage.objects import Objects
from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from functions.core.registry.versions import Version
    from functions.core.selection.check import Check

Record = dict[str, Any]
"""The record of a run, or what changes in it."""


@dataclass(frozen=True, kw_only=True)
class Assessment(ABC):
    """Runs of one model, assessed: `TrainedAssessment` by the gate, `BringYourOwnAssessment` by admission.

    `at` is the time of day that records show, `folder` holds the models' own folders.
    """

    data: Objects
    models: Objects
    at: str
    folder: Path

    @abstractmethod
    def assess(self, record: Record) -> Record:
        """Register the version of the run that `record` describes, or refuse it. Return what changes in the record."""

    def narrow(self, record: Record, in_round: int | None) -> Record:
        """Return the experiments that go on after a round of the run, and how; nothing where it was the last."""
        del record, in_round
        return {}

    def refused(self, changes: Record, failed: Sequence[Check]) -> Record:
        """Return the changes of a run that failed checks."""
        return {**changes, "status": Status.REFUSED, "version": None, "cause": "; ".join(map(_complaint, failed))}

    def registered(self, changes: Record, version: Version, extras: Mapping[str, bytes]) -> Record:
        """Register a version with the files `extras`, and return the changes of its run."""
        registry = Registry(self.models, version.model)
        used = RunUsage(self.models).document(version.model, version.card["run"])
        name = registry.register(version.onnx, {**version.card, **used}, version.golden, extras)
        return {**changes, "status": Status.REGISTERED, "version": name}


def _complaint(check: Check) -> str:
    if check.bound is None:
        return f"{check.name}: {check.detail}"
    value = "unknown" if check.value is None else readable(check.value)
    return f"{check.name} is {value}, bound {readable(check.bound)}" + (f" ({check.detail})" if check.detail else "")
