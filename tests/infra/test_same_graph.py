"""The same stack is the same graph in every process: an order taken from a set would be a change in every preview."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from infra import clouds
from tests.root import ROOT

pytestmark = pytest.mark.integration
DRAW = """
import importlib, json, sys
graphs = {cloud: importlib.import_module(f"tests.infra.{cloud}.whole").graph() for cloud in sys.argv[1:]}
inputs = {cloud: {resource.urn: resource.inputs for resource in graph} for cloud, graph in graphs.items()}
print(json.dumps(inputs, default=lambda asset: type(asset).__name__))
"""


@cache
def drawn(seed: int) -> dict[str, dict[str, Any]]:
    """Return the inputs by cloud and URN, drawn in a process whose sets have an order of their own."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", DRAW, *clouds.names()],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("cloud", clouds.names())
def test_a_stack_is_drawn_alike_whatever_order_sets_have(cloud: str) -> None:
    one, *others = [drawn(seed)[cloud] for seed in (1, 2, 3)]
    for other in others:
        differing = [urn for urn in one.keys() | other.keys() if one.get(urn) != other.get(urn)]
        assert differing == []
