"""The embedded AWS: ministack, and a handler for every type of resource that the program declares."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from localcloud.aws import alarms, logs
from localcloud.aws.dead_letters import DeadLetters
from localcloud.aws.emulator import Emulator
from localcloud.aws.gateway import Gateway
from localcloud.aws.happenings import Happenings
from localcloud.aws.objects import Objects
from localcloud.aws.provider_functions import PROVIDER_FUNCTIONS
from localcloud.aws.quotas import CONCURRENCY, KNOWN
from localcloud.aws.resources import ABSENT, HANDLERS
from localcloud.aws.session import Session
from localcloud.engine.alarms import Monitoring, Sample
from localcloud.engine.cloud import SHOWN_BYTES, CloudFailed, Entrance, QueuePart, State
from localcloud.engine.events import Event, Events
from localcloud.engine.quotas import account_quotas
from localcloud.engine.resource_handler import Resource
from localcloud.engine.stack_file import ROOT, StackFile
from localcloud.support.process import members

STATES = {"RUNNING": State.RUNNING, "SUCCEEDED": State.SUCCEEDED}


def interpreter() -> Path:
    """Return the Python of the emulator's environment; `SERVERLESS_ML_EMULATOR_AWS` names another environment."""
    return Path(os.environ.get("SERVERLESS_ML_EMULATOR_AWS", ROOT / ".local" / "emulator-aws")) / "bin" / "python"


class Aws:
    """A running embedded AWS, empty until something is deployed."""

    title = "AWS"
    emulator = "ministack"
    function = "aws:lambda/function:Function"
    workflow = "aws:sfn/stateMachine:StateMachine"
    queue = QueuePart(type="aws:sqs/queue:Queue", suffix="-queue")
    failed = QueuePart(type="aws:sqs/queue:Queue", suffix="-dead-letters")
    handlers = HANDLERS
    absent = ABSENT

    def __init__(self, stack: StackFile, workspace: Path, *, port: int, progress: Callable[[str], None]) -> None:
        self._port = port
        self._gateways: list[Gateway] = []
        self._events = Events()
        quotas = account_quotas(stack, KNOWN)
        self._emulator = Emulator(
            interpreter(),
            workspace,
            region=stack.get("aws:region", "us-east-1"),
            concurrency=quotas.get(CONCURRENCY),
            progress=progress,
        ).start()
        self._happenings = Happenings(self._emulator.happenings)
        self.session = Session(
            endpoint=self._emulator.endpoint,
            certificate=self._emulator.certificate,
            region=self._emulator.region,
            key=self._emulator.root.key,
            secret=self._emulator.root.secret,
            expose=self._expose,
        )
        self.session.quotas = quotas

    @property
    def groups(self) -> tuple[int, ...]:
        """The emulator's process group, which its workers are in."""
        return (self._emulator.pid,)

    @property
    def certificate(self) -> Path:
        return self.session.certificate

    @property
    def entrance(self) -> Entrance:
        session = self.session
        options = {**session.credentials, "endpoint": session.endpoint, "region": session.region}
        return Entrance(
            endpoint=session.endpoint,
            certificate=session.certificate,
            credentials=session.credentials,
            store_options={**options, "virtual_hosted_style_request": False},
        )

    @property
    def log(self) -> Path:
        return self._emulator.log

    def call(self, token: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the result of a provider function. Raises `KeyError` for an unknown token."""
        return PROVIDER_FUNCTIONS[token](self.session, args)

    def check(self) -> None:
        """Raise `CloudFailed`, which names the log, if the emulator has ended by itself."""
        self._emulator.check()

    def outputs(self, declared: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the outputs unchanged: the endpoint of an API is already the address on this machine."""
        return declared

    def store(self, url: str) -> Objects:
        """Return the objects of the bucket at `s3://bucket`."""
        return Objects(self.session.client("s3"), url.removeprefix("s3://").rstrip("/"))

    def send(self, queue: Resource, content: bytes) -> None:
        """Send a message to an SQS queue."""
        self.session.client("sqs").send_message(QueueUrl=queue.outputs["url"], MessageBody=content.decode())

    def dead_letters(self, name: str) -> DeadLetters:
        """Return the dead letters in the queue at a URL. Raises `LookupError` when it is no dead-letter queue."""
        return DeadLetters(self.session.client("sqs"), name)

    def lines(self, function: Resource, limit: int) -> list[str]:
        """Return the newest `limit` lines that a function logged, oldest first."""
        group = function.inputs.get("loggingConfig", {}).get("logGroup") or f"/aws/lambda/{function.id}"
        return logs.newest(self.session.client("logs"), group, limit)

    def events(self) -> list[Event]:
        """Return what happened since the last call."""
        return [*self._happenings.take(), *self._events.take()]

    def monitoring(self, resources: Iterable[Resource]) -> Monitoring:
        """Return what is declared of metrics and alarms."""
        return alarms.monitoring(resources)

    def counted(self, resources: Iterable[Resource]) -> Iterator[Sample]:
        """Yield what the services count, of what the alarms among the resources read."""
        return alarms.counted(self.session, resources, self._events.answers, time.time())

    def workers(self, function: Resource) -> list[int]:
        """Return the ids of a function's processes: the emulator unpacks each copy into a folder named after it."""
        return [pid for pid, command in members(self.groups).items() if f"ministack-lambda-{function.id}-" in command]

    def invoke(self, function: Resource, payload: Mapping[str, Any]) -> Any:
        """Call a function, and return its answer. Raises `CloudFailed`, with what it said, where it fails."""
        answer = self.session.client("lambda").invoke(FunctionName=function.id, Payload=json.dumps(payload).encode())
        said = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise CloudFailed(f"{function.declared.name}: {said.decode(errors='replace')[:SHOWN_BYTES]}")
        return json.loads(said)

    def execute(self, workflow: str, argument: Mapping[str, Any]) -> str:
        """Start a state machine, by its ARN, and return the ARN of the execution."""
        response = self.session.client("stepfunctions").start_execution(
            stateMachineArn=workflow, input=json.dumps(argument)
        )
        return response["executionArn"]

    def executions(self, workflow: str, *, running: bool = False) -> dict[str, State]:
        """Return the state of each execution of a state machine, by its ARN; with `running`, of those that do."""
        asked = {"stateMachineArn": workflow, **({"statusFilter": "RUNNING"} if running else {})}
        pages = self.session.client("stepfunctions").get_paginator("list_executions").paginate(**asked)
        return {
            execution["executionArn"]: STATES.get(execution["status"], State.FAILED)
            for page in pages
            for execution in page["executions"]
        }

    def stop(self) -> None:
        """Stop everything. Safe to call twice."""
        for gateway in self._gateways:
            gateway.close()
        self._gateways.clear()
        self._emulator.stop()

    def _expose(self, api: str) -> str:
        """Serve an API, by its id, on a plain HTTP address, and return its URL."""
        gateway = Gateway(
            upstream=self._emulator.endpoint,
            prefix=f"/_aws/execute-api/{api}/$default",
            certificate=self._emulator.certificate,
            port=self._port,
            answered=self._events.answered,
        )
        self._gateways.append(gateway)
        return gateway.url


start = Aws
