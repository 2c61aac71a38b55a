"""One embedded cloud of each kind for each pytest worker; each test deploys into it under a stack of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

import pytest

from localcloud.aws import Aws
from localcloud.aws.session import Session
from localcloud.engine.cloud import EmbeddedCloud
from localcloud.engine.engine import Changes, Engine
from localcloud.engine.program import evaluate
from localcloud.engine.resource_handler import Resource
from localcloud.engine.stack_file import StackFile
from localcloud.gcp import Gcp
from tests.localcloud import on_aws, on_gcp

REGION = "eu-west-1"
KINDS: Mapping[str, ModuleType] = {"aws": on_aws, "gcp": on_gcp}
"""What the tests that run on every embedded cloud need to know of each."""
C = TypeVar("C", bound=EmbeddedCloud)


@dataclass
class Lab(Generic[C]):
    """An embedded cloud, with an engine whose state is empty."""

    cloud: C
    stack: StackFile
    engine: Engine
    outputs: dict[str, Any] = field(default_factory=dict)

    def deploy(self, program: Callable[[], object]) -> Changes:
        self.engine.begin()
        self.outputs = dict(self.cloud.outputs(evaluate(self.stack, self.engine, program)))
        return self.engine.finish()

    def resource(self, kind: str, name: str | None = None) -> Resource:
        """Return the only resource of a type, or the one of that name."""
        resources = [resource for resource in self.engine.resources if resource.declared.type == kind]
        (match,) = [resource for resource in resources if name in (None, resource.declared.name)]
        return match


class AwsLab(Lab[Aws]):
    def client(self, service: str) -> Any:
        return self.cloud.session.client(service)

    def invoke(self, function: str, payload: object = None) -> Any:
        """Invoke a function and return its result, or a dictionary with `errorMessage`."""
        response = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        return json.loads(response["Payload"].read())

    def as_caller(self, key: str, secret: str, token: str) -> Session:
        session = self.cloud.session
        return Session(
            endpoint=session.endpoint,
            certificate=session.certificate,
            region=session.region,
            key=key,
            secret=secret,
            token=token,
        )

    def as_role(self, role: str) -> Session:
        """A session with the temporary credentials of a role, by its ARN: what it may not do is denied."""
        answer = self.client("sts").assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
        return self.as_caller(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])


class GcpLab(Lab[Gcp]):
    def call(self, function: Resource, path: str = "/") -> Any:
        """Call a function as the account that it runs as, and return its JSON response."""
        return on_gcp.call(self.cloud, function, path)


@contextmanager
def running(start: Callable[..., C], workspace: Path, config: Mapping[str, str]) -> Generator[C]:
    """Start an embedded cloud while the host has a secret in its environment."""
    stack = StackFile(project="serverless-ml", name="tests", config=config)
    os.environ["SECRET_OF_THE_HOST"] = "hunter2"
    try:
        cloud = start(stack, workspace, port=0, progress=lambda _: None)
    finally:
        del os.environ["SECRET_OF_THE_HOST"]
    try:
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with running(Aws, tmp_path_factory.mktemp("aws"), {"aws:region": REGION}) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def gcp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gcp]:
    with running(Gcp, tmp_path_factory.mktemp("gcp"), {"gcp:project": "p", "gcp:region": on_gcp.REGION}) as cloud:
        yield cloud


@pytest.fixture
def named(request: pytest.FixtureRequest) -> StackFile:
    return StackFile(
        project="serverless-ml", name=f"t{abs(hash(request.node.nodeid)):x}", config={"gcp:region": on_gcp.REGION}
    )


@pytest.fixture
def aws_lab(aws: Aws, named: StackFile) -> Iterator[AwsLab]:
    lab = AwsLab(cloud=aws, stack=named, engine=Engine(aws))
    yield lab
    lab.deploy(lambda: None)


@pytest.fixture
def gcp_lab(gcp: Gcp, named: StackFile) -> Iterator[GcpLab]:
    lab = GcpLab(cloud=gcp, stack=named, engine=Engine(gcp))
    yield lab
    lab.deploy(lambda: None)


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> ModuleType:
    """Each embedded cloud in turn, if it is available on this machine."""
    KINDS[request.param].ready()
    return KINDS[request.param]


@pytest.fixture
def lab(kind: ModuleType, request: pytest.FixtureRequest) -> Lab[Any]:
    """A lab of the current kind."""
    name = next(name for name, known in KINDS.items() if known is kind)
    return request.getfixturevalue(f"{name}_lab")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"
