"""Demands to stop a stack on AWS: a person's message, or what AWS Budgets tells a topic, which fills the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.adapters.aws.parts import parts
from functions.adapters.aws.queue import handler, object_of
from functions.adapters.aws.signed import Aws
from functions.core.stopping.demand import BUDGET, LONGEST, Action, Demand
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.adapters.aws.queue import Handle
    from functions.core.runtime.consumer import Consumer
    from functions.core.runtime.environment import Environment
    from functions.core.stopping.part import Part

    Entry = Callable[[Environment, Sequence[Part]], Consumer[Demand]]


def demands(entry: Entry) -> Handle:
    """Return the Lambda function that consumes demands."""

    def composed(environment: Environment) -> Consumer[Demand]:
        named = json.loads(environment.text(variables.STOPS))
        return entry(environment, parts(named, Aws(environment).ask))

    return handler(composed, demand_of)


def demand_of(body: Any) -> Demand:
    """Read a message. Raise `ValueError` for one that is neither.

    A topic wraps what it is told: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html. What AWS
    Budgets says is a text for people, which is passed on; that it says something is what counts.
    """
    message = object_of(body)
    if message.get("Type") != "Notification":
        return Demand.of_person(message)
    at, said = message.get("Timestamp"), message.get("Subject") or message.get("Message")
    if not isinstance(at, str) or not isinstance(said, str):
        raise ValueError("the notification says neither when nor what")
    return Demand(action=Action.STOP, by=BUDGET, why=" ".join(said.split())[:LONGEST], month=at[:7])
