"""The cloud that is embedded in the process of `make up`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.mistake import Mistake

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

    def bill(
        self, outputs: Mapping[str, Any], stack: str, since: str, until: str, table: str | None
    ) -> list[dict[str, Any]]:
        del outputs, since, until, table
        raise Mistake(
            f"nobody bills the stack {stack}, which runs on this machine; accepted: one in an account, --stack"
        )

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        del outputs
        return []
