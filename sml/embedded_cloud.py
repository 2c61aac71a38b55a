"""The cloud that is embedded in the process of `make up`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.alarm import Alarm, State
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sml.clouds import Cloud
    from sml.here import Here


class EmbeddedCloud:
    """Asks the process that runs the stack, and signs as the cloud itself has requests signed."""

    title = "this machine"

    def __init__(self, here: Here, cloud: Callable[[], Cloud]) -> None:
        """`cloud` returns what is embedded, whose client takes long to import."""
        self._here = here
        self._cloud = cloud

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        return self._here.ask("start", workflow=workflow, argument=dict(argument))["execution"]

    def send(self, function: str, queue: str, message: Mapping[str, Any]) -> None:
        del queue
        self._here.ask("send", function=function, message=dict(message))

    def redrive(self, function: str, dead_letters: str) -> int:
        del dead_letters
        return self._here.ask("redrive", function=function)["moved"]

    def signed(self, method: str, url: str, body: bytes, callers: str) -> Mapping[str, str]:
        return self._cloud().signed(method, url, body, callers)

    def bill(
        self, outputs: Mapping[str, Any], stack: str, since: str, until: str, table: str | None
    ) -> list[dict[str, Any]]:
        del outputs, since, until, table
        raise Mistake(
            f"nobody bills the stack {stack}, which runs on this machine; accepted: one in an account, --stack"
        )

    def alarms(self, outputs: Mapping[str, Any]) -> list[Alarm]:
        del outputs
        return [
            Alarm(
                name=one["name"],
                state=State.FIRING if one["firing"] else State.QUIET,
                since=one["since"],
                text=one["text"],
            )
            for one in self._here.ask("alarms")["alarms"]
        ]

    def person(self, outputs: Mapping[str, Any]) -> str | None:
        del outputs
        return None

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        del outputs
        return []
