"""Copies of a Lambda function that answer nobody else: one function beside it, whose memory is changed.

The caller needs `lambda:GetFunction`, `CreateFunction`, `UpdateFunctionConfiguration`, `GetFunctionConfiguration`,
`InvokeFunction`, `DeleteFunction`, `ListFunctions`, `TagResource`, and `iam:PassRole` on the function's role.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from sml.aws.account import refusals
from sml.mistake import Mistake
from sml.tune.run import said, start_mark
from sml.tune.trial import Asked, Call, Deployed, beginning, name_of_copy, variables_of_copy

if TYPE_CHECKING:
    from sml.clouds import Way

LONGEST = 64
"""Characters of a function's name: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
ALIAS = "live"
"""What the stack's callers name."""
SIZES = (128, 256, 512, 768, 1024, 1536, 1769, 2048, 3008)
"""A new account takes 3,008 MB; 1,769 bring a whole processor."""
COPIED = ("Runtime", "Role", "Handler", "Timeout", "Architectures", "EphemeralStorage", "PackageType")
PATIENCE_SECONDS = 120
KILLED = ("signal: killed", "Runtime.OutOfMemory", "OutOfMemory")
REPORT = re.compile(
    r"REPORT .*?\tDuration: (?P<duration>[\d.]+) ms\tBilled Duration: (?P<billed>[\d.]+) ms\t"
    r"Memory Size: \d+ MB\tMax Memory Used: (?P<memory>\d+) MB(?:\tInit Duration: (?P<init>[\d.]+) ms)?"
)
"""https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""
TAG = "sml-tune"


class Trials:
    """Copies of one function, by the account's own API, or by that of an embedded AWS."""

    def __init__(self, function: str, region: str, way: Way | None = None) -> None:
        """`way` leads to an embedded AWS."""
        self._function = function
        self._embedded = way is not None
        self._trusted = way.certificate if way else True
        own = (
            {
                "endpoint_url": way.endpoint,
                "verify": way.certificate,
                "aws_access_key_id": str(way.options["access_key_id"]),
                "aws_secret_access_key": str(way.options["secret_access_key"]),
            }
            if way
            else {}
        )
        # A call that fails is a finding, and is not repeated.
        config = Config(read_timeout=900, retries={"total_max_attempts": 1})
        with refusals("tune the function"):
            self._lambda = boto3.client("lambda", region_name=region, config=config, **own)
        self._made: set[str] = set()
        self.proves = (
            "Figures of Lambda's own reports, of a copy that is called directly: without the gateway, and with "
            "captures kept in memory. A cold start is a new sandbox; profile `balanced` starts from a snapshot, which "
            "a copy has not."
        )

    @property
    def sizes(self) -> Sequence[int]:
        return SIZES

    def name(self) -> str:
        return name_of_copy(self._function, LONGEST)

    def deployed(self) -> Deployed:
        found = self._configuration()["Configuration"]
        return Deployed(memory_mb=found["MemorySize"], architecture=(found.get("Architectures") or ["x86_64"])[0])

    def leftovers(self) -> list[str]:
        with refusals("list functions"):
            pages = self._lambda.get_paginator("list_functions").paginate()
            names = [one["FunctionName"] for page in pages for one in page["Functions"]]
        return [name for name in names if name.startswith(beginning(self._function, LONGEST))]

    def remove(self, name: str) -> None:
        with refusals(f"delete the copy {name}"):
            try:
                self._lambda.delete_function(FunctionName=name)
            except self._lambda.exceptions.ResourceNotFoundException:
                return

    def open(self, name: str, memory_mb: int, processors: float) -> None:
        del processors
        if name not in self._made:
            self._create(name, memory_mb)
            return
        with refusals(f"give the copy {memory_mb:,} MB"):
            values = self._variables()
            self._lambda.update_function_configuration(
                FunctionName=name, MemorySize=memory_mb, Environment={"Variables": values}
            )
        self._wait(name)

    def _create(self, name: str, memory_mb: int) -> None:
        found = self._configuration()
        configuration = found["Configuration"]
        logging = {key: value for key, value in (configuration.get("LoggingConfig") or {}).items() if key != "LogGroup"}
        layers = [layer["Arn"] for layer in configuration.get("Layers") or ()]
        tracing = (configuration.get("TracingConfig") or {}).get("Mode")
        with refusals("make a copy of the function"):
            self._lambda.create_function(
                FunctionName=name,
                Code={"ZipFile": self._code(found["Code"]["Location"])},
                MemorySize=memory_mb,
                Environment={"Variables": self._variables()},
                Tags={TAG: self._function},
                Description=f"sml tune: a copy of {self._function}, deleted afterwards",
                **{key: configuration[key] for key in COPIED if key in configuration},
                **({"Layers": layers} if layers else {}),
                **({"LoggingConfig": logging} if logging else {}),
                **({"TracingConfig": {"Mode": tracing}} if tracing else {}),
            )
        self._made.add(name)
        self._wait(name)

    def call(self, name: str, asked: Asked) -> Call:
        started = time.perf_counter()
        with refusals("call the copy"):
            answer = self._lambda.invoke(FunctionName=name, LogType="Tail", Payload=json.dumps(_event(asked)).encode())
            content = answer["Payload"].read()
        ms = (time.perf_counter() - started) * 1000
        facts = report(base64.b64decode(answer.get("LogResult", "")).decode(errors="replace"))
        duration, init = facts.get("duration", ms), facts.get("init", 0.0)
        took = Call(status=0, ms=duration + init, billed_ms=facts.get("billed"), memory_mb=facts.get("memory"))
        document = json.loads(content or b"null")
        if answer.get("FunctionError"):
            told = f"{document.get('errorType', '')} {document.get('errorMessage', '')}".strip()
            killed = any(word in told for word in KILLED)
            return replace(took, problem=told[:200], out_of_memory=killed)
        status = int(document["statusCode"])
        problem = "" if status < 500 else f"{status}: {said(document.get('body', '').encode())}"
        return replace(took, status=status, problem=problem)

    def _configuration(self) -> Mapping[str, Any]:
        with refusals("read the function"):
            return self._lambda.get_function(FunctionName=self._function, Qualifier=ALIAS)

    def _variables(self) -> dict[str, str]:
        found = self._configuration()["Configuration"].get("Environment", {}).get("Variables", {})
        return variables_of_copy(found, embedded=self._embedded, start=start_mark())

    def _code(self, location: str) -> bytes:
        with refusals("read the function's code"):
            answer = URLLib3Session(verify=self._trusted, timeout=60).send(AWSRequest("GET", location).prepare())
        if answer.status_code != 200:
            raise Mistake(f"AWS refused to give the function's code: {answer.status_code}")
        return answer.content

    def _wait(self, name: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        with refusals("wait for the copy"):
            while time.monotonic() < until:
                found = self._lambda.get_function_configuration(FunctionName=name)
                if found.get("State") == "Failed" or found.get("LastUpdateStatus") == "Failed":
                    reason = found.get("LastUpdateStatusReason") or found.get("StateReason")
                    raise Mistake(f"AWS could not make the copy: {reason}")
                if (
                    found.get("State", "Active") == "Active"
                    and found.get("LastUpdateStatus", "Successful") == "Successful"
                ):
                    return
                time.sleep(0.5)
        raise Mistake(f"the copy was not ready after {PATIENCE_SECONDS} s")


def report(tail: str) -> dict[str, float]:
    """Return what Lambda reports of a call at the end of its log, in ms and MB: a line of text, or of JSON."""
    for line in reversed(tail.splitlines()):
        if found := REPORT.search(line):
            return {name: float(value) for name, value in found.groupdict().items() if value}
        if '"platform.report"' in line:
            metrics = json.loads(line)["record"]["metrics"]
            names = {
                "duration": "durationMs",
                "billed": "billedDurationMs",
                "memory": "maxMemoryUsedMB",
                "init": "initDurationMs",
            }
            return {name: float(metrics[key]) for name, key in names.items() if key in metrics}
    return {}


def _event(asked: Asked) -> dict[str, Any]:
    """Return a request as an HTTP API passes it on: payload format 2.0."""
    http = {
        "method": asked.method,
        "path": asked.path,
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "sml",
    }
    try:
        body, encoded = asked.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(asked.body).decode(), True
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": asked.path,
        "rawQueryString": "",
        "headers": dict(asked.headers),
        "requestContext": {"http": http, "requestId": "sml-tune", "stage": "$default", "timeEpoch": 0},
        "body": body,
        "isBase64Encoded": encoded,
    }
