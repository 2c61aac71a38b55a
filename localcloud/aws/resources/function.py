"""Functions, their versions and aliases, and the settings of asynchronous invocations."""

from __future__ import annotations

import io
import threading
import zipfile
from typing import Any

import pulumi

from localcloud.aws.api_parameters import pascal, select
from localcloud.aws.existence import asks, identity, of
from localcloud.aws.quotas import require_memory, require_unreserved
from localcloud.aws.session import Session
from localcloud.engine.fingerprint import content
from localcloud.engine.program import Registered
from localcloud.engine.resource_handler import Order, Resource, ResourceHandler, put

CONFIGURATION = (
    "role",
    "handler",
    "runtime",
    "timeout",
    "memorySize",
    "description",
    "layers",
)
NESTED = ("deadLetterConfig", "tracingConfig", "ephemeralStorage", "snapStart")
DEFAULT_MB = 128
"""The memory of a function that states none."""
RESERVING = threading.Lock()
CODE = {"s3Bucket": "S3Bucket", "s3Key": "S3Key", "s3ObjectVersion": "S3ObjectVersion"}
STORED = {
    "memorySize": "enforced only where the variable ENFORCE_SIZE asks for it",
    "tracingConfig": "stored, no traces are kept",
    "loggingConfig": "stored, log lines stay as the function writes them",
    "architectures": "this machine's own",
    "runtime": "this machine's own interpreter",
    "ephemeralStorage": "stored, not enforced",
    "snapStart": "stored, every start is a cold one",
}


def _configuration(order: Order) -> dict[str, Any]:
    """Return every parameter but the code. The environment is always there, so that a removed variable is removed."""
    variables = order.inputs.get("environment", {}).get("variables", {})
    return {
        **select(order.inputs, CONFIGURATION),
        **pascal(select(order.inputs, NESTED)),
        **({"LoggingConfig": pascal(order.inputs["loggingConfig"])} if "loggingConfig" in order.inputs else {}),
        "Environment": {"Variables": {key: str(value) for key, value in variables.items()}},
    }


def _code(order: Order) -> dict[str, Any]:
    if "code" in order.inputs:
        return {"ZipFile": _zipped(order.inputs["code"])}
    return select(order.inputs, CODE)


def _zipped(archive: object) -> bytes:
    if not isinstance(archive, pulumi.AssetArchive):
        return content(archive)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as target:
        for name, asset in archive.assets.items():
            target.writestr(name, content(asset))
    return stream.getvalue()


def _function(order: Order) -> Registered:
    client = order.session.client("lambda")
    name = order.name()
    require_memory(order.session, order.session.quotas, order.inputs.get("memorySize", DEFAULT_MB))
    response = client.create_function(
        FunctionName=name,
        Code=_code(order),
        Architectures=order.inputs.get("architectures", ["x86_64"]),
        Publish=bool(order.inputs.get("publish")),
        **_configuration(order),
    )
    try:
        _concurrency(order, name)
    except client.exceptions.ClientError:
        client.delete_function(FunctionName=name)
        raise
    _wait(order, name, response["Version"])
    return Registered(id=name, outputs=_outputs(order, name, response["Version"], response["CodeSha256"]))


def _change_function(order: Order, before: Resource) -> Registered:
    client = order.session.client("lambda")
    name = before.id
    require_memory(order.session, order.session.quotas, order.inputs.get("memorySize", DEFAULT_MB))
    client.update_function_configuration(FunctionName=name, **_configuration(order))
    sha = client.update_function_code(FunctionName=name, **_code(order))["CodeSha256"]
    version = "$LATEST"
    if order.inputs.get("publish"):
        version = client.publish_version(FunctionName=name)["Version"]
    _concurrency(order, name)
    _wait(order, name, version)
    return Registered(id=name, outputs=_outputs(order, name, version, sha))


def _wait(order: Order, name: str, version: str) -> None:
    """Wait up to 120 seconds for a version's snapshot: until it is taken, the version answers no call."""
    if "snapStart" in order.inputs:
        waiter = order.session.client("lambda").get_waiter("published_version_active")
        waiter.wait(FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def _concurrency(order: Order, name: str) -> None:
    client = order.session.client("lambda")
    reserved = order.inputs.get("reservedConcurrentExecutions", -1)
    if reserved >= 0:
        # Functions are made side by side: one after the other looks at what is left, and takes of it.
        with RESERVING:
            require_unreserved(order.session, order.session.quotas, name, reserved)
            client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    else:
        client.delete_function_concurrency(FunctionName=name)


def _outputs(order: Order, name: str, version: str, sha: str) -> dict[str, Any]:
    arn = order.session.arn("lambda", f"function:{name}")
    return {
        **{key: value for key, value in order.inputs.items() if key != "code"},
        "name": name,
        "arn": arn,
        "invokeArn": invoke_arn(order.session, arn),
        "version": version,
        "qualifiedArn": f"{arn}:{version}",
        "qualifiedInvokeArn": invoke_arn(order.session, f"{arn}:{version}"),
        "codeSha256": sha,
    }


def invoke_arn(session: Session, arn: str) -> str:
    """Return the URI by which API Gateway invokes a function."""
    return f"arn:aws:apigateway:{session.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def _delete_function(session: Session, resource: Resource) -> None:
    session.client("lambda").delete_function(FunctionName=resource.id)


def _alias(order: Order) -> Registered:
    function, name = order.inputs["functionName"], order.name(limit=128)
    response = order.session.client("lambda").create_alias(
        FunctionName=function, Name=name, **select(order.inputs, ("functionVersion", "description"))
    )
    arn = response["AliasArn"]
    return Registered(
        id=arn, outputs={**order.inputs, "name": name, "arn": arn, "invokeArn": invoke_arn(order.session, arn)}
    )


def _change_alias(order: Order, before: Resource) -> Registered:
    order.session.client("lambda").update_alias(
        FunctionName=before.inputs["functionName"],
        Name=before.outputs["name"],
        **select(order.inputs, ("functionVersion", "description")),
    )
    return Registered(id=before.id, outputs={**before.outputs, **order.inputs})


def _delete_alias(session: Session, resource: Resource) -> None:
    session.client("lambda").delete_alias(FunctionName=resource.inputs["functionName"], Name=resource.outputs["name"])


def _recursion(order: Order) -> Registered:
    name = order.inputs["functionName"]
    order.session.client("lambda").put_function_recursion_config(
        FunctionName=name, RecursiveLoop=order.inputs["recursiveLoop"]
    )
    return Registered(id=name, outputs=order.inputs)


def _invoke_config(order: Order) -> Registered:
    name, qualifier = order.inputs["functionName"], order.inputs.get("qualifier")
    order.session.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        **select(order.inputs, ("qualifier", "maximumRetryAttempts", "maximumEventAgeInSeconds")),
        **pascal(select(order.inputs, ("destinationConfig",))),
    )
    return Registered(id=f"{name}:{qualifier}" if qualifier else name, outputs=order.inputs)


def _delete_invoke_config(session: Session, resource: Resource) -> None:
    session.client("lambda").delete_function_event_invoke_config(
        FunctionName=resource.inputs["functionName"], **select(resource.inputs, ("qualifier",))
    )


def _provisioned(order: Order) -> Registered:
    name, qualifier = order.inputs["functionName"], order.inputs["qualifier"]
    order.session.client("lambda").put_provisioned_concurrency_config(
        FunctionName=name,
        Qualifier=qualifier,
        ProvisionedConcurrentExecutions=order.inputs["provisionedConcurrentExecutions"],
    )
    return Registered(id=f"{name},{qualifier}", outputs=order.inputs)


def _delete_provisioned(session: Session, resource: Resource) -> None:
    session.client("lambda").delete_provisioned_concurrency_config(
        FunctionName=resource.inputs["functionName"], Qualifier=resource.inputs["qualifier"]
    )


HANDLERS = {
    "aws:lambda/function:Function": ResourceHandler(
        create=_function,
        update=_change_function,
        delete=_delete_function,
        exists=asks("lambda", "get_function", {"FunctionName": identity}),
        renews=frozenset({"version", "qualifiedArn", "qualifiedInvokeArn", "codeSha256"}),
        takes=frozenset(
            {
                "name",
                "namePrefix",
                "code",
                "publish",
                "environment",
                "reservedConcurrentExecutions",
                "sourceCodeHash",
                "deadLetterConfig",
                "packageType",
                *CODE,
                *CONFIGURATION,
            }
            - STORED.keys()
        ),
        ignores=STORED,
        fixed=frozenset({"name", "namePrefix", "architectures", "packageType"}),
    ),
    "aws:lambda/alias:Alias": ResourceHandler(
        create=_alias,
        update=_change_alias,
        delete=_delete_alias,
        exists=asks("lambda", "get_alias", {"FunctionName": of("functionName"), "Name": of("name")}),
        takes=frozenset({"name", "namePrefix", "functionName", "functionVersion", "description"}),
        ignores={"routingConfig": "the emulator ignores weights, all calls go to functionVersion"},
        fixed=frozenset({"name", "functionName"}),
    ),
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": put(
        _recursion,
        exists=asks("lambda", "get_function", {"FunctionName": identity}),
        takes=frozenset({"functionName", "recursiveLoop"}),
        fixed=frozenset({"functionName"}),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": put(
        _invoke_config,
        delete=_delete_invoke_config,
        exists=asks(
            "lambda",
            "get_function_event_invoke_config",
            {"FunctionName": of("functionName"), "Qualifier": of("qualifier")},
        ),
        takes=frozenset(
            {"functionName", "qualifier", "maximumRetryAttempts", "maximumEventAgeInSeconds", "destinationConfig"}
        ),
        fixed=frozenset({"functionName", "qualifier"}),
    ),
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": put(
        _provisioned,
        delete=_delete_provisioned,
        exists=asks(
            "lambda",
            "get_provisioned_concurrency_config",
            {"FunctionName": of("functionName"), "Qualifier": of("qualifier")},
        ),
        takes=frozenset({"functionName", "qualifier"}),
        ignores={"provisionedConcurrentExecutions": "stored, no copy is started before it is asked for"},
        fixed=frozenset({"functionName", "qualifier"}),
    ),
}
