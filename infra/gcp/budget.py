"""Budgets of Cloud Billing: what is billed for whatever has the label of the stack, in its project."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

from infra.gcp.queue import Queue
from infra.labels import label
from infra.vocabulary import BudgetArgs


class Budget(pulumi.ComponentResource):
    """A budget of a month, whose notifications go to the addresses, by channels, and to who looks after the account.

    A webhook cannot hear of it: only channels that mail are accepted. The topic of the function that stops the stack
    hears of every cost that is known, several times a day, so that the function compares. The budget lets its own
    account publish there. The currency is that of the billing account.
    https://cloud.google.com/billing/docs/how-to/budgets-programmatic-notifications
    """

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Budget", name, None, opts)
        child_opts = pulumi.ResourceOptions(parent=self)
        stack = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        if args.demands is not None and not isinstance(args.demands, Queue):
            raise TypeError(f"budget {name}: {type(args.demands).__name__} is not a queue of this cloud")
        # Looked up where it is used: its number is known by then.
        project = gcp.organizations.get_project_output(opts=pulumi.InvokeOutputOptions(parent=self))
        channels = [
            gcp.monitoring.NotificationChannel(
                f"{name}-email-{at}",
                type="email",
                display_name=f"{stack}: budget",
                labels={"email_address": address},
                opts=child_opts,
            )
            for at, address in enumerate(args.email, start=1)
        ]
        shares = [*args.warn_at, *([] if args.stop_at is None else [args.stop_at])]
        told: gcp.billing.BudgetAllUpdatesRuleArgsDict = {
            **({"monitoring_notification_channels": [channel.id for channel in channels]} if channels else {}),
            **({"pubsub_topic": args.demands.ref} if args.demands is not None else {}),
        }
        service = gcp.projects.Service(
            f"{name}-service", service="billingbudgets.googleapis.com", disable_on_destroy=False, opts=child_opts
        )
        gcp.billing.Budget(
            f"{name}-month",
            billing_account=args.billing_account,
            display_name=stack,
            amount={"specified_amount": {"units": str(args.usd_a_month)}},
            budget_filter={
                "projects": [pulumi.Output.concat("projects/", project.number)],
                "labels": {"stack": label(pulumi.get_stack())},
                "calendar_period": "MONTH",
            },
            threshold_rules=[{"threshold_percent": share} for share in sorted(set(shares))],
            all_updates_rule=told or None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[service]),
        )
        self.register_outputs({})
