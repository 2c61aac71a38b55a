"""What the alarms of the embedded AWS read of its services."""

from __future__ import annotations

import time

import pulumi_aws as aws

from localcloud.aws.alarms import counted, monitoring
from localcloud.engine.alarms import states
from tests.localcloud.conftest import AwsLab

PERIOD_SECONDS = 60


def late() -> None:
    """Declare a queue, and an alarm of a message that has waited for the tenth of a second."""
    queue = aws.sqs.Queue("late")
    aws.cloudwatch.MetricAlarm(
        "late",
        namespace="AWS/SQS",
        metric_name="ApproximateAgeOfOldestMessage",
        dimensions={"QueueName": queue.name},
        statistic="Maximum",
        comparison_operator="GreaterThanOrEqualToThreshold",
        threshold=0.1,
        period=PERIOD_SECONDS,
        evaluation_periods=1,
        alarm_description="a message waits",
        treat_missing_data="notBreaching",
    )


def firing(lab: AwsLab, now: float) -> bool:
    resources = list(lab.engine.resources)
    samples = list(counted(lab.cloud.session, resources, [], now))
    (state,) = states(monitoring(resources).rules, samples, now)
    return state.firing


def test_a_message_that_waits_too_long_is_an_alarm_until_it_is_taken(aws_lab: AwsLab) -> None:
    aws_lab.deploy(late)
    queues, url = aws_lab.client("sqs"), aws_lab.resource("aws:sqs/queue:Queue").id
    assert not firing(aws_lab, time.time())
    queues.send_message(QueueUrl=url, MessageBody="first")
    (message,) = queues.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    time.sleep(0.11)
    queues.send_message(QueueUrl=url, MessageBody="second")
    assert firing(aws_lab, time.time()), "a message that was received and not deleted waits, too"
    queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    queues.purge_queue(QueueUrl=url)
    assert not firing(aws_lab, time.time() + PERIOD_SECONDS + 1)
