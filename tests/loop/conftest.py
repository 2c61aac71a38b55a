"""One stack, deployed once, for every test of the loop; IAM is enforced in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.stack import LocalStack
from tests.loop.running import Running

QUICK = {"serverless-ml:settings": {"rollout": {"steps": [50], "bake_seconds": 1, "patience": 20}}}
"""One step, judged as soon as it has seen its requests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("loop"))


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with LocalStack("local", state=tmp_path_factory.mktemp("loop"), override=QUICK) as stack:
        stack.deploy()
        yield Running(stack)


@pytest.fixture
def running(deployed: Running) -> Iterator[Running]:
    """The stack at rest, with a champion that every test begins with."""
    deployed.reset()
    yield deployed
    deployed.idle()
