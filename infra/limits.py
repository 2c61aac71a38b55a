"""What the platforms allow, in one dated table. A stack that breaks a bound never reaches a cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from infra.settings import Settings
from infra.vocabulary import Archive

MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of one cloud. None: the cloud states no such bound."""

    unpacked_bytes: int | None
    zip_bytes: int | None
    memory_mb: tuple[int, int]
    timeout_seconds: int
    api_timeout_seconds: int
    request_bytes: int
    environment_bytes: int
    concurrency_in_all: int
    """Copies of all functions of the stack together."""
    state_bytes: int
    """What may travel between two steps of a workflow."""
    sources: tuple[str, ...]
    read_on: str


LIMITS: Mapping[str, Limits] = {
    "aws": Limits(
        unpacked_bytes=250 * MIB,
        zip_bytes=None,  # 50 MB holds for a direct upload; archives go through S3
        memory_mb=(128, 10_240),
        timeout_seconds=900,
        api_timeout_seconds=29,  # 30 s for HTTP APIs; a second less lets the function answer for itself
        request_bytes=6 * MIB,
        environment_bytes=4096,
        concurrency_in_all=900,  # 1,000 an account and region, of which 100 must stay unreserved
        state_bytes=262_144,
        sources=(
            "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
            "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html",
            "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
        ),
        read_on="2026-11-22",
    ),
    "gcp": Limits(
        unpacked_bytes=None,  # 500 MB, modules included, hold for the first generation alone
        zip_bytes=100 * MIB,  # sources, for the first generation; ours are far from it
        memory_mb=(128, 32_768),
        timeout_seconds=540,  # event-driven; 3,600 for HTTP functions
        api_timeout_seconds=60,
        request_bytes=32 * MIB,
        environment_bytes=32_768,
        concurrency_in_all=1000,
        state_bytes=512 * 1024,
        sources=("https://cloud.google.com/functions/quotas", "https://cloud.google.com/workflows/quotas"),
        read_on="2026-11-22",
    ),
}

EXPERIMENT_BYTES = 24
"""One experiment in the state between two steps: its id, quoted, and a comma."""
MAXIMUM_EXPERIMENTS = 1000


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One bound held against one value of the stack."""

    where: str
    """The setting to change, or the file."""
    what: str
    value: int
    bound: str
    passed: bool


def verdicts(settings: Settings, archives: Mapping[str, Archive]) -> list[Verdict]:
    """Every bound of the stack's cloud against what the stack asks for."""
    limits = LIMITS[settings.cloud]
    workers = {name: getattr(settings.functions, name) for name in type(settings.functions).model_fields}
    found = [
        _most(f"functions.{name}.timeout_seconds", "seconds", worker.timeout_seconds, limits.timeout_seconds)
        for name, worker in workers.items()
    ]
    least, most = limits.memory_mb
    found += [
        Verdict(
            where=f"functions.{name}.memory_mb",
            what="MB of memory",
            value=worker.memory_mb,
            bound=f"{least:,} to {most:,}",
            passed=least <= worker.memory_mb <= most,
        )
        for name, worker in workers.items()
    ]
    if limits.unpacked_bytes is not None:
        found += [
            _most(f"functions/requirements/{n}.in", "bytes unpacked", a.unpacked, limits.unpacked_bytes)
            for n, a in archives.items()
        ]
    if limits.zip_bytes is not None:
        found += [
            _most(f"functions/requirements/{n}.in", "bytes zipped", a.size, limits.zip_bytes)
            for n, a in archives.items()
        ]
    predict = settings.functions.predict
    copies = sum(worker.concurrency for worker in workers.values())
    return [
        *found,
        _most(
            "functions.predict.timeout_seconds",
            "seconds behind the API",
            predict.timeout_seconds,
            limits.api_timeout_seconds,
        ),
        _most("functions.*.concurrency, added up", "copies", copies, limits.concurrency_in_all),
        _most(
            "models/*/model.yaml search",
            "bytes between steps",
            MAXIMUM_EXPERIMENTS * EXPERIMENT_BYTES,
            limits.state_bytes,
        ),
    ]


def enforce(settings: Settings, archives: Mapping[str, Archive], stack: str) -> None:
    """Raises `pulumi.RunError` that names every bound that the stack breaks, and what is accepted."""
    broken = [verdict for verdict in verdicts(settings, archives) if not verdict.passed]
    if broken:
        lines = [
            f"Pulumi.{stack}.yaml: {verdict.where}: {verdict.value:,} {verdict.what}; accepted: {verdict.bound}"
            for verdict in broken
        ]
        raise pulumi.RunError("\n".join([*lines, f"  sources: {', '.join(LIMITS[settings.cloud].sources)}"]))


def _most(where: str, what: str, value: int, bound: int) -> Verdict:
    return Verdict(where=where, what=what, value=value, bound=f"at most {bound:,}", passed=value <= bound)
