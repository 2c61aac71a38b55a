"""A file of captures, copied to this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What was captured of one version on one day, or a part of that."""

    model: str
    version: str
    day: str
    path: Path
