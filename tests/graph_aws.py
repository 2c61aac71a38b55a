"""What AWS would answer, by type token: see `tests.graph.Recorder`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Inputs = Mapping[str, Any]
Outputs = dict[str, Any]

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"


def _physical(inputs: Inputs, name: str) -> str:
    """Return the input's name, or one as Pulumi makes it up."""
    return inputs.get("name") or f"{name}-1a2b3c4"


def _arn(service: str, kind: str) -> Callable[[Inputs, str], Outputs]:
    def outputs(inputs: Inputs, name: str) -> Outputs:
        own = _physical(inputs, name)
        return {"id": own, "name": own, "arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{kind}{own}"}

    return outputs


def _bucket(inputs: Inputs, name: str) -> Outputs:
    bucket = inputs.get("bucket") or f"{name}-1a2b3c4"
    return {"id": bucket, "bucket": bucket, "arn": f"arn:aws:s3:::{bucket}", "region": REGION}


def _object(inputs: Inputs, name: str) -> Outputs:
    return {
        "id": f"{inputs['bucket']}/{inputs['key']}",
        "arn": f"arn:aws:s3:::{inputs['bucket']}/{inputs['key']}",
        "versionId": f"version-of-{name}",
    }


def _queue(inputs: Inputs, name: str) -> Outputs:
    own = _physical(inputs, name)
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{own}"
    return {"id": url, "url": url, "name": own, "arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{own}"}


def _role(inputs: Inputs, name: str) -> Outputs:
    own = _physical(inputs, name)
    return {"id": own, "name": own, "arn": f"arn:aws:iam::{ACCOUNT}:role/{own}"}


def _function(inputs: Inputs, name: str) -> Outputs:
    own = _physical(inputs, name)
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{own}"
    return {
        "id": own,
        "name": own,
        "arn": arn,
        "version": "1" if inputs.get("publish") else "$LATEST",
        "qualifiedArn": f"{arn}:1",
        "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    }


def _alias(inputs: Inputs, _name: str) -> Outputs:
    function = inputs["functionName"]
    base = function if function.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}"
    arn = f"{base}:{inputs['name']}"
    return {
        "id": arn,
        "arn": arn,
        "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    }


def _api(inputs: Inputs, name: str) -> Outputs:
    return {
        "id": "a1b2c3d4e5",
        "name": _physical(inputs, name),
        "apiEndpoint": f"https://a1b2c3d4e5.execute-api.{REGION}.amazonaws.com",
        "arn": f"arn:aws:apigateway:{REGION}::/apis/a1b2c3d4e5",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:a1b2c3d4e5",
    }


def _stage(inputs: Inputs, _name: str) -> Outputs:
    host = f"https://{inputs['apiId']}.execute-api.{REGION}.amazonaws.com"
    stage = inputs["name"]
    return {
        "id": stage,
        "arn": f"arn:aws:apigateway:{REGION}::/apis/{inputs['apiId']}/stages/{stage}",
        "executionArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{inputs['apiId']}/{stage}",
        "invokeUrl": f"{host}/" if stage == "$default" else f"{host}/{stage}",
    }


def _mapping(_inputs: Inputs, name: str) -> Outputs:
    return {"id": f"uuid-of-{name}", "uuid": f"uuid-of-{name}", "state": "Enabled"}


def _machine(inputs: Inputs, name: str) -> Outputs:
    own = _physical(inputs, name)
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{own}"
    return {"id": arn, "name": own, "arn": arn}


OUTPUTS: Final[dict[str, Callable[[Inputs, str], Outputs]]] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:sqs/queue:Queue": _queue,
    "aws:iam/role:Role": _role,
    "aws:lambda/function:Function": _function,
    "aws:lambda/alias:Alias": _alias,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:cloudwatch/logGroup:LogGroup": _arn("logs", "log-group:"),
    "aws:apigatewayv2/api:Api": _api,
    "aws:apigatewayv2/stage:Stage": _stage,
    "aws:sfn/stateMachine:StateMachine": _machine,
    "aws:sns/topic:Topic": _arn("sns", ""),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _arn("cloudwatch", "alarm:"),
    "aws:cloudwatch/eventRule:EventRule": _arn("events", "rule/"),
    "aws:scheduler/schedule:Schedule": _arn("scheduler", "schedule/default/"),
}

CALLS: Final[dict[str, Outputs]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:user/test",
        "id": ACCOUNT,
        "userId": "AIDATEST",
    },
    "aws:index/getRegion:getRegion": {
        "region": REGION,
        "name": REGION,
        "id": REGION,
        "description": "",
        "endpoint": "",
    },
    "aws:index/getPartition:getPartition": {
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "id": "aws",
        "reverseDnsPrefix": "com.amazonaws",
    },
}
