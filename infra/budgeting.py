"""The budget of a stack: what its settings say of one, as the cloud that watches it wants it."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.function_table import STOP
from infra.settings import KEY, Settings
from infra.vocabulary import BudgetArgs, Cloud, Queue

FOR_ONE_CLOUD = {
    "billing_account": "the id of the billing account that pays for the project, as `gcloud billing accounts list`"
    " tells it",
}
"""The settings of a budget that not every cloud needs, and what each is."""


def require(cloud: Cloud, settings: Settings) -> None:
    """Raise `pulumi.RunError` for a budget that lacks what its cloud needs, or has what nothing reads."""
    budget = settings.budget
    if budget is None:
        return
    for name, what in FOR_ONE_CLOUD.items():
        given, needed = getattr(budget, name) is not None, name in cloud.budget_needs
        where = settings.where(f"budget.{name}" if given else "budget", pulumi.get_stack())
        if needed and not given:
            raise pulumi.RunError(
                f"{where}: {KEY} -> budget.{name} is missing: a budget of {cloud.name} belongs to a billing account,"
                f" not to a project; accepted: {what}"
            )
        if given and not needed:
            raise pulumi.RunError(
                f"{where}: {KEY} -> budget.{name}: a budget of {cloud.name} belongs to the account that the stack is"
                " deployed into, and nothing reads this; accepted: nothing"
            )


def budget(
    cloud: Cloud, settings: Settings, queues: Mapping[str, Queue], opts: pulumi.ResourceOptions
) -> object | None:
    """Declare the budget of a stack, which tells the function that stops it, if there is one; None without a budget."""
    if settings.budget is None:
        return None
    args = BudgetArgs(
        usd_a_month=settings.budget.usd_a_month,
        warn_at=settings.budget.warn_at,
        email=settings.alerts.email,
        webhook=settings.alerts.webhook,
        billing_account=settings.budget.billing_account,
        stop_at=settings.budget.stop_at,
        demands=queues.get(STOP),
    )
    return cloud.budget("budget", args, opts)
