"""The embedded AWS: ministack, and a hand for every type of resource that the program declares."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from localcloud.aws.dead_letters import DeadLetters
from localcloud.aws.emulator import Emulator
from localcloud.aws.gateway import Gateway
from localcloud.aws.invokes import INVOKES
from localcloud.aws.objects import Objects
from localcloud.aws.resources import ABSENT, HANDLERS
from localcloud.aws.session import Session
from localcloud.engine.cloud import State
from localcloud.engine.resource_handler import Made
from localcloud.engine.stack_file import ROOT, StackFile
from localcloud.support.process import members

STATES = {"RUNNING": State.RUNNING, "SUCCEEDED": State.SUCCEEDED}


def interpreter() -> Path:
    """The Python of the emulator's own environment; `SERVERLESS_ML_EMULATOR_AWS` names another environment."""
    return Path(os.environ.get("SERVERLESS_ML_EMULATOR_AWS", ROOT / ".local" / "emulator-aws")) / "bin" / "python"


class Aws:
    """An embedded AWS that is up."""

    title = "AWS"
    function = "aws:lambda/function:Function"
    workflow = "aws:sfn/stateMachine:StateMachine"
    handlers = HANDLERS
    absent = ABSENT

    def __init__(self, stack: StackFile, workspace: Path, *, port: int, progress: Callable[[str], None]) -> None:
        self._port = port
        self._doors: list[Gateway] = []
        self._emulator = Emulator(
            interpreter(), workspace, region=stack.get("aws:region", "us-east-1"), progress=progress
        ).start()
        self.session = Session(
            endpoint=self._emulator.endpoint,
            certificate=self._emulator.certificate,
            region=self._emulator.region,
            expose=self._expose,
        )

    @property
    def groups(self) -> tuple[int, ...]:
        """One: the emulator's own, which its workers are in."""
        return (self._emulator.pid,)

    @property
    def certificate(self) -> Path:
        return self.session.certificate

    @property
    def log(self) -> Path:
        return self._emulator.log

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return INVOKES[token](self.session, args)

    def check(self) -> None:
        """Raises `CloudFailed`, with the log's name, if the emulator has died."""
        self._emulator.check()

    def outputs(self, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """As they are: an API's own output is the address at which it is served."""
        return found

    def store(self, url: str) -> Objects:
        """The objects behind `s3://bucket`."""
        return Objects(self.session.client("s3"), url.removeprefix("s3://").rstrip("/"))

    def dead_letters(self, name: str) -> DeadLetters:
        """The dead letters at the URL of a queue."""
        return DeadLetters(self.session.client("sqs"), name)

    def lines(self, function: Made, limit: int) -> list[str]:
        """The newest lines that a function wrote, oldest first."""
        client = self.session.client("logs")
        group = function.inputs.get("loggingConfig", {}).get("logGroup") or f"/aws/lambda/{function.id}"
        try:
            found = client.filter_log_events(logGroupName=group)["events"]
        except client.exceptions.ResourceNotFoundException:
            return []
        ordered = sorted(found, key=lambda event: event["timestamp"])
        return [event["message"].rstrip("\n") for event in ordered][-limit:]

    def workers(self, function: Made) -> list[int]:
        """The processes that a function runs in: the emulator unpacks each copy into a folder named after it."""
        return [pid for pid, command in members(self.groups).items() if f"ministack-lambda-{function.id}-" in command]

    def execute(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start a state machine, by its ARN; returns the ARN of the execution."""
        answer = self.session.client("stepfunctions").start_execution(
            stateMachineArn=workflow, input=json.dumps(argument)
        )
        return answer["executionArn"]

    def executions(self, workflow: str) -> dict[str, State]:
        pages = self.session.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=workflow)
        return {
            one["executionArn"]: STATES.get(one["status"], State.FAILED) for page in pages for one in page["executions"]
        }

    def stop(self) -> None:
        """End everything. Safe to call twice."""
        for server in self._doors:
            server.close()
        self._doors.clear()
        self._emulator.stop()

    def _expose(self, api: str) -> str:
        server = Gateway(
            upstream=self._emulator.endpoint,
            prefix=f"/_aws/execute-api/{api}/$default",
            certificate=self._emulator.certificate,
            port=self._port,
        )
        self._doors.append(server)
        return server.url


start = Aws
