"""What Cloud Run bills a function's instances for, by their memory and their profile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from infra.estimate.charges import Second
from infra.estimate.demand import MONTH, Demand
from infra.estimate.served import Calls, Served
from infra.estimate.situation import Situation
from infra.estimate.use import Per, Use
from infra.gcp.quotas import mebibytes, thousandths
from infra.gcp.scaling import MEMORY_MB
from infra.quotas import Declared
from infra.scaling import Balanced, Eco, Latency

TENTH = 0.1
"""The step of a bill, in seconds."""


def served(function: Declared, situation: Situation) -> Served:
    """Read a function, and its profile from its instances."""
    service = function.inputs["serviceConfig"]
    if minimum := int(service.get("minInstanceCount") or 0):
        profile = Latency(minimum=minimum)
    else:
        profile = Balanced() if service.get("availableCpu") else Eco()
    return Served(
        memory_mb=mebibytes(service["availableMemory"]),
        profile=profile,
        published_versions=situation.traffic.published_versions,
    )


def processors(function: Served) -> float:
    """Return the processors of an instance: whole ones where several callers share it."""
    if isinstance(function.profile, Eco):
        return thousandths(None, function.memory_mb) / 1000
    return next((count for count, memory in MEMORY_MB.items() if function.memory_mb <= memory), max(MEMORY_MB))


def work(function: Served, all_calls: Iterable[Calls]) -> Iterator[Use]:
    """Yield what calls are billed for.

    Requests that overlap in an instance pay for the same tenths of a second, until its processor has no time left.
    An instance that is kept, and works, is not billed for waiting.
    """
    for each in all_calls:
        seconds, waits = _instance_seconds(function, each)
        started = each.starts_a_call * _billed(each.start_seconds / min(processors(function), 1))
        if not isinstance(function.profile, Latency):
            seconds += started
        yield from _active(function, each.per, each.number * seconds, each.number * waits)
        yield Use(per=each.per, price="run.request", quantity=each.number)


def _instance_seconds(function: Served, each: Calls) -> tuple[float, float]:
    """Return the seconds of an instance for a call, and how many of them it would have waited for otherwise."""
    if isinstance(function.profile, Eco):
        return _billed(each.seconds / min(processors(function), 1)), 0.0
    billed = _billed(each.seconds)
    if not each.rate:
        return billed, billed if isinstance(function.profile, Latency) else 0.0
    at_work = max(min(each.rate * billed, 1), each.rate * each.seconds)
    kept = min(at_work, function.profile.minimum) if isinstance(function.profile, Latency) else 0.0
    return at_work / each.rate, kept / each.rate


def _active(function: Served, per: Per, seconds: float, waits: float) -> Iterator[Use]:
    count, gib = processors(function), function.memory_mb / 1024
    new = seconds - waits
    demand = Demand(reserved=new * count, working=seconds * count, memory=new * gib)
    yield Use(per=per, price="run.processor", quantity=seconds * count, demand=demand)
    yield Use(per=per, price="run.memory", quantity=seconds * gib)
    if waits:
        yield Use(per=per, price="run.waiting_processor", quantity=-waits * count)
        yield Use(per=per, price="run.waiting_memory", quantity=-waits * gib)


def standing(function: Served) -> Iterator[Use]:
    """Yield what a function is billed for while nobody calls it: the instances that are kept."""
    if isinstance(function.profile, Latency):
        count, gib = processors(function), function.memory_mb / 1024
        seconds = function.profile.minimum * MONTH
        demand = Demand(reserved=seconds * count, memory=seconds * gib)
        yield Use(per=Per.MONTH, price="run.waiting_processor", quantity=seconds * count, demand=demand)
        yield Use(per=Per.MONTH, price="run.waiting_memory", quantity=seconds * gib)


def second(function: Served) -> Second:
    """Return what a billed second of an instance is."""
    return Second(uses=tuple(_active(function, Per.MONTH, 1, 0)), call="run.request", billed_ms=round(TENTH * 1000))


def _billed(seconds: float) -> float:
    return math.ceil(seconds / TENTH - 1e-9) * TENTH
