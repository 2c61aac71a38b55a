"""What a function is told by its variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.runtime.log import Log
from functions.core.storage.objects import Objects, open_store
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Mapping


class Environment:
    """The variables of one function. A missing one is named by the `KeyError` it raises.

    `store_options` go to the client of every store as they are. `log_level_name` is what
    the cloud's log calls the level of a line.
    """

    def __init__(
        self,
        values: Mapping[str, str],
        *,
        store_options: Mapping[str, Any] | None = None,
        log_level_name: str = "level",
    ) -> None:
        self._values = values
        self._store_options = store_options
        self._log_level_name = log_level_name
        self._opened: list[Objects] = []

    def text(self, name: str) -> str:
        if name not in self._values:
            raise KeyError(f"the environment variable {name} is not set")
        return self._values[name]

    def number(self, name: str) -> float:
        return float(self.text(name))

    def names(self, name: str, *, optional: bool = False) -> tuple[str, ...]:
        """A list separated by commas; an optional one that is not there is empty."""
        text = self._values.get(name, "") if optional else self.text(name)
        return tuple(part.strip() for part in text.split(",") if part.strip())

    def store(self, name: str, *, patience_seconds: float = 20) -> Objects:
        """The store whose URL the variable holds."""
        store = open_store(self.text(name), options=self._store_options, patience_seconds=patience_seconds)
        self._opened.append(store)
        return store

    def renew(self) -> None:
        """Every store that was opened, by connections of its own from now on."""
        for store in self._opened:
            store.renew()

    def log(self, **options: Any) -> Log:
        """Every option of `Log` that is not the environment's to say."""
        return Log(level=self._values.get(variables.LOG_LEVEL, "INFO"), level_name=self._log_level_name, **options)
