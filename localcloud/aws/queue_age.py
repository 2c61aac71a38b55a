"""Has the embedded AWS measure how old the oldest message of each queue is, as SQS tells CloudWatch."""

from __future__ import annotations

import time
from typing import Any

NAMESPACE, METRIC = "AWS/SQS", "ApproximateAgeOfOldestMessage"


def measure(cloudwatch: Any, queues: Any) -> None:
    """Have each question for a metric's statistics find the age at this moment, in seconds; 0 for an empty queue.

    SQS itself tells it once a minute, of messages that are not deleted.
    """
    answer = cloudwatch._get_metric_statistics

    def answered(*args: Any, **named: Any) -> Any:
        for queue in list(queues._queues.values()):
            oldest = min((message["sent_at"] for message in queue["messages"]), default=None)
            seconds = 0.0 if oldest is None else time.time() - oldest
            cloudwatch.record_metric(NAMESPACE, METRIC, seconds, "Seconds", {"QueueName": queue["name"]})
        return answer(*args, **named)

    cloudwatch._get_metric_statistics = answered
