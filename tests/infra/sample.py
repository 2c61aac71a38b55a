"""A small program in the vocabulary's words alone: what it says, every cloud must be able to say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi

from infra.settings import Auth, Cors, IamAuth, Throttling
from infra.vocabulary import (
    Access,
    ApiArgs,
    Archive,
    Cloud,
    FunctionArgs,
    Grant,
    Platform,
    QueueArgs,
    Route,
    StoreArgs,
)
from tests.graph import Graph, deploy

PLATFORM = Platform(python="3.13", architecture="x86_64", wheels="x86_64-manylinux_2_28")
STACK = "stack-of-the-test"
CONSUMER_SECONDS = 90
SECONDS = {"prepare": 60, "jobs": CONSUMER_SECONDS, "predict": 15}
API_SECONDS = 20
ATTEMPTS = 5
CONCURRENCY = 4
MEMORY_MB = 512
RATE = 10
LOG_DAYS = 30
EXPIRE = {"out/": 9}
ROUTES = {"POST /predict", "GET /v2/models/{model}"}


def archive(entry: str, revision: str = "1") -> Archive:
    """An archive that only looks like one: nothing reads its bytes under a recorder."""
    digest = f"{entry}{revision}".encode().hex().ljust(64, "0")[:64]
    return Archive(path=Path(__file__), digest=digest, size=1_000_000, unpacked=3_000_000)


def program(
    cloud: Cloud, *, protect: bool = True, auth: Auth | None = None, revisions: Mapping[str, str] | None = None
) -> dict[str, pulumi.Output[str]]:
    """Two stores, a queue and its consumer, a step, a door; `revisions` are those of the functions' code."""
    code = cloud.store("code", StoreArgs(protect=False))
    data = cloud.store("data", StoreArgs(protect=protect, announces=True, expire_days=EXPIRE))
    jobs = cloud.queue("jobs", QueueArgs(consumer_timeout_seconds=CONSUMER_SECONDS, attempts=ATTEMPTS))
    revisions = revisions or {}

    def function(entry: str, grants: tuple[Grant, ...], **more: Any) -> Any:
        return cloud.function(
            entry,
            FunctionArgs(
                entry=entry,
                archive=archive(entry, revisions.get(entry, "1")),
                code=code,
                platform=PLATFORM,
                memory_mb=MEMORY_MB,
                timeout_seconds=SECONDS[entry],
                concurrency=CONCURRENCY,
                environment={"DATA_URL": data.url},
                grants=grants,
                log_days=LOG_DAYS,
                **more,
            ),
        )

    read = Grant(store=data, access=Access.READ, prefixes=("a/in/", "b/in/"))
    write = Grant(store=data, access=Access.WRITE, prefixes=("out/",))
    function("prepare", (read, write))
    function("jobs", (read, write), consumes=jobs)
    predict = function("predict", (read,))
    api = cloud.api(
        "api",
        ApiArgs(
            routes=(
                Route(method="POST", path="/predict", function=predict, operation="predict"),
                Route(method="GET", path="/v2/models/{model}", function=predict, operation="model"),
            ),
            auth=auth or IamAuth(),
            throttling=Throttling(rate=RATE, burst=20),
            cors=Cors(),
            timeout_seconds=API_SECONDS,
            log_days=LOG_DAYS,
        ),
    )
    return {"endpoint": api.endpoint, "data": data.url, "jobs": jobs.url, "dead_letters": jobs.dead_letters}


@cache
def graph(cloud: Cloud) -> Graph:
    """The sample's graph, made once in a process: graphs are not changed, only copied."""
    return deploy(lambda: program(cloud), stack=STACK)
