"""What Cloud Run refuses of a project with small quotas: https://cloud.google.com/run/quotas."""

from __future__ import annotations

from collections.abc import Mapping

CPU, MEMORY = "CpuAllocPerProjectRegion", "MemAllocPerProjectRegion"
KNOWN = (CPU, MEMORY)
"""In thousandths of a processor, and in bytes."""
PROCESSORS = (
    (128, 83),
    (256, 167),
    (512, 333),
    (1024, 583),
    (2048, 1000),
    (8192, 2000),
    (16_384, 4000),
    (32_768, 8000),
)
"""Memory in MiB up to which it brings so many thousandths of a processor:
https://cloud.google.com/functions/docs/configuring/memory."""
MIB = 1024 * 1024


def brought(memory_mib: int) -> int:
    """Return how many thousandths of a processor so much memory brings."""
    return next((each for bound, each in PROCESSORS if memory_mib <= bound), PROCESSORS[-1][1])


def require(quotas: Mapping[str, int], *, service: str, instances: int, memory_mib: int, cpu: str | None) -> None:
    """Raise `ValueError`, in Cloud Run's words, for a function whose own instances are more than a quota."""
    of_one = {CPU: brought(memory_mib) if cpu is None else round(float(cpu) * 1000), MEMORY: memory_mib * MIB}
    violated = [name for name in KNOWN if instances * of_one[name] > quotas.get(name, instances * of_one[name])]
    if violated:
        most = min(quotas[name] // of_one[name] for name in violated)
        total = {CPU: "CPU", MEMORY: "memory"}[violated[0]]
        lines = [f"{name} requested: {instances * of_one[name]} allowed: {quotas[name]}" for name in violated]
        raise ValueError(
            f"Could not create Cloud Run service {service}."
            " spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]:"
            f" Max instances must be set to {most} or fewer to set the requested total {total}.\n"
            "Consider running your workload in a region with greater capacity, or requesting an increase in quota for"
            " this region, see https://cloud.google.com/run/quotas.\n\n" + "\n".join(["Quota violated:", *lines])
        )
