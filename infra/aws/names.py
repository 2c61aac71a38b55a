"""Which names AWS accepts, for each type of resource that Pulumi names. Read on 2026-11-29."""

from __future__ import annotations

from infra.physical_name import Part, PhysicalName

ASSUMED = (Part.FUNCTION, Part.WORKFLOW, Part.START, Part.SCHEDULE)
"""What has a role."""

NAMES = (
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    PhysicalName(type="aws:iam/role:Role", characters=64, of=dict.fromkeys(ASSUMED, ("{}-role",))),
    PhysicalName(type="aws:iam/rolePolicy:RolePolicy", characters=128, of=dict.fromkeys(ASSUMED, ("{}-policy",))),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    PhysicalName(
        type="aws:s3/bucket:Bucket",
        characters=63,
        form="[a-z0-9][a-z0-9.-]+[a-z0-9]",
        of={Part.STORE: ("{}-bucket",)},
    ),
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    PhysicalName(
        type="aws:lambda/function:Function",
        characters=64,
        form="[A-Za-z0-9_-]+",
        of={Part.FUNCTION: ("{}-function",)},
    ),
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    PhysicalName(
        type="aws:cloudwatch/logGroup:LogGroup",
        characters=512,
        of=dict.fromkeys((Part.FUNCTION, Part.WORKFLOW, Part.API), ("{}-logs",)),
    ),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    PhysicalName(
        type="aws:cloudwatch/metricAlarm:MetricAlarm", characters=255, form=".+", of={Part.ALARM: ("monitor-{}",)}
    ),
    # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    PhysicalName(
        type="aws:sns/topic:Topic",
        characters=256,
        form="[A-Za-z0-9_-]+",
        of={Part.TOPIC: ("{}",)},
    ),
    # https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_budgets_Budget.html
    PhysicalName(type="aws:budgets/budget:Budget", characters=100, form=r"[^:\\]+", of={Part.BUDGET: ("{}-month",)}),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
    PhysicalName(
        type="aws:sqs/queue:Queue",
        characters=80,
        form="[A-Za-z0-9_-]+",
        of={
            Part.QUEUE: ("{}-queue", "{}-dead-letters"),
            Part.ARRIVAL: ("{}-dead-letters",),
            Part.SCHEDULE: ("{}-dead-letters",),
        },
    ),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html; one that fills a queue is named
    # after the queue.
    PhysicalName(type="aws:cloudwatch/eventRule:EventRule", characters=64, of={Part.START: ("{}-rule",)}),
    PhysicalName(type="aws:sqs/queue:Queue", characters=64, of={Part.FED: ("{}-queue",)}, tail="-arrivals"),
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
    PhysicalName(type="aws:sfn/stateMachine:StateMachine", characters=80, of={Part.WORKFLOW: ("{}-machine",)}),
    # https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
    PhysicalName(type="aws:scheduler/schedule:Schedule", characters=64, of={Part.SCHEDULE: ("{}-schedule",)}),
    # https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis.html
    PhysicalName(type="aws:apigatewayv2/api:Api", characters=128, of={Part.API: ("{}-http",)}),
)
"""A row for each type; queues have a second one, for what is named after them. A filter of a log has none:
no pattern makes a name of 512 characters."""
