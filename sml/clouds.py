"""The clouds whose stacks can be worked on: each folder of sml/ with an `account.py`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.alarm import Alarm
    from sml.log_line import Fields, Level, LogLine
    from sml.tune.trial import Trials

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Way:
    """How an embedded cloud is reached in place of an account."""

    endpoint: str
    options: Mapping[str, Any] = field(repr=False)
    """What the stores' client needs, the credentials among it."""
    certificate: str = ""
    """The file with the certificate of its server, if that speaks TLS."""


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """What OpenTelemetry calls a cloud, the platform of its functions, and its queues."""

    provider: str
    platform: str
    messaging: str


class Cloud(Protocol):
    """What is done with a cloud beyond its stores and the stack's API."""

    title: str
    """Where the stack is, for people."""

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start the training workflow, and return the name of the execution."""
        ...

    def send(self, function: str, queue: str, message: Mapping[str, Any]) -> None:
        """Send a message to the queue of a function, which the outputs name."""
        ...

    def redrive(self, function: str, dead_letters: str) -> int:
        """Send dead letters back to the queue of a function, and return their number."""
        ...

    def signed(self, method: str, url: str, body: bytes, callers: str) -> Mapping[str, str]:
        """Return the headers by which the API of a stack with `auth: iam` knows the caller."""
        ...

    def bill(
        self, outputs: Mapping[str, Any], stack: str, since: str, until: str, table: str | None
    ) -> list[dict[str, Any]]:
        """Return what the stack was billed from a day until before another: service, amount and currency.

        `table` is where bills are exported to, for a cloud that is asked there.
        """
        ...

    def alarms(self, outputs: Mapping[str, Any]) -> list[Alarm]:
        """Return each alarm that the outputs name, in their order."""
        ...

    def person(self, outputs: Mapping[str, Any]) -> str | None:
        """Return who is signed in, as the cloud names them; None where it does not tell. Raise `Unreachable`."""
        ...

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Return the pages of the cloud's own console about a stack: name, what it shows, address."""
        ...


class Account(Cloud, Protocol):
    """A cloud as an account of it is worked with."""

    def logged(self, place: str, *, since: float, level: Level | None, most: int, fields: Fields = ()) -> list[LogLine]:
        """Return the newest lines of a log, the oldest first: those since a time, of a level and above.

        With `fields`, names and values, those alone that have one of them.
        """
        ...


def trials(scheme: str, outputs: Mapping[str, Any], function: str, way: Way | None) -> Trials:
    """Return the copies of a function, by its name in the stack, in the cloud whose stores have URLs of this scheme.

    Raise `Mistake` for a function that the outputs do not name.
    """
    known = (outputs.get("functions") or {}).get(function)
    if known is None:
        raise Mistake(f"the stack's outputs name no function {function}: deploy it with this release first")
    return importlib.import_module(f"sml.{schemes()[scheme]}").open_trials(outputs, known["name"], way)


def region(scheme: str, outputs: Mapping[str, Any]) -> str:
    """Return the region of a stack in the cloud whose stores have URLs of this scheme."""
    return importlib.import_module(f"sml.{schemes()[scheme]}").region_of(outputs)


def telemetry(scheme: str) -> Telemetry:
    """Return what OpenTelemetry calls the cloud whose stores have URLs of this scheme."""
    return Telemetry(**importlib.import_module(f"sml.{schemes()[scheme]}").TELEMETRY)


def write_permission(scheme: str, url: str, key: str) -> str:
    """Return the permission that somebody lacks who may not write an object of a store, in the cloud's words."""
    return importlib.import_module(f"sml.{schemes()[scheme]}").write_permission(url, key)


def name_of(execution: str) -> str:
    """Return the name of an execution, without those of its cloud and its workflow: what its notes are kept by."""
    return execution.rpartition(":")[2].rpartition("/")[2]


@cache
def schemes() -> Mapping[str, str]:
    """Return the folder of each cloud, by the scheme of its stores' URLs."""
    names = sorted(file.parent.name for file in FOLDER.glob("*/account.py"))
    return {importlib.import_module(f"sml.{name}").SCHEME: name for name in names}


def account(scheme: str, way: Way | None = None) -> Account:
    """Return the cloud whose stores have URLs of this scheme: an account that the environment has a way into.

    With `way` it is the embedded cloud that this leads to.
    """
    return importlib.import_module(f"sml.{schemes()[scheme]}").open_account(way)


def one_caller(scheme: str) -> bool:
    """Return whether all whom an API with `auth: iam` knows are one caller to it."""
    return importlib.import_module(f"sml.{schemes()[scheme]}").ONE_CALLER
