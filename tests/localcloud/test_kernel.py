"""Training in an embedded cloud computes as in the deployed one, whatever the shell that it was started from says."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from infra.processor import VECTORS, arithmetic, here
from localcloud.engine.stack import LocalStack
from tests.experiment import FLEET, OWN


def trained(kind: ModuleType, state: Path) -> dict[str, Any]:
    """The experiment in the worker of a function that is told what training is told."""
    with LocalStack(kind.STACK, state=state, program=lambda: kind.training(arithmetic(here())), port=0) as stack:
        stack.deploy()
        (made,) = stack.of(kind.FUNCTION)
        return kind.answer(stack.cloud, made)


def test_a_worker_gets_the_kernel_to_compute_with_from_its_function_alone(
    kind: ModuleType, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for processor in FLEET:
        for name, chosen in processor.items():
            monkeypatch.setenv(name, chosen)
        found.append(trained(kind, state))
    assert found[0] == found[1]
    assert set(found[0]["kernels"]) <= {OWN}
    assert not set(found[0]["numpy"]) & set(VECTORS[here()].split())
