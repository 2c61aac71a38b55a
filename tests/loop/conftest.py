"""One stack of each embedded cloud, deployed once for every test here, with IAM enforced."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import bundle
from localcloud.commands.control import FILE, Control
from localcloud.commands.up import stack_commands
from localcloud.engine.engine import Changes
from localcloud.engine.stack import LocalStack
from models.document import Document
from tests.loop.running import Running
from tests.root import ROOT

STACKS = {"aws": ("local", 2), "gcp": ("gcp-local", 5)}
"""The stack of each embedded cloud, and the smallest number of attempts that it gives a job."""


def job_seconds() -> int:
    """Return how long a job may take: 3 s, and more where a process takes long to start, as it does beside others.

    A worker that is started while the machine is busy has ten times that to answer its first rows.
    """
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import numpy, onnxruntime"], check=True)
    return min(10, max(3, math.ceil(10 * (time.monotonic() - began))))


BUDGET = {"gcp-local": {"billing_account": "01A2B3-4C5D6E-7F8091"}}
"""What the budget of a stack needs beside an amount."""


def quick(stack: str, attempts: int) -> dict[str, Any]:
    """Return settings for one canary step, judged after its first requests, and for jobs that time out soon."""
    return {
        "serverless-ml:settings": {
            "rollout": {"steps": [50], "bake_seconds": 1, "patience": 20},
            "functions": {"jobs": {"timeout_seconds": job_seconds()}},
            "jobs": {"attempts": attempts},
            "budget": {"usd_a_month": 50, "stop_at": 1, **BUDGET.get(stack, {})},
        }
    }


PATIENCE_MS = 60_000
CHANGED = {
    ROOT / "models" / "file_type" / "model.yaml": {
        b"maximum_latency_ms: 500 ": b"maximum_latency_ms: %d " % PATIENCE_MS,
        b"  minimum_agreement: 0.9 ": b"  maximum_error_rate: 0.1\n  minimum_agreement: 0.9 ",
    },
    ROOT / "models" / "breast_cancer" / "model.yaml": {
        b"C: [0.01, 0.1, 1.0, 10.0]": b"C: [0.1, 1.0]",
        b"n_estimators: [30, 60]": b"n_estimators: [3, 6]",
        b"max_depth: [2, 3]": b"max_depth: [2]",
        b"maximum_error_rate: 0.01": b"maximum_error_rate: 0.1",
    },
}
"""What is otherwise in a contract. A machine that runs other tests beside it is at times past the bound at the gate of
`models/file_type`; and of a training's time most goes to trees, of which a few will do, and to experiments, of which
four will do: two are tried at once, twice. That one error in a hundred is allowed takes a judge a hundred requests to
see; of one in ten, twenty are evidence."""


def changed(file: Path) -> bytes:
    """Return what is in a file of the program, with the changes of the contracts."""
    content = file.read_bytes()
    for before, after in CHANGED.get(file, {}).items():
        assert content.count(before) == 1
        content = content.replace(before, after)
    return content


class Patient(LocalStack):
    """A stack whose gate does not mind how long `models/file_type` takes, and whose trainings are short."""

    def deploy(self) -> Changes:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bundle, "_read", changed)
            return super().deploy()


@pytest.fixture
def contracts_of_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process read the contracts that the stack was deployed with."""
    read = Document.read

    def read_changed(data: bytes, where: str) -> Document:
        file = ROOT / where
        assert file not in CHANGED or data == file.read_bytes()
        return read(changed(file) if file in CHANGED else data, where)

    monkeypatch.setattr(Document, "read", read_changed)


@pytest.fixture(
    scope="session",
    params=[pytest.param(stack, id=cloud) for cloud, stack in STACKS.items()],
)
def deployed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    stack, attempts = request.param
    state = tmp_path_factory.mktemp("loop")
    with (
        Patient(stack, state=state, override=quick(stack, attempts)) as local,
        Control(state / FILE, stack_commands(local)),
    ):
        local.deploy()
        yield Running(local, state)


@pytest.fixture
def running(deployed: Running) -> Iterator[Running]:
    """The idle stack, with the champion that every test begins with."""
    deployed.reset()
    yield deployed
    deployed.idle()
