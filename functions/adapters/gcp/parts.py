"""What of a stack can be stopped on GCP: services of Cloud Run, push subscriptions, jobs of Cloud Scheduler."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from functions.core.stopping.asked_part import Ask, AskedPart
from functions.core.stopping.part import Part, State

RUN, PUBSUB, SCHEDULER = "run.googleapis.com", "pubsub.googleapis.com", "cloudscheduler.googleapis.com"
ZERO = {"scalingMode": "MANUAL", "manualInstanceCount": 0}
SETTLED_SECONDS = 60
PAUSE_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class ServicePart(AskedPart):
    """A function, by its service: so many instances, and none, in place of a scale.

    A service that goes back to a scale wants both of its bounds, or takes the number that it had for both:
    https://cloud.google.com/run/docs/configuring/services/manual-scaling. Where it had none of its own, they become
    zero and what its revision says, which bounds it as before.
    """

    kind = "function"
    sleep: Callable[[float], None] = time.sleep

    def state(self) -> State:
        service = self._ask(RUN, "GET", f"/v2/{self.called}")
        scaling = dict(service.get("scaling") or {})
        if scaling.get("scalingMode") == "MANUAL":
            # A count of zero may be left out.
            return {"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": scaling.get("manualInstanceCount", 0)}}
        most = service["template"].get("scaling", {}).get("maxInstanceCount")
        bounds = {"minInstanceCount": 0, **({} if most is None else {"maxInstanceCount": most})}
        return {"scaling": {**bounds, **scaling, "scalingMode": "AUTOMATIC"}}

    def is_stopped(self, state: State) -> bool:
        return state["scaling"] == ZERO

    def stop(self) -> None:
        self._scale(ZERO)

    def resume(self, before: State) -> None:
        self._scale(before["scaling"])

    def _scale(self, scaling: Mapping[str, Any]) -> None:
        asked = {"scaling": dict(scaling)}
        operation: dict[str, Any] = self._ask(RUN, "PATCH", f"/v2/{self.called}", asked, updateMask="scaling")
        for _ in range(SETTLED_SECONDS // PAUSE_SECONDS):
            if operation.get("done"):
                break
            self.sleep(PAUSE_SECONDS)
            # Whether an operation may be read is another permission: what it has come to is what counts.
            operation = {"done": not self._ask(RUN, "GET", f"/v2/{self.called}").get("reconciling", False)}
        if "error" in operation:
            raise OSError(f"{self.name}: {operation['error']['message']}")


class SubscriptionPart(AskedPart):
    """A push subscription: one that does not push keeps its messages.

    https://cloud.google.com/pubsub/docs/push#temporarily_disabling_push_delivery
    """

    kind = "subscription"

    def state(self) -> State:
        return {"push": dict(self._ask(PUBSUB, "GET", f"/v1/{self.called}").get("pushConfig") or {})}

    def is_stopped(self, state: State) -> bool:
        return not state["push"]

    def stop(self) -> None:
        self._push({})

    def resume(self, before: State) -> None:
        self._push(before["push"])

    def _push(self, config: Mapping[str, Any]) -> None:
        self._ask(PUBSUB, "POST", f"/v1/{self.called}:modifyPushConfig", {"pushConfig": dict(config)})


class JobPart(AskedPart):
    """A job of Cloud Scheduler."""

    kind = "schedule"

    def state(self) -> State:
        return {"state": self._ask(SCHEDULER, "GET", f"/v1/{self.called}")["state"]}

    def is_stopped(self, state: State) -> bool:
        return state["state"] == "PAUSED"

    def stop(self) -> None:
        self._ask(SCHEDULER, "POST", f"/v1/{self.called}:pause", {})

    def resume(self, before: State) -> None:
        if not self.is_stopped(before):
            self._ask(SCHEDULER, "POST", f"/v1/{self.called}:resume", {})


KINDS: Mapping[str, type[AskedPart]] = {"job": JobPart, "subscription": SubscriptionPart, "service": ServicePart}
"""By what infra/gcp/stop.py calls them, in the order in which they are stopped."""


def parts(named: Mapping[str, list[str]], ask: Ask) -> list[Part]:
    """Return the parts of a stack, in the order in which they are stopped."""
    return [kind(called=called, ask=ask) for name, kind in KINDS.items() for called in named[name]]  # ty: ignore
