"""The environment variables of a function, and what they configure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.runtime.log import Log
from functions.core.runtime.usage import Metering
from functions.core.storage.objects import Objects
from functions.core.storage.store_url import open_store
from interface import variables
from interface.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.log import Traced
    from functions.core.runtime.usage import Metrics


class Environment:
    """The environment variables of one function. Every method raises `KeyError` for a variable that is not set.

    `store_options` are passed to the client of every store unchanged. `token` returns one of the
    function's account, where a store takes it. `log_level_name` is the field in which the cloud's
    log expects the level of a line, `traced` returns those by which it finds the lines of a span. `metrics`
    makes a line of the log into metrics, where the cloud reads them there.
    """

    def __init__(
        self,
        values: Mapping[str, str],
        *,
        store_options: Mapping[str, Any] | None = None,
        token: Callable[[], str] | None = None,
        log_level_name: str = "level",
        traced: Traced | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._values = values
        self._store_options = store_options
        self._token = token
        self._log_level_name = log_level_name
        self._traced = traced
        self._opened: list[Objects] = []
        meter = self._meter()
        self.metering = None if meter is None else Metering(meter, metrics=metrics)
        """Measures the calls of this copy of the function; None where nobody knows what they use."""

    def text(self, name: str) -> str:
        if name not in self._values:
            raise KeyError(f"the environment variable {name} is not set")
        return self._values[name]

    def optional(self, name: str) -> str | None:
        """Return the variable, or None where it is not set."""
        return self._values.get(name)

    def number(self, name: str) -> float:
        return float(self.text(name))

    def names(self, name: str, *, optional: bool = False) -> tuple[str, ...]:
        """Return a list separated by commas; an empty one when the variable is optional and not set."""
        text = self._values.get(name, "") if optional else self.text(name)
        return tuple(name.strip() for name in text.split(",") if name.strip())

    def _meter(self) -> Meter | None:
        """Return the meter that the stack was deployed with; None where there is none that this release reads."""
        try:
            return Meter.from_json(self._values[variables.METER])
        except (KeyError, TypeError, ValueError):
            return None

    def store(self, name: str, *, patience_seconds: float = 20) -> Objects:
        """Open the store whose URL the variable holds."""
        url = self.text(name)
        store = open_store(
            url,
            options=self._store_options,
            patience_seconds=patience_seconds,
            token=self._token,
            passed_over=lambda key: self.log().warning("a key that cannot be read, passed over", store=url, key=key),
        )
        self._opened.append(store)
        return store

    def token(self) -> str:
        """Return a token of the function's account. Raise `RuntimeError` on a cloud that has none."""
        if self._token is None:
            raise RuntimeError("this cloud gives its functions no token")
        return self._token()

    def renew(self) -> None:
        """Open new connections for every store that was opened."""
        for store in self._opened:
            store.renew()

    def log(self, **options: Any) -> Log:
        """Return a log whose level the environment decides; `options` are the other arguments of `Log`."""
        level = self._values.get(variables.LOG_LEVEL, "INFO")
        return Log(level=level, level_name=self._log_level_name, traced=self._traced, **options)
