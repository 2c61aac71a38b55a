"""Demands to stop a stack on GCP: a person's message, or what Cloud Billing tells the topic of every cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from functions.adapters.gcp.asked import Google
from functions.adapters.gcp.parts import parts
from functions.adapters.gcp.queue import handler, object_of
from functions.core.stopping.demand import BUDGET, Action, Demand
from interface import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from functions.adapters.gcp.queue import Handle
    from functions.core.runtime.consumer import Consumer
    from functions.core.runtime.environment import Environment
    from functions.core.stopping.part import Part

    Entry = Callable[[Environment, Sequence[Part]], Consumer[Demand]]


def demands(entry: Entry) -> Handle:
    """Return the function that consumes demands."""

    def composed(environment: Environment) -> Consumer[Demand]:
        named = json.loads(environment.text(variables.STOPS))
        return entry(environment, parts(named, Google(environment).ask))

    return handler(composed, demand_of)


def demand_of(message: dict[str, Any]) -> Demand:
    """Read a message. Raise `ValueError` for one that is neither.

    https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications#notification-format
    """
    content = object_of(message)
    if "costAmount" not in content:
        return Demand.of_person(content)
    cost, since = content["costAmount"], content.get("costIntervalStart")
    if not isinstance(cost, int | float) or isinstance(cost, bool) or not isinstance(since, str):
        raise ValueError("the notification says neither what was spent nor since when")
    spent = f"{cost:,.2f} {content.get('currencyCode', '')}".strip()
    return Demand(action=Action.STOP, by=BUDGET, why=f"{spent} since {since[:10]}", month=since[:7], spent=float(cost))
