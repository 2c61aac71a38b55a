"""What Lambda bills a function for, by its memory and its profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infra.estimate.charges import Second
from infra.estimate.demand import MONTH, Demand
from infra.estimate.served import Calls, Served
from infra.estimate.situation import Situation
from infra.estimate.use import Per, Use
from infra.quotas import Declared
from infra.scaling import Balanced, Eco, Latency

PROVISIONED = "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"
PROCESSOR_MB = 1769
"""Memory that brings one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
MOST_VCPUS = 6
SAMPLED = 0.05
"""The share of calls beyond one a second of which X-Ray keeps a trace."""


def vcpus(memory_mb: int) -> float:
    """Return the processors that memory brings."""
    return min(memory_mb / PROCESSOR_MB, MOST_VCPUS)


def served(function: Declared, situation: Situation) -> Served:
    """Read a function, and its profile from what stands beside it."""
    inputs = function.inputs
    kept = situation.beside(function, PROVISIONED)
    if kept:
        profile = Latency(minimum=int(kept[0].inputs["provisionedConcurrentExecutions"]))
    else:
        profile = Balanced() if (inputs.get("snapStart") or {}).get("applyOn") == "PublishedVersions" else Eco()
    return Served(
        memory_mb=int(inputs.get("memorySize") or 128),
        architecture=(inputs.get("architectures") or ["x86_64"])[0],
        profile=profile,
        published_versions=situation.traffic.published_versions,
    )


def work(function: Served, all_calls: Iterable[Calls]) -> Iterator[Use]:
    """Yield what calls are billed for. Copies that are kept ready take as much of the work as they can."""
    gb, processors = function.memory_mb / 1024, vcpus(function.memory_mb)
    for each in all_calls:
        seconds = each.seconds / min(processors, 1)
        ready = _ready(function, each.rate * seconds)
        total = each.number * seconds
        starts = each.number * each.starts_a_call * (1 - ready)
        started = starts * each.start_seconds / min(processors, 1)
        # A restore has a price of its own; for want of a figure it takes the energy of a cold start.
        own, restored = total * (1 - ready), isinstance(function.profile, Balanced)
        reserved = own + started
        demand = Demand(
            reserved=reserved * processors, working=(reserved + total * ready) * processors, memory=reserved * gb
        )
        billed = own if restored else reserved
        kind = function.architecture
        yield Use(per=each.per, price=f"lambda.duration.{kind}", quantity=billed * gb, demand=demand)
        yield Use(per=each.per, price="lambda.request", quantity=each.number)
        if ready:
            yield Use(per=each.per, price=f"lambda.provisioned_at_work.{kind}", quantity=total * ready * gb)
        if starts and restored:
            yield Use(per=each.per, price="lambda.restored", quantity=starts * gb)


def _ready(function: Served, at_work: float) -> float:
    """Return the share of the work that copies do which are kept ready."""
    if not isinstance(function.profile, Latency):
        return 0.0
    return min(function.profile.minimum / at_work, 1.0) if at_work else 1.0


def traces(all_calls: Iterable[Calls]) -> Iterator[Use]:
    """Yield the traces that X-Ray records of calls: one a second, and a share of the others.

    https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html. Calls of a run are in the trace of its execution.
    """
    for each in all_calls:
        sampled = 1.0 if each.rate <= 1 else (1 + SAMPLED * (each.rate - 1)) / each.rate
        if each.per is not Per.RUN:
            yield Use(per=each.per, price="xray.trace", quantity=each.number * sampled)


def standing(function: Served) -> Iterator[Use]:
    """Yield what a function is billed for while nobody calls it."""
    gb = function.memory_mb / 1024
    match function.profile:
        case Balanced():
            kept = gb * function.published_versions
            yield Use(per=Per.MONTH, price="lambda.snapshot", quantity=kept * MONTH, demand=Demand(stored=kept))
        case Latency(minimum=minimum):
            seconds = minimum * MONTH
            yield Use(
                per=Per.MONTH,
                price=f"lambda.provisioned.{function.architecture}",
                quantity=seconds * gb,
                demand=Demand(reserved=seconds * vcpus(function.memory_mb), memory=seconds * gb),
            )


def second(function: Served) -> Second:
    """Return what a billed second is, on demand or, of a function that is kept ready, on a copy that is."""
    gb, processors = function.memory_mb / 1024, vcpus(function.memory_mb)
    kind = "provisioned_at_work" if isinstance(function.profile, Latency) else "duration"
    use = Use(
        per=Per.MONTH,
        price=f"lambda.{kind}.{function.architecture}",
        quantity=gb,
        demand=Demand(reserved=processors, working=processors, memory=gb),
    )
    return Second(uses=(use,), call="lambda.request", billed_ms=1)
