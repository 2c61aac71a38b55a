"""The clouds whose stacks can be worked on: each folder of sml/ with an `account.py`."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.tune.trial import Trials

FOLDER = Path(__file__).resolve().parent


class Cloud(Protocol):
    """What is done with a cloud beyond its stores and the stack's API."""

    title: str
    """Where the stack is, for people."""

    def start(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start the training workflow, and return the name of the execution."""
        ...

    def redrive(self, dead_letters: str) -> int:
        """Send dead letters back to the queue they came from, and return their number."""
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

    def pages(self, outputs: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Return the pages of the cloud's own console about a stack: name, what it shows, address."""
        ...


def trials(scheme: str, outputs: Mapping[str, Any], function: str, entrance: Mapping[str, str] | None) -> Trials:
    """Return the copies of a function, by its name in the stack, in the cloud whose stores have URLs of this scheme.

    `entrance` leads to an embedded cloud. Raise `Mistake` for a function that the outputs do not name.
    """
    known = outputs.get("functions") or {}
    if function not in known:
        raise Mistake(f"the stack's outputs name no function {function}: deploy it with this release first")
    return importlib.import_module(f"sml.{schemes()[scheme]}").open_trials(outputs, known[function], entrance)


def region(scheme: str, outputs: Mapping[str, Any]) -> str:
    """Return the region of a stack in the cloud whose stores have URLs of this scheme."""
    return importlib.import_module(f"sml.{schemes()[scheme]}").region_of(outputs)


def name_of(execution: str) -> str:
    """Return the name of an execution, without those of its cloud and its workflow: what its notes are kept by."""
    return execution.rpartition(":")[2].rpartition("/")[2]


@cache
def schemes() -> Mapping[str, str]:
    """Return the folder of each cloud, by the scheme of its stores' URLs."""
    names = sorted(file.parent.name for file in FOLDER.glob("*/account.py"))
    return {importlib.import_module(f"sml.{name}").SCHEME: name for name in names}


def account(scheme: str) -> Cloud:
    """Return the cloud whose stores have URLs of this scheme, as an account that the environment has a way into."""
    return importlib.import_module(f"sml.{schemes()[scheme]}").open_account()
