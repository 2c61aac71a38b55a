"""That a file cannot be used, and why."""

from __future__ import annotations

from typing import Any


class RejectedDataset(ValueError):
    """A file is rejected. `report` says why, and names columns and rows."""

    def __init__(self, cause: str, **details: Any) -> None:
        super().__init__(cause)
        self.report: dict[str, Any] = {"accepted": False, "cause": cause, **details}
