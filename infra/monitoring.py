"""What of a stack is watched: its functions by their rows, its API, its workflow, and what keeps messages."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra import serving
from infra.alarms import alarms, metrics
from infra.settings import Settings
from infra.vocabulary import Api, Cloud, Function, Monitor, MonitorArgs, Workflow


def monitor(
    cloud: Cloud,
    settings: Settings,
    functions: Mapping[str, Function],
    keeping: Mapping[str, object],
    training: Workflow,
    api: Api,
    opts: pulumi.ResourceOptions,
) -> Monitor | None:
    """Declare the alarms of a stack; None where its settings want none."""
    chosen = alarms(settings.alerts)
    if not chosen:
        return None
    answering = {group.name: functions[group.name] for group in serving.groups(settings)}
    rows = {row for lines in metrics(chosen) for row in lines.by}
    args = MonitorArgs(
        alarms=chosen,
        functions={row: answering if row == "predict" else {row: functions[row]} for row in sorted(rows)},
        api=api,
        workflow=training,
        keeping=keeping,
        email=settings.alerts.email,
        webhook=settings.alerts.webhook,
        dashboard=settings.alerts.dashboard,
    )
    return cloud.monitor("monitor", args, opts)
