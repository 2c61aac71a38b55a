"""One stack of each embedded cloud, deployed once, for every test of the loop; IAM is enforced in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.engine.stack import LocalStack
from tests.loop.running import Running

STACKS = {"aws": ("local", 2), "gcp": ("gcp-local", 5)}
"""The stack of each cloud that is embedded, and the fewest attempts that it gives a job; every test runs on each."""


def quick(attempts: int) -> dict[str, Any]:
    """One step of a release, judged as soon as it has seen its requests; a job soon out of time, and soon given up."""
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
    """The stack at rest, with a champion that every test begins with."""
    deployed.reset()
    yield deployed
    deployed.idle()
