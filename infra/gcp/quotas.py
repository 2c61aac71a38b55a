"""The quotas of a new Google Cloud project that a stack can exceed: processors and memory of functions' instances."""

from __future__ import annotations

from collections.abc import Iterable

from infra.quotas import Declared, Quota, Want

FUNCTION = "gcp:cloudfunctionsv2/function:Function"
PROCESSORS = ((128, 83), (256, 167), (512, 333), (1024, 583), (2048, 1000), (8192, 2000), (16_384, 4000))
"""Memory in MiB up to which it brings so many thousandths of a processor; above, eight:
https://cloud.google.com/functions/docs/configuring/memory."""
MOST_THOUSANDTHS = 8000
INSTANCES = 100
"""The most instances of a function that states no number."""
MIB = 1024 * 1024
SOURCES = (
    "https://cloud.google.com/run/quotas",
    "https://github.com/googlecodelabs/feedback/issues/1856",
    "https://github.com/googlecodelabs/feedback/issues/2311",
)
"""The page says how much depends on the region and the project; what a new project has is what its refusals say."""
ASK = "https://console.cloud.google.com/iam-admin/quotas?service=run.googleapis.com"

CPU = Quota(
    name="Total CPU allocation, in milli vCPU, per project per region",
    service="run.googleapis.com",
    code="CpuAllocPerProjectRegion",
    usual=20_000,
    unit="processors of all instances",
    scale=1000,
    settings="functions.*.concurrency, functions.*.memory_mb, scaling",
    ask=ASK,
    sources=SOURCES,
    read_on="2026-11-29",
    certain=False,
)
MEMORY = Quota(
    name="Total memory allocation, in bytes, per project per region",
    service="run.googleapis.com",
    code="MemAllocPerProjectRegion",
    usual=40 * 1024 * MIB,
    unit="GiB of all instances",
    scale=1024 * MIB,
    settings="functions.*.concurrency, functions.*.memory_mb, scaling",
    ask=ASK,
    sources=SOURCES,
    read_on="2026-11-29",
    certain=False,
)


def wants(graph: Iterable[Declared]) -> tuple[Want, ...]:
    """Return what the functions of a graph want of the project.

    A function is refused when it is deployed if all of its own instances would be more than the quota;
    all functions together only meet it at work.
    """
    services = [resource.inputs["serviceConfig"] for resource in graph if resource.type == FUNCTION]
    instances = [int(service.get("maxInstanceCount", INSTANCES)) for service in services]
    processors = [
        count * thousandths(service.get("availableCpu"), mebibytes(service["availableMemory"]))
        for count, service in zip(instances, services, strict=True)
    ]
    memory = [
        count * mebibytes(service["availableMemory"]) * MIB for count, service in zip(instances, services, strict=True)
    ]
    return tuple(
        Want(quota=quota, to_deploy=max(figures, default=0), wanted=sum(figures))
        for quota, figures in ((CPU, processors), (MEMORY, memory))
    )


def mebibytes(memory: str) -> int:
    """Return the size that a text such as `512Mi` states."""
    return int(memory.removesuffix("Mi"))


def thousandths(stated: str | None, mib: int) -> int:
    """Return the processors of an instance, in thousandths: those stated, or as many as its memory brings."""
    if stated is not None:
        return round(float(stated) * 1000)
    return next((brought for bound, brought in PROCESSORS if mib <= bound), MOST_THOUSANDTHS)
