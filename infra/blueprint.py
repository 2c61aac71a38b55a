"""The one drawing: which stores, queue, functions, routes, workflow and triggers, and who may touch what.

It speaks the words of `vocabulary.py` alone, and is the same for every cloud.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pulumi

from infra import bring_your_own, bundle, limits, serving, workflow
from infra.permissions import AGAIN, SIGNERS, Stores, below, grants
from infra.settings import Settings, Worker
from infra.target import target
from infra.tier import require_deployable
from infra.vocabulary import (
    Api,
    ApiArgs,
    Archive,
    ArrivalArgs,
    Cloud,
    Function,
    FunctionArgs,
    Platform,
    Queue,
    QueueArgs,
    Route,
    ScheduleArgs,
    StoreArgs,
    Workflow,
    WorkflowArgs,
)
from models.bring_your_own import BringYourOwn
from models.catalogue import load
from models.section import ContractError

API_VERSION = "1"
STEPS = ("prepare", "train", "select", "rollout")
ENTRIES = (*STEPS, "predict", "jobs")
WORK_DAYS = 14
"""How long the parts of a job are kept: as long as its message may lie among the dead letters."""


def build(cloud: Cloud, settings: Settings) -> dict[str, pulumi.Input[object]]:
    """Declare the whole stack and return its outputs, the same keys on every cloud.

    Raises `pulumi.RunError`, before any resource, for a model that does not say what it
    must, for a platform's limit that the stack would break, and, unless it is a dry run,
    for a cloud that can only be previewed.
    """
    if not pulumi.runtime.is_dry_run():
        require_deployable(cloud, ENTRIES)
    for model in settings.models:
        _require(model)
    platform = target(settings.runtime)
    archives = bundle.archives(ENTRIES, cloud=cloud, platform=platform, models=settings.models)
    limits.enforce(settings, archives, pulumi.get_stack())
    return draw(cloud, settings, platform, archives, bring_your_own.models(settings.models))


def draw(
    cloud: Cloud,
    settings: Settings,
    platform: Platform,
    archives: Mapping[str, Archive],
    files: Mapping[str, Path] = MappingProxyType({}),
) -> dict[str, pulumi.Input[object]]:
    """The drawing itself, for archives that are at hand, and the files of those models that are finished."""
    ready = pulumi.ResourceOptions(depends_on=list(cloud.prerequisites()))
    stores = _stores(cloud, settings, ready)
    queue = cloud.queue(
        "jobs",
        QueueArgs(consumer_timeout_seconds=settings.functions.jobs.timeout_seconds, attempts=settings.jobs.attempts),
        ready,
    )
    functions = _functions(cloud, settings, platform, archives, stores, queue, ready)
    training = _training(cloud, settings, functions, ready)
    arrival = _triggers(cloud, settings, stores, queue, training, ready)
    then = pulumi.ResourceOptions.merge(ready, pulumi.ResourceOptions(depends_on=[arrival]))
    bring_your_own.publish(cloud, files, stores.data, training, then)
    _retrain(cloud, settings, [model for model in settings.models if model not in files], training, ready)
    api = _api(cloud, settings, functions, ready)
    return _outputs(settings, stores, queue, training, api)


def _require(model: str) -> None:
    try:
        contract = load(model)
    except ContractError as problem:
        raise pulumi.RunError(str(problem)) from None
    if isinstance(contract, BringYourOwn):
        bring_your_own.require_file(model, contract)
        return
    experiments = len(contract.search.experiments())
    if experiments > limits.MAXIMUM_EXPERIMENTS:
        raise pulumi.RunError(
            f"models/{model}/model.yaml: search: {experiments:,} experiments; "
            f"accepted: at most {limits.MAXIMUM_EXPERIMENTS:,}, or method: random with trials"
        )


def _stores(cloud: Cloud, settings: Settings, ready: pulumi.ResourceOptions) -> Stores:
    keep = StoreArgs(protect=settings.protect)
    announced = StoreArgs(protect=settings.protect, announces=True)
    bulk = StoreArgs(protect=settings.protect, announces=True, expire_days=_unfinished(settings))
    expiring = StoreArgs(protect=settings.protect, expire_days={"": settings.capture.days})
    return Stores(
        code=cloud.store("code", StoreArgs(protect=False), ready),
        data=cloud.store("data", announced, ready),
        models=cloud.store("models", keep, ready),
        jobs=cloud.store("jobs", bulk, ready),
        captures=cloud.store("captures", expiring, ready),
    )


def _unfinished(settings: Settings) -> dict[str, int]:
    """What is needed of a job only until it is done."""
    return dict.fromkeys(below(settings.models, ("work/", "tickets/", AGAIN)), WORK_DAYS)


def _functions(
    cloud: Cloud,
    settings: Settings,
    platform: Platform,
    archives: Mapping[str, Archive],
    stores: Stores,
    queue: Queue,
    ready: pulumi.ResourceOptions,
) -> dict[str, Function]:
    granted, environment = grants(settings.models, stores), _environment(settings, stores)

    def function(name: str, entry: str, worker: Worker, **more: Any) -> Function:
        args: dict[str, Any] = {"environment": environment[entry], "grants": granted[entry], **more}
        return cloud.function(
            name,
            FunctionArgs(
                entry=entry,
                archive=archives[entry],
                code=stores.code,
                platform=platform,
                memory_mb=worker.memory_mb,
                timeout_seconds=worker.timeout_seconds,
                concurrency=worker.concurrency,
                log_days=settings.log_days,
                signs=entry in SIGNERS,
                **args,
            ),
            ready,
        )

    made = {step: function(step, step, getattr(settings.functions, step)) for step in STEPS}
    made["jobs"] = function("jobs", "jobs", settings.functions.jobs, consumes=queue)
    for group in serving.groups(settings):
        made[group.name] = function(
            group.name,
            "predict",
            group.worker,
            environment={**environment["predict"], **group.environment},
            grants=grants(group.models, stores, group.elsewhere)["predict"],
            scaling=group.profile,
        )
    return made


def _environment(settings: Settings, stores: Stores) -> dict[str, dict[str, pulumi.Input[str]]]:
    # One thread a process: experiments run side by side, and a model this size gains nothing from more.
    common = {"LOG_LEVEL": "INFO", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    data, models = {"DATA_URL": stores.data.url}, {"MODELS_URL": stores.models.url}
    captures, jobs = {"CAPTURES_URL": stores.captures.url}, {"JOBS_URL": stores.jobs.url}
    pointer = {"POINTER_SECONDS": str(settings.pointer_seconds)}
    rollout = {"ROLLOUT": json.dumps(settings.rollout.model_dump(mode="json"), sort_keys=True)}
    return {
        "prepare": {**common, **data, **models},
        "train": {**common, **data, **models},
        "select": {**common, **data, **models},
        "rollout": {**common, **models, **captures, **rollout},
        "predict": {**common, **models, **captures, **jobs, **pointer, "CAPTURE_INPUTS": str(settings.capture.inputs)},
        "jobs": {
            **common,
            **models,
            **jobs,
            **pointer,
            "MODELS": ",".join(settings.models),
            "ATTEMPTS": str(settings.jobs.attempts),
            "TIMEOUT_SECONDS": str(settings.functions.jobs.timeout_seconds),
        },
    }


def _training(
    cloud: Cloud, settings: Settings, functions: Mapping[str, Function], ready: pulumi.ResourceOptions
) -> Workflow:
    definition = workflow.training(
        parallelism=settings.training.parallelism,
        timeout_seconds=settings.training.timeout_hours * 3600,
        function_timeouts={step: getattr(settings.functions, step).timeout_seconds for step in STEPS},
    )
    called = {step: functions[step] for step in STEPS}
    return cloud.workflow(
        "training", WorkflowArgs(definition=definition, functions=called, log_days=settings.log_days), ready
    )


def _triggers(
    cloud: Cloud, settings: Settings, stores: Stores, queue: Queue, training: Workflow, ready: pulumi.ResourceOptions
) -> pulumi.Resource:
    """What waits for jobs, and for datasets, which is returned."""
    datasets, jobs = below(settings.models, ("incoming/",)), below(settings.models, ("in/",))
    cloud.arrival("submissions", ArrivalArgs(store=stores.jobs, prefixes=jobs, target=queue), ready)
    return cloud.arrival("datasets", ArrivalArgs(store=stores.data, prefixes=datasets, target=training), ready)


def _retrain(
    cloud: Cloud, settings: Settings, models: Sequence[str], training: Workflow, ready: pulumi.ResourceOptions
) -> None:
    if settings.training.schedule:
        for model in models:
            args = ScheduleArgs(cron=settings.training.schedule, workflow=training, input={"model": model})
            cloud.schedule(f"retrain-{serving.shortened(model)}", args, ready)


def _api(cloud: Cloud, settings: Settings, functions: Mapping[str, Function], ready: pulumi.ResourceOptions) -> Api:
    routes = tuple(
        Route(method=route.method, path=route.path, function=functions[route.group.name], operation=route.operation)
        for route in serving.paths(settings)
    )
    args = ApiArgs(
        routes=routes,
        auth=settings.api.auth,
        throttling=settings.api.throttling,
        cors=settings.api.cors,
        timeout_seconds=settings.functions.predict.timeout_seconds + 1,
        log_days=settings.log_days,
    )
    return cloud.api("api", args, ready)


def _outputs(
    settings: Settings, stores: Stores, queue: Queue, training: Workflow, api: Api
) -> dict[str, pulumi.Input[object]]:
    def urls(model: str) -> dict[str, pulumi.Output[str]]:
        return {
            "predict": pulumi.Output.concat(api.endpoint, f"/models/{model}/predict"),
            "infer": pulumi.Output.concat(api.endpoint, f"/v2/models/{model}/infer"),
            "jobs": pulumi.Output.concat(api.endpoint, f"/v2/models/{model}/jobs"),
            "metadata": pulumi.Output.concat(api.endpoint, f"/v2/models/{model}"),
        }

    return {
        "api_version": API_VERSION,
        "endpoint": api.endpoint,
        "models": {model: urls(model) for model in settings.models},
        "data_url": stores.data.url,
        "models_url": stores.models.url,
        "jobs_url": stores.jobs.url,
        "jobs_dead_letters": queue.dead_letters,
        "workflow": training.ref,
        "callers": api.callers,
    }
