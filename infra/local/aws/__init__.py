"""The embedded AWS: ministack, and a hand for every type of resource that the program declares."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from infra.local.aws import apigateway, events, iam, lambda_, logs, s3, sqs, stepfunctions, triggers
from infra.local.aws.emulator import Emulator
from infra.local.aws.gateway import Gateway
from infra.local.aws.invokes import INVOKES
from infra.local.aws.objects import Objects
from infra.local.aws.session import Session
from infra.local.hand import Hand, Made
from infra.local.stackfile import ROOT, StackFile

HANDS: Mapping[str, Hand] = {
    **s3.HANDS,
    **iam.HANDS,
    **sqs.HANDS,
    **lambda_.HANDS,
    **triggers.HANDS,
    **logs.HANDS,
    **events.HANDS,
    **stepfunctions.HANDS,
    **apigateway.HANDS,
}

ABSENT: Mapping[str, str] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": "the emulator keeps no metrics of queues, APIs and workflows",
    "aws:cloudwatch/dashboard:Dashboard": "nothing here shows it",
    "aws:budgets/budget:Budget": "nothing here costs money",
    "aws:appautoscaling/target:Target": "the emulator has no autoscaling",
    "aws:appautoscaling/policy:Policy": "the emulator has no autoscaling",
}
"""Types that are accepted and not made."""


def interpreter() -> Path:
    """The Python of the emulator's own environment; `SERVERLESS_ML_EMULATOR_AWS` names another environment."""
    return Path(os.environ.get("SERVERLESS_ML_EMULATOR_AWS", ROOT / ".local" / "emulator-aws")) / "bin" / "python"


class Aws:
    """An embedded AWS that is up."""

    title = "AWS"
    function = "aws:lambda/function:Function"
    workflow = "aws:sfn/stateMachine:StateMachine"
    hands = HANDS
    absent = ABSENT

    def __init__(self, stack: StackFile, room: Path, *, port: int, progress: Callable[[str], None]) -> None:
        self._port = port
        self._doors: list[Gateway] = []
        self._emulator = Emulator(
            interpreter(), room, region=stack.get("aws:region", "us-east-1"), progress=progress
        ).start()
        self.session = Session(
            endpoint=self._emulator.endpoint,
            certificate=self._emulator.certificate,
            region=self._emulator.region,
            expose=self._expose,
        )

    @property
    def pid(self) -> int:
        """The emulator's process, and the group of it and all its workers."""
        return self._emulator.pid

    @property
    def log(self) -> Path:
        return self._emulator.log

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return INVOKES[token](self.session, args)

    def check(self) -> None:
        """Raises `CloudFailed`, with the log's name, if the emulator has died."""
        self._emulator.check()

    def store(self, url: str) -> Objects:
        """The objects behind `s3://bucket`."""
        return Objects(self.session.client("s3"), url.removeprefix("s3://").rstrip("/"))

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

    def stop(self) -> None:
        """End everything. Safe to call twice."""
        for door in self._doors:
            door.close()
        self._doors.clear()
        self._emulator.stop()

    def _expose(self, api: str) -> str:
        door = Gateway(
            upstream=self._emulator.endpoint,
            prefix=f"/_aws/execute-api/{api}/$default",
            certificate=self._emulator.certificate,
            port=self._port,
        )
        self._doors.append(door)
        return door.url


start = Aws
