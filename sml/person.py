"""Who does something that is recorded: as the cloud knows them, else as the machine does."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sml.stack import Stack

LOGIN = "login name"
"""What a record says where no cloud has checked who it was."""


@dataclass(frozen=True, kw_only=True)
class Person:
    by: str
    known_by: str
    """The cloud that has checked it, or `LOGIN`."""


def person(stack: Stack) -> Person:
    """Return who acts on a stack. Raise `Unreachable` where its cloud does not know them."""
    known = stack.cloud.person(stack.outputs)
    if known:
        return Person(by=known, known_by=stack.cloud.title)
    try:
        return Person(by=getpass.getuser(), known_by=LOGIN)
    except (OSError, KeyError):
        return Person(by="somebody", known_by=LOGIN)
