"""ONNX files that arrive for a model that comes finished: each is a run without experiments."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.dataset.arrival import Arrival, answer
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.registry.plan import Plan
from functions.core.registry.runs import OVER, SETTLED
from functions.core.registry.versions import Corrupt
from interface.onnx_file import foreign
from models.bring_your_own import FILE, BringYourOwn

if TYPE_CHECKING:
    from functions.core.dataset.arrival import Answer, Upload


@dataclass(frozen=True, kw_only=True)
class BringYourOwnArrival(Arrival):
    contract: BringYourOwn

    @property
    def described(self) -> BringYourOwn:
        return self.contract

    def prepare(self, upload: Upload, *, scheduled: bool) -> Answer:
        """Keep the file with its run, for the select step to examine.

        The schedule asks every quarter of an hour, for years. It begins nothing for a file that
        has been through, whatever came of it, nor for a version that is registered already: that
        one may have been rolled back, and only a new upload of the file asks for it again.
        """
        digest = upload.digest
        onnx, refusal = b"", None
        try:
            onnx = self.read(upload, self.contract.gate.maximum_bytes)
            digest = hashlib.sha256(onnx).hexdigest()
            if (why := self.understand(lambda: foreign(onnx), upload)) is not None:
                raise RejectedDataset(why)
        except RejectedDataset as rejection:
            refusal = rejection
        registry, run = self.registry, self.run_of(digest)
        before = registry.read_run(run)
        been_through = before is not None and before.get("status") in (OVER if scheduled else SETTLED)
        if been_through or (scheduled and before is None and self._is_registered(digest)):
            return answer("unchanged", self.contract.name, run, digest)
        if refusal is not None:
            return self.reject(upload, digest, refusal)
        self.note(run=run, **upload.facts)
        self.models.put(registry.run_key(run, FILE), onnx)
        return self.begin(upload, digest, Plan.of([]), {})

    def _is_registered(self, digest: str) -> bool:
        """Return whether the file of this digest is a version, by what its answers mean today."""
        meaning, registry = self.contract.meaning(), self.registry
        for version in registry.versions():
            with suppress(Corrupt):
                card = registry.card(version) or {}
                if card.get("sha256") == digest and meaning.items() <= card.items():
                    return True
        return False
