"""Lambda functions."""

from __future__ import annotations

import base64

import pulumi
import pulumi_aws as aws

from infra.archive import Archive
from infra.aws import stop
from infra.aws.access import allow, everywhere, role, storage
from infra.aws.logs import log_group
from infra.aws.queue import WINDOW_SECONDS
from infra.aws.scaling import keep_ready, snapshots
from infra.scaling import Latency
from infra.vocabulary import FunctionArgs, Queue
from interface import variables

ALIAS = "live"
"""What callers name: it points to the newest published version."""
PYTHONPATH = "/var/task:/var/runtime"
"""Where the interpreter looks for packages from its first moment: in the archive and in Lambda's own folder. By default
the variable has the second alone: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
LARGEST_BATCH_WITHOUT_WINDOW = 10
CONSUMERS = range(2, 1001)
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html: "between 2 and 1,000"."""


class Function(pulumi.ComponentResource):
    """A function with a role and a log of its own, published and named by an alias.

    `ref` is the ARN of the alias. Nobody may call it until the component of a caller adds the
    permission. To sign a URL it needs none: the credentials of its role sign, and a URL grants no more
    than they do. One that consumes a queue reports which messages of a batch failed, and only those
    return. Lambda bounds the copies of a function alone by reserving them, out of the account's quota;
    where nothing is reserved, whoever calls it does: the queue's mapping by `concurrency`, the API by
    its throttling, the workflow by its parallelism.
    """

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    logs: pulumi.Output[str]
    """The ARN of its log group."""
    mapping: aws.lambda_.EventSourceMapping | None = None
    """What calls it with the messages of its queue."""
    ready: aws.lambda_.Alias | None = None
    """The alias whose copies are kept ready, if any are."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:aws:Function", name, None, opts)
        _check(name, args)
        child_opts = pulumi.ResourceOptions(parent=self)
        code = aws.s3.BucketObjectv2(
            f"{name}-code",
            bucket=args.code.name,
            key=f"{name}/{args.archive.digest}.zip",
            source=pulumi.FileAsset(str(args.archive.path)),
            content_type="application/zip",
            opts=child_opts,
        )
        logs = log_group(name, args.log_days, args.keep, self)
        identity, policy = self._identity(name, args, logs)
        function = self._function(name, args, code, logs, identity, policy)
        alias = aws.lambda_.Alias(
            f"{name}-alias",
            name=ALIAS,
            function_name=function.name,
            function_version=function.version,
            opts=child_opts,
        )
        aws.lambda_.FunctionRecursionConfig(
            f"{name}-recursion", function_name=function.name, recursive_loop="Terminate", opts=child_opts
        )
        if args.consumes is not None:
            self.mapping = self._consume(name, args, args.consumes, alias, policy)
        if isinstance(args.scaling, Latency):
            self.ready = alias
            keep_ready(name, args.scaling, alias, args.concurrency, self)
        self.ref = alias.arn
        # Read from the alias: whoever adds a permission on it must wait for it.
        self.name = alias.function_name
        self.logs = logs.arn
        self.register_outputs({"ref": self.ref, "name": self.name, "logs": self.logs})

    def _identity(
        self, name: str, args: FunctionArgs, logs: aws.cloudwatch.LogGroup
    ) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        statements = [
            *storage(args.grants),
            allow(["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(logs.arn, ":*")]),
        ]
        if args.traced:
            statements.append(everywhere("xray:PutTelemetryRecords", "xray:PutTraceSegments"))
        if args.consumes is not None:
            consume = [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ]
            statements.append(allow(consume, [args.consumes.ref]))
        if args.stops is not None:
            statements += stop.statements(args.stops)
        return role(name, "lambda.amazonaws.com", statements, self)

    def _function(
        self,
        name: str,
        args: FunctionArgs,
        code: aws.s3.BucketObjectv2,
        logs: aws.cloudwatch.LogGroup,
        identity: aws.iam.Role,
        policy: aws.iam.RolePolicy,
    ) -> aws.lambda_.Function:
        return aws.lambda_.Function(
            f"{name}-function",
            role=identity.arn,
            handler="main.handle",
            runtime=f"python{args.platform.python}",
            architectures=[args.platform.architecture],
            s3_bucket=code.bucket,
            s3_key=code.key,
            source_code_hash=_code_hash(args.archive),
            publish=True,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            # Without any, every function may have all copies that the account's quota leaves.
            reserved_concurrent_executions=args.concurrency if args.reserved else None,
            environment={"variables": {**args.environment, **_stops(args), **_tracing(args), "PYTHONPATH": PYTHONPATH}},
            snap_start=snapshots(args.scaling),
            tracing_config={"mode": "Active" if args.traced else "PassThrough"},
            logging_config={
                "log_format": "JSON",
                "log_group": logs.name,
                "application_log_level": "INFO",
                "system_log_level": "INFO",
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _consume(
        self, name: str, args: FunctionArgs, queue: Queue, alias: aws.lambda_.Alias, policy: aws.iam.RolePolicy
    ) -> aws.lambda_.EventSourceMapping:
        return aws.lambda_.EventSourceMapping(
            f"{name}-messages",
            event_source_arn=queue.ref,
            function_name=alias.arn,
            batch_size=args.batch,
            maximum_batching_window_in_seconds=WINDOW_SECONDS if args.batch > LARGEST_BATCH_WITHOUT_WINDOW else 0,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": min(args.concurrency, CONSUMERS[-1])},
            # Lambda refuses a mapping whose role may not yet read the queue.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )


def _stops(args: FunctionArgs) -> dict[str, pulumi.Output[str]]:
    return {} if args.stops is None else {variables.STOPS: stop.named(args.stops)}


def _check(name: str, args: FunctionArgs) -> None:
    if args.consumes is not None and args.concurrency < CONSUMERS[0]:
        raise ValueError(f"function {name}: it consumes a queue, for which AWS accepts {CONSUMERS[0]} copies or more")


def _tracing(args: FunctionArgs) -> dict[str, str]:
    return {variables.XRAY: "yes"} if args.traced else {}


def _code_hash(archive: Archive) -> str:
    return base64.b64encode(bytes.fromhex(archive.digest)).decode()
