"""What of a stack can be stopped on AWS: functions, copies that are kept ready, consumers of queues, schedules."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from functions.core.stopping.asked_part import Ask, AskedPart
from functions.core.stopping.part import NoSuchPart, Part, State

SETTLED_SECONDS = 90
"""How long a consumer may take until it has let its queue alone: it is asked for a minute at most."""
PAUSE_SECONDS = 2
OWN = frozenset({"Arn", "CreationDate", "LastModificationDate", "Name"})
"""What a schedule is told with, and is not changed by."""


class FunctionPart(AskedPart):
    """A function: reserved concurrency of zero stops it."""

    kind = "function"

    def state(self) -> State:
        found = self._ask("lambda", "GET", f"/2019-09-30/functions/{self.called}/concurrency")
        return {"reserved": found.get("ReservedConcurrentExecutions")}

    def is_stopped(self, state: State) -> bool:
        return state["reserved"] == 0

    def stop(self) -> None:
        self._reserve(0)

    def resume(self, before: State) -> None:
        if before["reserved"] is None:
            self._ask("lambda", "DELETE", f"/2017-10-31/functions/{self.called}/concurrency")
        else:
            self._reserve(before["reserved"])

    def _reserve(self, copies: int) -> None:
        asked = {"ReservedConcurrentExecutions": copies}
        self._ask("lambda", "PUT", f"/2017-10-31/functions/{self.called}/concurrency", asked)


class ReadyPart(AskedPart):
    """The copies of an alias, `function:alias`, that are kept ready: there are none once they have no configuration."""

    kind = "ready copies of"

    def state(self) -> State:
        try:
            found = self._ready("GET")
        except NoSuchPart:
            return {"ready": 0}
        return {"ready": found["RequestedProvisionedConcurrentExecutions"]}

    def is_stopped(self, state: State) -> bool:
        return state["ready"] == 0

    def stop(self) -> None:
        self._ready("DELETE")

    def resume(self, before: State) -> None:
        if before["ready"]:
            self._ready("PUT", {"ProvisionedConcurrentExecutions": before["ready"]})

    def _ready(self, method: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        function, _, alias = self.called.partition(":")
        return self._ask(
            "lambda", method, f"/2019-09-30/functions/{function}/provisioned-concurrency", body, Qualifier=alias
        )


@dataclass(frozen=True, kw_only=True)
class MappingPart(AskedPart):
    """What calls a function with the messages of its queue."""

    kind = "consumer"
    sleep: Callable[[float], None] = time.sleep

    def state(self) -> State:
        return {"enabled": self._mapping("GET")["State"] not in ("Disabled", "Disabling")}

    def is_stopped(self, state: State) -> bool:
        return not state["enabled"]

    def stop(self) -> None:
        """Have the queue let alone, and wait until it is: a message that finds no copy counts as delivered."""
        state = self._mapping("PUT", {"Enabled": False})["State"]
        for _ in range(SETTLED_SECONDS // PAUSE_SECONDS):
            if state == "Disabled":
                return
            self.sleep(PAUSE_SECONDS)
            state = self._mapping("GET")["State"]
        raise TimeoutError(f"{self.name} still takes messages after {SETTLED_SECONDS} s: it is {state}")

    def resume(self, before: State) -> None:
        self._mapping("PUT", {"Enabled": before["enabled"]})

    def _mapping(self, method: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._ask("lambda", method, f"/2015-03-31/event-source-mappings/{self.called}", body)


class SchedulePart(AskedPart):
    """A schedule. A change of it has to say everything that is to stay."""

    kind = "schedule"

    def state(self) -> State:
        return {"state": self._schedule().get("State", "ENABLED")}

    def is_stopped(self, state: State) -> bool:
        return state["state"] == "DISABLED"

    def stop(self) -> None:
        self._set("DISABLED")

    def resume(self, before: State) -> None:
        self._set(before["state"])

    def _schedule(self) -> dict[str, Any]:
        return self._ask("scheduler", "GET", f"/schedules/{quote(self.called)}")

    def _set(self, state: str) -> None:
        kept = {name: value for name, value in self._schedule().items() if name not in OWN}
        self._ask("scheduler", "PUT", f"/schedules/{quote(self.called)}", {**kept, "State": state})


KINDS: Mapping[str, type[AskedPart]] = {
    "schedule": SchedulePart,
    "mapping": MappingPart,
    "ready": ReadyPart,
    "function": FunctionPart,
}
"""By what infra/aws/stop.py calls them, in the order in which they are stopped."""


def parts(named: Mapping[str, list[str]], ask: Ask) -> list[Part]:
    """Return the parts of a stack, in the order in which they are stopped."""
    return [kind(called=called, ask=ask) for name, kind in KINDS.items() for called in named[name]]  # ty: ignore
