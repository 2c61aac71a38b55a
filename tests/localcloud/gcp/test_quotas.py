"""The embedded GCP with a new project's quotas: it refuses what Cloud Run refuses."""

from __future__ import annotations

from typing import Any

import pytest

from localcloud.engine.engine import ResourceFailed
from localcloud.gcp.cloudrun.quotas import require
from tests.graph import Graph
from tests.infra.gcp import whole as w
from tests.infra.test_quotas import before, stack
from tests.localcloud import on_gcp
from tests.localcloud.conftest import GcpLab

NEW = {"CpuAllocPerProjectRegion": 20_000, "MemAllocPerProjectRegion": 40 * 1024**3}


def refusals(graph: Graph) -> dict[str, str]:
    """Return what a new project says of each function that it refuses."""
    said = {}
    for function in graph.of(w.FUNCTION):
        service = w.service(function)
        asked: dict[str, Any] = {
            "instances": int(service["maxInstanceCount"]),
            "memory_mib": int(service["availableMemory"].removesuffix("Mi")),
            "cpu": service.get("availableCpu"),
        }
        try:
            require(NEW, service=function.name, **asked)
        except ValueError as refusal:
            said[function.name] = str(refusal)
    return said


def test_a_new_project_takes_every_function_of_the_stack_for_trying_out() -> None:
    assert refusals(stack("gcp-dev")) == {}


def test_a_new_project_refuses_what_would_be_more_than_all_that_it_has() -> None:
    said = refusals(before("gcp"))
    assert said.keys() == {"train-function", "predict-function"}
    assert "Max instances must be set to 10 or fewer to set the requested total CPU." in said["train-function"]
    assert said["train-function"].endswith(
        "Quota violated:\nCpuAllocPerProjectRegion requested: 40000 allowed: 20000\n"
        "MemAllocPerProjectRegion requested: 64424509440 allowed: 42949672960"
    )
    assert "Max instances must be set to 34 or fewer to set the requested total CPU." in said["predict-function"]


def test_memory_alone_may_be_too_much() -> None:
    with pytest.raises(ValueError, match="Max instances must be set to 5 or fewer to set the requested total memory"):
        require(NEW, service="f", instances=6, memory_mib=8192, cpu=None)


def test_a_project_that_sets_no_quota_has_no_bound() -> None:
    require({}, service="f", instances=1000, memory_mib=32_768, cpu="8")


def test_a_deployment_is_refused_with_the_number_that_would_do(
    gcp_lab: GcpLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gcp_lab.cloud.session, "quotas", NEW)
    with pytest.raises(ResourceFailed, match="Max instances must be set to 20 or fewer to set the requested total CPU"):
        gcp_lab.deploy(lambda: on_gcp.function(max_instance_count=21, available_cpu="1"))
    gcp_lab.deploy(lambda: on_gcp.function(max_instance_count=20, available_cpu="1"))
