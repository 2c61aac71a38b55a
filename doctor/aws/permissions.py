"""What whoever deploys must be allowed to do, by the types of the resources.

The actions that create each: https://docs.aws.amazon.com/service-authorization/latest/reference/, read on 2026-11-29.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "aws:apigatewayv2/api:Api": ("apigateway:POST", "apigateway:GET"),
    "aws:apigatewayv2/integration:Integration": ("apigateway:POST",),
    "aws:apigatewayv2/authorizer:Authorizer": ("apigateway:POST",),
    "aws:apigatewayv2/route:Route": ("apigateway:POST",),
    "aws:apigatewayv2/stage:Stage": ("apigateway:POST", "apigateway:PATCH", "logs:CreateLogDelivery"),
    "aws:appautoscaling/policy:Policy": ("application-autoscaling:PutScalingPolicy",),
    "aws:appautoscaling/scheduledAction:ScheduledAction": ("application-autoscaling:PutScheduledAction",),
    "aws:appautoscaling/target:Target": ("application-autoscaling:RegisterScalableTarget",),
    "aws:budgets/budget:Budget": ("budgets:ModifyBudget", "budgets:ViewBudget"),
    "aws:cloudwatch/eventRule:EventRule": ("events:PutRule",),
    "aws:cloudwatch/eventTarget:EventTarget": ("events:PutTargets", "iam:PassRole"),
    "aws:cloudwatch/logGroup:LogGroup": ("logs:CreateLogGroup", "logs:PutRetentionPolicy"),
    "aws:cloudwatch/dashboard:Dashboard": ("cloudwatch:PutDashboard",),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("logs:PutMetricFilter",),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch:PutMetricAlarm",),
    "aws:iam/role:Role": ("iam:CreateRole", "iam:GetRole"),
    "aws:iam/rolePolicy:RolePolicy": ("iam:PutRolePolicy",),
    "aws:lambda/alias:Alias": ("lambda:CreateAlias",),
    "aws:lambda/eventSourceMapping:EventSourceMapping": ("lambda:CreateEventSourceMapping",),
    "aws:lambda/function:Function": ("lambda:CreateFunction", "lambda:PublishVersion", "iam:PassRole"),
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": ("lambda:PutFunctionRecursionConfig",),
    "aws:lambda/permission:Permission": ("lambda:AddPermission",),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": ("lambda:PutProvisionedConcurrencyConfig",),
    "aws:s3/bucket:Bucket": ("s3:CreateBucket", "s3:GetBucketLocation"),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
    "aws:s3/bucketNotification:BucketNotification": ("s3:PutBucketNotification",),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("s3:PutObject",),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
    "aws:s3/bucketPolicy:BucketPolicy": ("s3:PutBucketPolicy",),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:PutEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("s3:PutBucketVersioning",),
    "aws:scheduler/schedule:Schedule": ("scheduler:CreateSchedule", "iam:PassRole"),
    "aws:sfn/stateMachine:StateMachine": ("states:CreateStateMachine", "iam:PassRole"),
    "aws:sns/topic:Topic": ("sns:CreateTopic", "sns:GetTopicAttributes"),
    "aws:sns/topicPolicy:TopicPolicy": ("sns:SetTopicAttributes",),
    "aws:sns/topicSubscription:TopicSubscription": ("sns:Subscribe",),
    "aws:sqs/queue:Queue": ("sqs:CreateQueue", "sqs:GetQueueAttributes"),
    "aws:sqs/queuePolicy:QueuePolicy": ("sqs:SetQueueAttributes",),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": ("sqs:SetQueueAttributes",),
}


def needed(types: Iterable[str]) -> list[str]:
    """Return the actions that create resources of these types, each once, sorted."""
    return sorted({action for kind in types for action in ACTIONS.get(kind, ())})


def unlisted(types: Iterable[str]) -> list[str]:
    """Return the types of AWS of which the table knows nothing: those that somebody has added to the program."""
    return [kind for kind in types if kind.startswith("aws:") and kind not in ACTIONS]
