"""The assessment of a model that comes finished: its file is examined as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.core.registry.live_pointer import Live
from functions.core.registry.versions import Registry
from functions.core.selection import admission
from functions.core.selection.assessment import Assessment
from models.bring_your_own import FILE, GOLDEN, BringYourOwn

if TYPE_CHECKING:
    from functions.core.selection.assessment import Record


@dataclass(frozen=True, kw_only=True)
class BringYourOwnAssessment(Assessment):
    contract: BringYourOwn

    def assess(self, record: Record) -> Record:
        """Examine the file of a run, and register it if it passes."""
        contract, registry, run = self.contract, Registry(self.models, self.contract.name), record["run"]
        onnx = self.models.get(registry.run_key(run, FILE))
        golden = self.folder / contract.name / GOLDEN
        examination = admission.examine(contract, onnx, golden.read_bytes() if golden.is_file() else None)
        live = Live(self.models, contract.name).read().champion
        card = None if live is None else registry.card(live)
        if live is not None and card is not None and not examination.failed:
            admission.check_signature(examination, contract, live, card)
        report = admission.render(contract, record, examination)
        self.models.put(registry.run_key(run, "report.html"), report)
        changes: Record = {"checks": [check.document() for check in examination.checks], "selected": self.at}
        if examination.failed:
            return self.refused(changes, examination.failed)
        version = admission.version(contract, record, onnx, examination)
        return self.registered(changes, version, {"report.html": report})
