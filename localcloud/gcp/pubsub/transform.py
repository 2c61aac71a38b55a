"""Single message transforms: JavaScript functions that change a message, or drop it.

https://cloud.google.com/pubsub/docs/smts/udfs-overview
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import dukpy

from localcloud.gcp.pubsub.message import Message, timestamp

LARGEST_CODE = 20 * 1024
"""Bytes."""


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A function in JavaScript. It keeps nothing from one message to the next; nothing bounds its time here."""

    function_name: str
    code: str

    def __post_init__(self) -> None:
        """Raise `ValueError` for code that Pub/Sub would refuse."""
        if len(self.code.encode()) > LARGEST_CODE:
            raise ValueError(f"transform {self.function_name}: its code is too long; accepted: {LARGEST_CODE:,} bytes")
        if self._evaluate(f"typeof {self.function_name}") != "function":
            raise ValueError(f"transform {self.function_name}: its code has no function of this name")

    def __call__(self, message: Message) -> Message | None:
        """Return the message as it goes on, or None if it is dropped. Raises `ValueError` if the function fails."""
        try:
            data = message.data.decode()
        except UnicodeDecodeError:
            raise ValueError(f"transform {self.function_name}: the data of a message is not UTF-8") from None
        given = {"data": data, "attributes": dict(message.attributes)}
        metadata = {
            "message_id": message.id,
            "publish_time": timestamp(message.published),
            "ordering_key": message.ordering_key,
        }
        result = self._evaluate(f"{self.function_name}({json.dumps(given)}, {json.dumps(metadata)})")
        if result is None:
            return None
        if not isinstance(result, dict) or not isinstance(result.get("data"), str):
            raise ValueError(f"transform {self.function_name}: it returned neither null nor a message")
        return replace(message, data=result["data"].encode(), attributes=result.get("attributes") or {})

    def _evaluate(self, expression: str) -> Any:
        try:
            return dukpy.evaljs([self.code, expression])
        except dukpy.JSRuntimeError as problem:
            raise ValueError(f"transform {self.function_name}: {str(problem).splitlines()[0]}") from None
