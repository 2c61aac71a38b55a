"""A small program in the vocabulary's words alone: every cloud must be able to say what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pulumi

from infra.api_policy import Auth, Cors, IamAuth, Throttling
from infra.archive import Archive, Platform
from infra.keep import always
from infra.keys import Access, Keys
from infra.settings import Settings
from infra.vocabulary import (
    ApiArgs,
    ArrivalArgs,
    Cloud,
    FunctionArgs,
    Grant,
    QueueArgs,
    Route,
    ScheduleArgs,
    StoreArgs,
    UploadArgs,
    WorkflowArgs,
)
from infra.workflow import ITEM, Call, Each, End, Ref, Workflow
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
CRON = "0 3 * * 1"
INPUT = {"model": "a"}
KEY = "a/in/model.onnx"
PARALLELISM = 3
WORKFLOW = Workflow(
    start="prepare",
    steps=(
        Call(name="prepare", function="prepare", payload={}, result="prepare", next="each"),
        Each(
            name="each",
            items=Ref("prepare.things"),
            function="predict",
            payload={"thing": ITEM},
            parallelism=PARALLELISM,
            next="done",
        ),
        End(name="done"),
        Call(name="sorry", function="prepare", payload={}, result="sorry", next="failed"),
        End(name="failed", failed=True),
    ),
    on_failure="sorry",
    timeout_seconds=3600,
    call_timeout_seconds={"prepare": 75, "predict": 30},
)
READ, WRITTEN = Keys(models=("a", "b"), prefixes=("in/",)), Keys(models=("a", "b"), prefixes=("out/",))
SUBMITTED = Keys(models=("a",), prefixes=("jobs/",))
PROBES = (
    *(
        f"{model}/{folder}/x"
        for model in ("a", "ab", "b", "c")
        for folder in ("in", "out", "jobs", "inner", "outer", "job")
    ),
    *("x", "in/x", "out/x", "jobs/x", "a/x", "a/other/in/x", "a/other/out/x", "a/other/jobs/x", "c/inout/x"),
)
"""Keys of objects, by which a permission or an arrival shows what it really is for."""
BRING_YOUR_OWN = "file_type"
ROUTES = {"POST /predict", "GET /v2/models/{model}"}


def archive(entry: str, revision: str = "1") -> Archive:
    """Return what only looks like an archive: nothing reads its bytes under a recorder."""
    digest = hashlib.sha256(f"{entry} {revision}".encode()).hexdigest()
    return Archive(path=Path(__file__), digest=digest, size=1_000_000, unpacked=3_000_000)


def files(settings: Settings) -> dict[str, Path]:
    """Return what only looks like a model file for the bring-your-own model, if the stack has it."""
    return {model: Path(__file__) for model in settings.models if model == BRING_YOUR_OWN}


def program(
    cloud: Cloud, *, protect: bool = True, auth: Auth | None = None, revisions: Mapping[str, str] | None = None
) -> dict[str, pulumi.Output[str]]:
    """Declare every word at least once; `revisions` are those of the functions' code."""
    code = cloud.store("code", StoreArgs())
    data = cloud.store("data", StoreArgs(keep=always(protect), announces=True, expire_days=EXPIRE))
    jobs = cloud.queue("jobs", QueueArgs(consumer_timeout_seconds=CONSUMER_SECONDS, attempts=ATTEMPTS, keys=SUBMITTED))
    revisions = revisions or {}

    def function(name: str, grants: tuple[Grant, ...], **more: Any) -> Any:
        return cloud.function(
            name,
            FunctionArgs(
                archive=archive(name, revisions.get(name, "1")),
                code=code,
                platform=PLATFORM,
                memory_mb=MEMORY_MB,
                timeout_seconds=SECONDS[name],
                concurrency=CONCURRENCY,
                reserved=True,
                environment={"DATA_URL": data.url},
                grants=grants,
                log_days=LOG_DAYS,
                **more,
            ),
        )

    read = Grant(name="read-data", store=data, access=Access.READ, keys=READ)
    write = Grant(name="write-data", store=data, access=Access.WRITE, keys=WRITTEN, every_model=True)
    prepare = function("prepare", (read, write))
    function("jobs", (read, write), consumes=jobs)
    predict = function("predict", (read,), signs=True)
    callees = {"prepare": prepare, "predict": predict}
    training = cloud.workflow("training", WorkflowArgs(definition=WORKFLOW, functions=callees, log_days=LOG_DAYS))
    arrival = cloud.arrival("datasets", ArrivalArgs(store=data, keys=READ, target=training))
    upload = UploadArgs(store=data, key=KEY, file=Path(__file__))
    cloud.upload("publish", upload, pulumi.ResourceOptions(depends_on=[arrival]))
    cloud.arrival("submissions", ArrivalArgs(store=data, keys=SUBMITTED, target=jobs))
    cloud.schedule("retrain", ScheduleArgs(cron=CRON, target=training, input=INPUT))
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
    return {
        "endpoint": api.endpoint,
        "callers": api.callers,
        "data": data.url,
        "jobs": jobs.url,
        "dead_letters": jobs.dead_letters,
        "queue": jobs.ref,
        "workflow": training.ref,
    }


@cache
def graph(cloud: Cloud) -> Graph:
    """Return the sample's graph, deployed once in a process: graphs are not changed, only copied."""
    return deploy(lambda: program(cloud), stack=STACK)
