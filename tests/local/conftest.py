"""One embedded AWS for the tests of a worker; each test deploys into it under a stack name of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.local.aws import Aws
from infra.local.aws.session import Session
from infra.local.engine import Changes, Engine
from infra.local.program import evaluate
from infra.local.stackfile import StackFile

REGION = "eu-west-1"


@dataclass
class Lab:
    """The embedded AWS, with an engine that knows nothing yet."""

    aws: Aws
    stack: StackFile
    engine: Engine
    outputs: dict[str, Any] = field(default_factory=dict)

    def deploy(self, program: Callable[[], object]) -> Changes:
        self.engine.begin()
        self.outputs = evaluate(self.stack, self.engine, program)
        return self.engine.finish()

    def client(self, service: str) -> Any:
        return self.aws.session.client(service)

    def invoke(self, function: str, payload: object = None) -> Any:
        """The answer of a function, or a dictionary with `errorMessage`."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        return json.loads(answer["Payload"].read())

    def as_caller(self, key: str, secret: str, token: str) -> Session:
        session = self.aws.session
        return Session(
            endpoint=session.endpoint,
            certificate=session.certificate,
            region=session.region,
            key=key,
            secret=secret,
            token=token,
        )


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    stack = StackFile(project="serverless-ml", name="tests", config={"aws:region": REGION})
    os.environ["SECRET_OF_THE_HOST"] = "hunter2"
    try:
        running = Aws(stack, tmp_path_factory.mktemp("aws"), port=0, progress=lambda _: None)
    finally:
        del os.environ["SECRET_OF_THE_HOST"]
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def lab(aws: Aws, request: pytest.FixtureRequest) -> Iterator[Lab]:
    name = f"t{abs(hash(request.node.nodeid)):x}"
    lab = Lab(aws=aws, stack=StackFile(project="serverless-ml", name=name, config={}), engine=Engine(aws))
    yield lab
    lab.deploy(lambda: None)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"
