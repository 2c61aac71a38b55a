"""Cloud Run functions."""

from __future__ import annotations

import hashlib

import pulumi
import pulumi_gcp as gcp

from infra.archive import Platform
from infra.gcp import stop
from infra.gcp.access import allow_invocation, allow_signing, allow_storage
from infra.gcp.builder import Builder
from infra.gcp.logs import keep_logs
from infra.gcp.project import region
from infra.gcp.queue import Queue
from infra.gcp.scaling import capacity
from infra.gcp.storage import Store
from infra.keep import guarding
from infra.vocabulary import FunctionArgs
from interface import variables

SHORT = 13
"""The most characters of a function's name in the id of its account."""


class Function(pulumi.ComponentResource):
    """A function with a service account of its own, which nobody may call without a grant.

    It answers at most `concurrency` requests at once; the profile decides how many share an instance:
    scaling.py. Cloud Build makes an image of the archive, whose `main.py` defines `handle`: builder.py.
    `ref` is the URL. One that consumes a queue gets its messages one by one, whatever the batch, by an
    authenticated push, and is closed to the internet; any other one can be reached from there, as API
    Gateway does, and refuses whoever has no `run.invoker` on it.
    """

    ref: pulumi.Output[str]
    name: pulumi.Output[str]
    logs: pulumi.Output[str]
    """The view of its log bucket that shows every line."""

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("serverless-ml:gcp:Function", name, None, opts)
        runtime = _runtime(args.platform)
        if not isinstance(args.code, Store):
            raise TypeError(
                f"function {name}: its code is in {type(args.code).__name__}, which is no store of this cloud"
            )
        builder = args.code.builder()
        child_opts = pulumi.ResourceOptions(parent=self)
        identity = gcp.serviceaccount.Account(
            f"{short(name)}-identity", display_name=f"function {name}", opts=guarding(child_opts, args.keep)
        )
        code = gcp.storage.BucketObject(
            f"{name}-code",
            bucket=args.code.name,
            name=f"{name}/{args.archive.digest}.zip",
            source=pulumi.FileAsset(str(args.archive.path)),
            opts=child_opts,
        )
        function = gcp.cloudfunctionsv2.Function(
            f"{name}-function",
            location=region(),
            build_config=_build(runtime, code, builder),
            service_config=_service(args, identity),
            # The account that builds it needs its roles before.
            opts=pulumi.ResourceOptions(parent=self, depends_on=builder.grants),
        )
        self.ref = function.service_config.uri
        self.name = function.name
        self.service = function.service_config.service
        """The full name of the Cloud Run service that it is."""
        self.identity = identity
        allow_storage(name, identity, args.grants, child_opts)
        self.logs = keep_logs(
            name,
            identity,
            pulumi.Output.concat(
                'resource.type="cloud_run_revision" AND resource.labels.service_name="', function.name, '"'
            ),
            args.log_days,
            args.keep,
            child_opts,
        )
        if args.signs:
            allow_signing(f"{name}-signer", identity, child_opts)
        if args.stops is not None:
            stop.allow_stopping(name, identity, args.stops, child_opts)
        if args.consumes is not None:
            self._consume(name, args.consumes, guarding(child_opts, args.keep))
        self.register_outputs({"ref": self.ref, "name": self.name, "logs": self.logs})

    def _consume(self, name: str, queue: object, opts: pulumi.ResourceOptions) -> None:
        if not isinstance(queue, Queue):
            raise TypeError(f"function {name}: it consumes {type(queue).__name__}, which is not a queue of this cloud")
        courier = gcp.serviceaccount.Account(
            f"{short(name)}-courier", display_name=f"push to function {name}", opts=opts
        )
        allow_invocation(f"{name}-courier-invoker", courier, self.name, opts)
        queue.deliver(self.ref, courier, opts)


def _build(
    runtime: str, code: gcp.storage.BucketObject, builder: Builder
) -> gcp.cloudfunctionsv2.FunctionBuildConfigArgs:
    return gcp.cloudfunctionsv2.FunctionBuildConfigArgs(
        runtime=runtime,
        entry_point="handle",
        service_account=builder.account,
        docker_repository=builder.repository,
        source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceArgs(
            storage_source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceStorageSourceArgs(
                bucket=code.bucket, object=code.output_name, generation=code.generation
            )
        ),
    )


def _service(
    args: FunctionArgs, identity: gcp.serviceaccount.Account
) -> gcp.cloudfunctionsv2.FunctionServiceConfigArgs:
    instances = capacity(args)
    stops = {} if args.stops is None else {variables.STOPS: stop.named(args.stops)}
    return gcp.cloudfunctionsv2.FunctionServiceConfigArgs(
        available_memory=f"{args.memory_mb}Mi",
        available_cpu=None if instances.processors is None else str(instances.processors),
        timeout_seconds=args.timeout_seconds,
        min_instance_count=instances.minimum or None,
        max_instance_count=instances.maximum,
        max_instance_request_concurrency=instances.requests,
        # Its log names a trace by its project.
        environment_variables={
            **args.environment,
            **instances.environment,
            **stops,
            variables.PROJECT: identity.project,
        },
        service_account_email=identity.email,
        ingress_settings="ALLOW_ALL" if args.consumes is None else "ALLOW_INTERNAL_ONLY",
        all_traffic_on_latest_revision=True,
    )


def short(name: str) -> str:
    """Return a function's name, cut for the id of an account.

    An id has 30 characters, of which Pulumi adds eight:
    https://cloud.google.com/iam/docs/service-accounts-create.
    """
    return name if len(name) <= SHORT else f"{name[: SHORT - 5]}-{hashlib.sha256(name.encode()).hexdigest()[:4]}"


def _runtime(platform: Platform) -> str:
    if platform.architecture != "x86_64":
        raise ValueError("Cloud Run functions have one kind of processor: x86_64")
    return f"python{platform.python.replace('.', '')}"
