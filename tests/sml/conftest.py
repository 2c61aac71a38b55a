from __future__ import annotations

from tests.sml.staged import staged

__all__ = ["staged"]
