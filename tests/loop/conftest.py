"""One stack of each embedded cloud, deployed once for every test here, with IAM enforced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.engine.stack import LocalStack
from tests.loop.running import Running

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


@pytest.fixture(
    scope="session",
    params=[pytest.param(stack, id=cloud) for cloud, stack in STACKS.items()],
)
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    stack, attempts = request.param
    with LocalStack(stack, state=tmp_path_factory.mktemp("loop"), override=quick(attempts)) as stack:
        stack.deploy()
        yield Running(stack)


@pytest.fixture
def running(deployed: Running) -> Iterator[Running]:
    """The idle stack, with the champion that every test begins with."""
    deployed.reset()
    yield deployed
    deployed.idle()
