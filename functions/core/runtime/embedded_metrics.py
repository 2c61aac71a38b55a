"""Usage as metrics of CloudWatch, embedded in a line of the log, from which CloudWatch takes them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = "serverless-ml"
NAMES = ("gb_seconds", "usd", "kwh", "grams")
"""The fields of a line that are metrics. CloudWatch charges for each name and each value of the dimensions."""


def embedded(dimensions: Mapping[str, str], function: str) -> dict[str, Any]:
    """Return what makes metrics of the fields `NAMES` of a line, by the function and these dimensions of it."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["function", *dimensions]],
        "Metrics": [{"Name": name} for name in NAMES],
    }
    return {"function": function, "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
