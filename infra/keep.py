"""What a protected stack keeps of what holds data, of what is known outside of it, and of what guards either."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import pulumi


class Keep(StrEnum):
    """What becomes of a thing when the stack is destroyed, or no longer declares it."""

    NOTHING = "nothing"
    """It is deleted."""
    PROTECTED = "protected"
    """The deletion is refused: for what every stack has, whatever its settings are."""
    LEFT = "left"
    """It stays in the cloud, and the stack forgets it: for what comes and goes with a setting."""


@dataclass(frozen=True, kw_only=True)
class Lasting:
    """What has something that lasts.

    That is a store's objects; a queue's messages and dead letters, and whatever an arrival or a schedule could not
    deliver; the logs of a function, of the API and of a workflow; the API's address and the identity of its callers;
    a workflow's name and its executions; and an identity that somebody else may have granted something.
    """

    keep: Keep = Keep.NOTHING


@dataclass(frozen=True, kw_only=True)
class Traced(Lasting):
    """What lasts and can be traced by the cloud."""

    traced: bool = False
    """Whether it is, where that has to be asked for and is charged for."""


def kept(opts: pulumi.ResourceOptions, keep: Keep) -> pulumi.ResourceOptions:
    """Return the options of a thing that lasts."""
    lasting = pulumi.ResourceOptions(
        protect=True if keep is Keep.PROTECTED else None, retain_on_delete=True if keep is Keep.LEFT else None
    )
    return pulumi.ResourceOptions.merge(opts, lasting)


def guarding(opts: pulumi.ResourceOptions, keep: Keep) -> pulumi.ResourceOptions:
    """Return the options of what guards, fills or reaches a thing that lasts: it is protected with it, or goes."""
    return kept(opts, keep) if keep is Keep.PROTECTED else opts


def always(protect: bool) -> Keep:
    """Return how a stack keeps what it has whatever its settings are."""
    return Keep.PROTECTED if protect else Keep.NOTHING


def passing(protect: bool) -> Keep:
    """Return how a stack keeps what comes and goes with a setting."""
    return Keep.LEFT if protect else Keep.NOTHING
