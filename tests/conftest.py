"""What holds for every test."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from infra.local.gcp.storage.emulator import NotForThisMachine

# How long an example takes says something of the machine and nothing of the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """A test that needs what cannot be had for this machine is expected to fail, by that name; all others run."""
    try:
        return (yield)
    except NotForThisMachine as absent:
        pytest.xfail(str(absent))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """As while it is set up."""
    try:
        return (yield)
    except NotForThisMachine as absent:
        pytest.xfail(str(absent))
