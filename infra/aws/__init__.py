"""AWS: each word of the vocabulary as components of this cloud."""

from __future__ import annotations

from collections.abc import Mapping

from infra.archive import Packing
from infra.aws.arrival import Arrival
from infra.aws.budget import Budget
from infra.aws.charges import CHARGES
from infra.aws.function import Function
from infra.aws.gateway import Api
from infra.aws.monitor import Monitor
from infra.aws.names import NAMES
from infra.aws.queue import Queue
from infra.aws.quotas import wants
from infra.aws.regions import require_region
from infra.aws.schedule import Schedule
from infra.aws.storage import Store
from infra.aws.upload import Upload
from infra.aws.workflow import Workflow
from infra.tier import Tier
from infra.vocabulary import Cloud

SITECUSTOMIZE = """try:
    from functions.core.onnx import library
except ImportError:
    pass  # a function that opens no model
else:
    library.begin()
"""
"""The interpreter runs this before it imports Lambda's own client, which takes as long as onnxruntime takes to open:
https://docs.python.org/3/library/site.html#module-sitecustomize. `infra.aws.function.PYTHONPATH` has it found."""

FROM_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "aws:apigatewayv2/api:Api": ("cors_configuration", "description"),
    "aws:apigatewayv2/authorizer:Authorizer": ("jwt_configuration",),
    "aws:apigatewayv2/integration:Integration": ("timeout_milliseconds",),
    "aws:apigatewayv2/stage:Stage": ("default_route_settings",),
    "aws:appautoscaling/scheduledAction:ScheduledAction": ("scalable_target_action", "schedule"),
    "aws:appautoscaling/target:Target": ("max_capacity", "min_capacity"),
    "aws:budgets/budget:Budget": ("limit_amount", "notifications"),
    "aws:cloudwatch/logGroup:LogGroup": ("retention_in_days",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("alarm_description", "period", "threshold"),
    "aws:lambda/eventSourceMapping:EventSourceMapping": ("scaling_config",),
    "aws:lambda/function:Function": ("environment", "memory_size", "reserved_concurrent_executions", "timeout"),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": ("provisioned_concurrent_executions",),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("rules",),
    "aws:scheduler/schedule:Schedule": ("schedule_expression",),
    "aws:sfn/stateMachine:StateMachine": ("definition",),
    "aws:sns/topicSubscription:TopicSubscription": ("endpoint",),
    "aws:sqs/queue:Queue": ("redrive_policy", "visibility_timeout_seconds"),
}

CLOUD = Cloud(
    name="aws",
    tier=Tier.EMBEDDED,
    packing=Packing(built=False, files={"sitecustomize.py": SITECUSTOMIZE}, provides=("snapshot_restore_py",)),
    from_settings=FROM_SETTINGS,
    store=Store,
    queue=Queue,
    function=Function,
    api=Api,
    workflow=Workflow,
    arrival=Arrival,
    schedule=Schedule,
    upload=Upload,
    monitor=Monitor,
    budget=Budget,
    names=NAMES,
    require_region=require_region,
    quotas=wants,
    charges=CHARGES,
)
