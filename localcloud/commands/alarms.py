"""Looks at the alarms of a stack that is up, and tells when one fires and when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from localcloud.engine.alarms import AlarmState
from localcloud.engine.cloud import CloudFailed
from localcloud.engine.stack import LocalStack
from localcloud.support.while_inside import WhileInside

LOOK_SECONDS = 5.0
"""How often they are looked at: CloudWatch and Cloud Monitoring do so once a minute."""


class AlarmTeller(WhileInside):
    """Says when an alarm fires, and when it ends, for as long as the `with` block lasts."""

    def __init__(self, stack: LocalStack, say: Callable[[str], None], clock: Callable[[], float] = time.time) -> None:
        """`say` is told each change."""
        super().__init__()
        self._stack, self._say, self._clock = stack, say, clock
        self._lock = threading.Lock()
        self._since: dict[str, float] = {}
        """When an alarm that is firing was first seen to, in seconds since 1970."""

    def work(self, number: int) -> None:
        while not self.over.wait(LOOK_SECONDS):
            try:
                self.look()
            except (CloudFailed, OSError):
                # The cloud has ended, or does: whoever follows the edits says so.
                continue

    def look(self) -> list[dict[str, Any]]:
        """Return the state of each alarm now, by its name in the outputs, and tell what has changed since the last."""
        with self._lock:
            names = {called: name for name, called in (self._stack.outputs.get("alarms") or {}).items()}
            found = [(names.get(state.name, state.name), state) for state in self._stack.alarms(self._clock())]
            for name, state in found:
                self._tell(name, state)
            return [{"name": name, **state.document, "since": self._since.get(name)} for name, state in found]

    def _tell(self, name: str, state: AlarmState) -> None:
        if state.firing and name not in self._since:
            self._since[name] = self._clock()
            self._say(f"{name}: {state.text}")
        elif not state.firing and self._since.pop(name, None) is not None:
            self._say(f"{name}: it has ended")
