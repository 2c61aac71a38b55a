"""What holds for every test."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine and nothing of the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(autouse=True)
def own_event_loop() -> Iterator[None]:
    """An output of Pulumi's asks for the thread's event loop, which whoever drained a program may have taken away."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


LOOP = re.compile(r"tests/loop/.*::\w+\[(\w+)")


def together(nodeid: str) -> str:
    """Whatever has the same answer runs in one worker: the loop of a cloud, which deploys a stack; else a file."""
    loop = LOOP.match(nodeid)
    return f"loop of {loop[1]}" if loop else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In place of `--dist loadgroup`: pytest-xdist 3.8 writes groups where pytest 9 does not read them any more."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Together(config, log)
