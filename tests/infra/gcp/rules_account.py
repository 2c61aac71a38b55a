"""What a stack without sizes of its own may ask for, so that a new project has it: from the graph to what is wrong.

A new project has 20 processors and 40 GiB a region for all instances of Cloud Run, and a function is refused whose
instances alone are more: https://github.com/googlecodelabs/feedback/issues/1856.
"""

from __future__ import annotations

import re

from tests.graph import Graph, Resource
from tests.infra.gcp import whole as w

THOUSANDTHS = 20_000
MEMORY_MIB = 40 * 1024
BROUGHT = ((128, 83), (256, 167), (512, 333), (1024, 583), (2048, 1000), (8192, 2000), (16_384, 4000), (32_768, 8000))
"""Memory in MiB up to which it brings so many thousandths of a processor:
https://cloud.google.com/functions/docs/configuring/memory."""


def processors_are_what_a_new_project_has(graph: Graph) -> list[str]:
    asked = {function.name: _instances(function) * _thousandths(function) for function in graph.of(w.FUNCTION)}
    return [f"{sum(asked.values()):,} thousandths: {asked}"] if sum(asked.values()) > THOUSANDTHS else []


def memory_is_what_a_new_project_has(graph: Graph) -> list[str]:
    asked = {function.name: _instances(function) * _mib(function) for function in graph.of(w.FUNCTION)}
    return [f"{sum(asked.values()):,} MiB: {asked}"] if sum(asked.values()) > MEMORY_MIB else []


def experiments_find_an_instance(graph: Graph) -> list[str]:
    """Of those that run at a time, each: one that waits longer than the workflow is patient fails the run."""
    instances = _instances(graph.one(w.FUNCTION, "train-function"))
    limits = [limit for resource in graph.of(w.WORKFLOW) for limit in _limits(resource.document("sourceContents"))]
    return [f"{limit} experiments at a time for {instances} instances" for limit in limits if limit > instances]


def _limits(source: object) -> list[int]:
    if isinstance(source, list):
        return [limit for part in source for limit in _limits(part)]
    if not isinstance(source, dict):
        return []
    own = [source["concurrency_limit"]] if "concurrency_limit" in source else []
    return own + [limit for part in source.values() for limit in _limits(part)]


def _instances(function: Resource) -> int:
    return w.service(function).get("maxInstanceCount") or 0


def _mib(function: Resource) -> int:
    """Return the memory of an instance; what is stated in no such unit is `functions_have_bounds`."""
    stated = re.fullmatch(r"(\d+)Mi", w.service(function).get("availableMemory", ""))
    return int(stated[1]) if stated else 0


def _thousandths(function: Resource) -> int:
    processors = w.service(function).get("availableCpu")
    if processors is not None:
        return int(float(processors) * 1000)
    return next(thousandths for mib, thousandths in BROUGHT if _mib(function) <= mib)


RULES = (
    processors_are_what_a_new_project_has,
    memory_is_what_a_new_project_has,
    experiments_find_an_instance,
)
