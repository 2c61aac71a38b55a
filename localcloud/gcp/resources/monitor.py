"""Metrics of log lines and alert policies, which this machine itself evaluates: localcloud/gcp/alarms.py."""

from __future__ import annotations

from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, put

UNTOLD = "who is up here reads it in the terminal of `make up`, and by `sml alarms`"


def _metric(order: Order) -> Registered:
    name = order.name(limit=100)
    return Registered(id=name, outputs={**order.inputs, "name": name})


def _policy(order: Order) -> Registered:
    name = f"projects/{order.session.name}/alertPolicies/{order.name(key='unnamed')}"
    return Registered(id=name, outputs={**order.inputs, "name": name})


HANDLERS = {
    "gcp:logging/metric:Metric": put(
        _metric,
        takes=frozenset(
            {"name", "project", "filter", "valueExtractor", "labelExtractors", "metricDescriptor", "bucketOptions"}
        ),
        fixed=frozenset({"name"}),
    ),
    "gcp:monitoring/alertPolicy:AlertPolicy": put(
        _policy,
        takes=frozenset({"project", "displayName", "combiner", "conditions", "documentation", "userLabels"}),
        ignores={"alertStrategy": UNTOLD, "notificationChannels": UNTOLD},
    ),
}
ABSENT = {
    "gcp:monitoring/dashboard:Dashboard": "there is no console here to show it",
    "gcp:monitoring/notificationChannel:NotificationChannel": UNTOLD,
}
