"""What AWS bills each type of resource for, in the names of infra/estimate/tariffs/aws.toml."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import pulumi_aws as aws

from infra.aws.function_charges import PROVISIONED, second, served, standing, traces, work
from infra.aws.regions import REGIONS
from infra.estimate import assumed, logs, stores
from infra.estimate.calls import calls, run, times_a_month
from infra.estimate.charges import Charges
from infra.estimate.demand import Demand
from infra.estimate.situation import Situation, component
from infra.estimate.use import Per, Use
from infra.function_spec import OnSchedule
from infra.function_table import FUNCTIONS
from infra.quotas import Declared

FUNCTION = "aws:lambda/function:Function"
STAGE = "aws:apigatewayv2/stage:Stage"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
METERED = 512 * 1024
"""Bytes of a request that the API is billed for at a time."""
POLLS = 5 * 3 * 60 * 24 * 30
"""Requests of a queue's consumer in a month of nothing: five connections, 20 seconds each:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
MESSAGE_REQUESTS = 3
"""Requests for a message: sent, received, deleted."""


def _function(function: Declared, situation: Situation) -> Iterator[Use]:
    read = served(function, situation)
    yield from standing(read)
    called = calls(component(function), situation) or ()
    yield from work(read, called)
    if (function.inputs.get("tracingConfig") or {}).get("mode") == "Active":
        yield from traces(called)


def _api(_api: Declared, situation: Situation) -> Iterator[Use]:
    traffic = situation.traffic
    body = traffic.rows_a_request * traffic.bytes_a_row
    metered = max(1, -(-body // METERED)) / traffic.rows_a_request
    yield Use(per=Per.PREDICTION, price="api.request", quantity=metered)
    sent = traffic.bytes_a_row / assumed.GB
    yield Use(per=Per.PREDICTION, price="data.out", quantity=sent, demand=Demand(sent=sent))


def _logs(group: Declared, situation: Situation) -> Iterator[Use]:
    for per, gb in logs.written(component(group), situation, run(situation).states):
        kept = gb * (group.inputs.get("retentionInDays") or 30) / 30
        yield Use(per=per, price="log.written", quantity=gb)
        yield Use(per=per, price="log.kept", quantity=kept, demand=Demand(stored=kept))


def _bucket(bucket: Declared, situation: Situation) -> Iterator[Use]:
    return stores.uses(component(bucket), situation, _days(bucket, situation), "s3")


def _days(bucket: Declared, situation: Situation) -> float:
    """Return after how many days a store deletes what it got; a year where it never does."""
    rules = [rule for each in situation.beside(bucket, LIFECYCLE) for rule in each.inputs.get("rules") or ()]
    days = [(rule.get("expiration") or {}).get("days") for rule in rules]
    return min((each for each in days if each), default=365)


def _queue(queue: Declared, situation: Situation) -> Iterator[Use]:
    if queue.name == "jobs-queue":
        messages = 1 + float(situation.environment("jobs").get("PARALLELISM", 1))
        yield Use(per=Per.JOB, price="sqs.request", quantity=messages * MESSAGE_REQUESTS)


def _consumer(_mapping: Declared, _situation: Situation) -> Iterator[Use]:
    yield Use(per=Per.MONTH, price="sqs.request", quantity=POLLS)


def _machine(machine: Declared, situation: Situation) -> Iterator[Use]:
    yield Use(per=Per.RUN, price="workflow.transition", quantity=run(situation).states)
    if (machine.inputs.get("tracingConfiguration") or {}).get("enabled"):
        yield Use(per=Per.RUN, price="xray.trace", quantity=1)


def _schedule(schedule: Declared, _situation: Situation) -> Iterator[Use]:
    name = component(schedule)
    due = {f"{spec.name}-on-time": spec.trigger.cron for spec in FUNCTIONS if isinstance(spec.trigger, OnSchedule)}
    if name in due:
        yield Use(per=Per.MONTH, price="schedule.call", quantity=times_a_month(due[name]))
    else:
        yield Use(per=Per.RUN, price="schedule.call", quantity=1)


def _monthly(price: str) -> Callable[[Declared, Situation], Iterator[Use]]:
    def uses(_resource: Declared, _situation: Situation) -> Iterator[Use]:
        yield Use(per=Per.MONTH, price=price, quantity=1)

    return uses


def _alarm(alarm: Declared, _situation: Situation) -> Iterator[Use]:
    """An alarm is billed for each metric that it reads."""
    queries = alarm.inputs.get("metricQueries") or ()
    read = sum(1 for query in queries if query.get("metric")) or 1
    yield Use(per=Per.MONTH, price="alarm", quantity=read)


def _ceiling(function: Declared, _situation: Situation) -> tuple[str, float] | None:
    reserved = function.inputs.get("reservedConcurrentExecutions")
    return None if reserved is None else ("functions.predict.concurrency", reserved)


def _requests(stage: Declared) -> float | None:
    return (stage.inputs.get("defaultRouteSettings") or {}).get("throttlingRateLimit") if stage.type == STAGE else None


PART_OF_IT = "a part of the API, the function or the store that it belongs to, which is priced"
PERMISSION = "permissions cost nothing"
FREE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "aws:apigatewayv2/authorizer:Authorizer",
            "aws:apigatewayv2/integration:Integration",
            "aws:apigatewayv2/route:Route",
            STAGE,
            "aws:lambda/alias:Alias",
            "aws:lambda/functionRecursionConfig:FunctionRecursionConfig",
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            "aws:s3/bucketNotification:BucketNotification",
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "aws:s3/bucketVersioning:BucketVersioning",
            "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
        ),
        PART_OF_IT,
    ),
    **dict.fromkeys(
        (
            "aws:iam/role:Role",
            "aws:iam/rolePolicy:RolePolicy",
            "aws:lambda/permission:Permission",
            "aws:s3/bucketPolicy:BucketPolicy",
            "aws:sns/topicPolicy:TopicPolicy",
            "aws:sqs/queuePolicy:QueuePolicy",
        ),
        PERMISSION,
    ),
    PROVISIONED: "priced with its function",
    "aws:appautoscaling/policy:Policy": "scaling costs nothing, only the copies do",
    "aws:budgets/budget:Budget": "a budget without actions costs nothing (unverified)",
    "aws:cloudwatch/eventRule:EventRule": "events of AWS's own services are free on the default bus (unverified)",
    "aws:cloudwatch/eventTarget:EventTarget": "what it starts is priced",
    "aws:sns/topic:Topic": "1,000 mails and 100,000 webhook calls a month are free (unverified), more than alarms send",
    "aws:sns/topicSubscription:TopicSubscription": "as its topic",
}
UNPRICED: Mapping[str, str] = {
    "metrics of usage": "after the first ten, 0.30 USD a month (unverified), by the hour, for each of the four of a"
    " model's version, or step, that is called",
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": "after the first ten metrics of an account, 0.30 USD a month"
    " (unverified) for each, by the hours in which it is written, and for each version and variant that answers",
    "aws:appautoscaling/target:Target": "copies kept ready above the minimum: as many as are used",
    "aws:appautoscaling/scheduledAction:ScheduledAction": "copies kept ready at the hours of scaling.hours",
    "aws:s3/bucketObjectv2:BucketObjectv2": "the archives of functions: 0.023 USD for a GB and a month",
}


def region(_graph: Iterable[Declared]) -> str:
    """Return nothing: the region is the provider's, and no resource says it."""
    return ""


CHARGES = Charges(
    function=FUNCTION,
    priced={
        FUNCTION: _function,
        "aws:apigatewayv2/api:Api": _api,
        "aws:cloudwatch/dashboard:Dashboard": _monthly("dashboard"),
        "aws:cloudwatch/logGroup:LogGroup": _logs,
        "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
        "aws:kms/key:Key": _monthly("key"),
        "aws:lambda/eventSourceMapping:EventSourceMapping": _consumer,
        "aws:s3/bucket:Bucket": _bucket,
        "aws:scheduler/schedule:Schedule": _schedule,
        "aws:secretsmanager/secret:Secret": _monthly("secret"),
        "aws:sfn/stateMachine:StateMachine": _machine,
        "aws:sqs/queue:Queue": _queue,
    },
    free=FREE,
    unpriced=UNPRICED,
    served=served,
    work=work,
    standing=standing,
    second=second,
    ceiling=_ceiling,
    requests=_requests,
    region=region,
    here=lambda: aws.config.region or "",
    regions=REGIONS,
    architectures=("x86_64", "arm64"),
    memories=(512, 1024, 1769, 2048, 3008),
)
