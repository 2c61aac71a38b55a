"""The cloud that is embedded in the process of `make up`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.here import Here

JOBS = "jobs"


class EmbeddedCloud:
    """Asks the process that runs the stack."""

    title = "this machine"

    def __init__(self, here: Here) -> None:
        self._here = here

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        return self._here.ask("start", workflow=workflow, argument=dict(argument))["execution"]

    def redrive(self, dead_letters: str) -> int:
        del dead_letters
        return self._here.ask("redrive", function=JOBS)["moved"]

    def signed(self, method: str, url: str, body: bytes, callers: str) -> Mapping[str, str]:
        del method, url, body, callers
        return {}

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        del outputs
        return []
