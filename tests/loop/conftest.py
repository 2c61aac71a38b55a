"""One stack of each embedded cloud, deployed once for every test here, with IAM enforced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import bundle
from localcloud.commands.control import FILE, Control
from localcloud.commands.up import stack_commands
from localcloud.engine.engine import Changes
from localcloud.engine.stack import LocalStack
from tests.loop.running import Running
from tests.root import ROOT

STACKS = {"aws": ("local", 2), "gcp": ("gcp-local", 5)}
"""The stack of each embedded cloud, and the smallest number of attempts that it gives a job."""


def quick(attempts: int) -> dict[str, Any]:
    """Return settings for one canary step, judged after its first requests, and for jobs that time out soon."""
    return {
        "serverless-ml:settings": {
            "rollout": {"steps": [50], "bake_seconds": 1, "patience": 20},
            "functions": {"jobs": {"timeout_seconds": 3}},
            "jobs": {"attempts": attempts},
        }
    }


PATIENCE_MS = 60_000
BOUND = b"maximum_latency_ms: 500 "
"""Of `models/file_type` at its gate. A machine that runs other tests beside it is past that at times."""


def patient(file: Path) -> bytes:
    """Return what is in a file of the program; in the contract of `models/file_type`, with a bound of a minute."""
    content = file.read_bytes()
    if file != ROOT / "models" / "file_type" / "model.yaml":
        return content
    assert content.count(BOUND) == 1
    return content.replace(BOUND, b"maximum_latency_ms: %d " % PATIENCE_MS)


class Patient(LocalStack):
    """A stack whose gate does not mind how long `models/file_type` takes."""

    def deploy(self) -> Changes:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bundle, "_read", patient)
            return super().deploy()


@pytest.fixture(
    scope="session",
    params=[pytest.param(stack, id=cloud) for cloud, stack in STACKS.items()],
)
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    stack, attempts = request.param
    state = tmp_path_factory.mktemp("loop")
    with Patient(stack, state=state, override=quick(attempts)) as local, Control(state / FILE, stack_commands(local)):
        local.deploy()
        yield Running(local, state)


@pytest.fixture
def running(deployed: Running) -> Iterator[Running]:
    """The idle stack, with the champion that every test begins with."""
    deployed.reset()
    yield deployed
    deployed.idle()
