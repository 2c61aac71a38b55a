"""What a preview says besides the graph, as JSON for programs: configuration, limits, archives, quotas."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.archive import Archive
from infra.bounds import Limits
from infra.quotas import Want
from infra.verdict import Verdict
from localcloud.engine.stack_file import NEEDED, SETTINGS, StackFile

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a stack was compared with, and what it would upload."""

    stack: StackFile
    cloud: str
    limits: Limits
    verdicts: Sequence[Verdict]
    archives: Mapping[str, Archive]
    """By the function's name."""
    wants: Sequence[Want] | None
    """None where the cloud states no quotas."""
    missing: Sequence[str]
    """The keys of the configuration that the preview does without."""

    def write(self, path: Path) -> None:
        """Write it as JSON, in format 1. The same program and settings give the same bytes.

        Sizes are in bytes, quotas in their own units. Of the configuration it has what the program reads, and no
        credentials that somebody keeps there.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._document(), indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def _document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "project": self.stack.project,
            "stack": self.stack.name,
            "cloud": self.cloud,
            "config": {key: self.stack.config[key] for key in NEEDED if key in self.stack.config and key != SETTINGS},
            "settings": self.stack.settings,
            "missing": list(self.missing),
            "limits": {
                "read_on": self.limits.read_on,
                "sources": list(self.limits.sources),
                "verdicts": [
                    {
                        "where": verdict.where,
                        "what": verdict.what,
                        "value": verdict.value,
                        "accepted": verdict.bound,
                        "kept": verdict.passed,
                    }
                    for verdict in self.verdicts
                ],
            },
            "archives": {
                name: {"bytes": archive.size, "unpacked_bytes": archive.unpacked, "sha256": archive.digest}
                for name, archive in self.archives.items()
                if not archive.stand_in
            },
            "quotas": None if self.wants is None else [_quota(want) for want in self.wants],
        }


def _quota(want: Want) -> dict[str, Any]:
    quota = want.quota
    return {
        "name": quota.name,
        "service": quota.service,
        "code": quota.code,
        "unit": quota.unit,
        "wanted": want.wanted / quota.scale,
        "to_deploy": want.to_deploy / quota.scale,
        "usual": quota.usual / quota.scale,
        "read_on": quota.read_on,
        "suffices": want.fits(quota.usual),
    }
