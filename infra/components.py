"""What the components of every cloud offer each other, and the blueprint: each cloud has a class for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pulumi


class Store(Protocol):
    """A private, encrypted, versioned bucket."""

    ref: pulumi.Output[str]
    """Its name in this cloud's access rules: an ARN, a resource name."""
    name: pulumi.Output[str]
    url: pulumi.Output[str]
    """s3://..., gs://..., az://...: the functions open it as it is."""


class Queue(Protocol):
    """A queue whose messages survive a failing consumer, with another one for those that never pass."""

    ref: pulumi.Output[str]
    url: pulumi.Output[str]
    dead_letters: pulumi.Output[str]
    """Where messages end that failed every attempt."""


class Function(Protocol):
    """A deployed function with an identity of its own."""

    ref: pulumi.Output[str]
    """What a caller names to invoke the published version."""
    name: pulumi.Output[str]
    logs: pulumi.Output[str]
    """Where the cloud's own interface finds its log lines."""


class Workflow(Protocol):
    """A durable workflow; `Arrival` and `Schedule` start it."""

    ref: pulumi.Output[str]


class Api(Protocol):
    """The HTTP API."""

    endpoint: pulumi.Output[str]
    """The base URL, without a trailing slash."""
    callers: pulumi.Output[str]
    """Where callers use the cloud's own identities, what each needs a permission on; else empty."""


class Monitor(Protocol):
    """The metrics of a stack, its alarms and who hears of them."""

    alarms: pulumi.Output[Mapping[str, str]]
    """What the cloud calls each alarm, by its name in the table."""
    dashboard: pulumi.Output[str]
    """The address of the dashboard; empty where there is none."""
