"""What a function is told by its environment: the only reader of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from functions.core.log import Log
from functions.core.objects import Objects, open_store

if TYPE_CHECKING:
    from collections.abc import Mapping


class Environment:
    """The variables of one function. A missing one is named by the `KeyError` it raises."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = os.environ if values is None else values

    def text(self, name: str) -> str:
        if name not in self._values:
            raise KeyError(f"the environment variable {name} is not set")
        return self._values[name]

    def number(self, name: str) -> float:
        return float(self.text(name))

    def names(self, name: str) -> tuple[str, ...]:
        """A list separated by commas."""
        return tuple(part.strip() for part in self.text(name).split(",") if part.strip())

    def store(self, name: str, *, patience_seconds: float = 20) -> Objects:
        """The store whose URL the variable holds. Region, endpoint and credentials are AWS's own variables."""
        # A bucket has its own host name on S3; at another endpoint only paths tell buckets apart.
        own_host = not self._values.get("AWS_ENDPOINT_URL")
        options = {"virtual_hosted_style_request": own_host}
        if not own_host:
            options["endpoint"] = self._values["AWS_ENDPOINT_URL"]
        return open_store(self.text(name), options=options, patience_seconds=patience_seconds)

    def log(self) -> Log:
        return Log(level=self._values.get("LOG_LEVEL", "INFO"))
