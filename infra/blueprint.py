"""The blueprint of every stack: its stores, queues, functions, routes, workflow and triggers, and who may touch what.

It speaks the words of `vocabulary.py` alone, and so is the same on every cloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pulumi

from infra import bring_your_own, budgeting, bundle, chosen_models, limits, naming, serving, trainers, workflow
from infra.archive import Archive, Platform
from infra.deployable import require_adapters, require_deployable
from infra.environment import step_timeouts
from infra.estimate.noted import Noted
from infra.estimate.stated import stated
from infra.function_spec import FunctionSpec, NewObjects, OnSchedule
from infra.function_table import FUNCTIONS
from infra.keep import always, passing
from infra.keys import keys_of
from infra.labels import Labels
from infra.monitoring import monitor
from infra.outputs import outputs
from infra.permissions import Stores
from infra.protection import Everything, Protection
from infra.secret import marking
from infra.settings import Settings
from infra.stack_functions import StackFunctions
from infra.target import target
from infra.vocabulary import (
    Api,
    ApiArgs,
    ArrivalArgs,
    Cloud,
    Function,
    Queue,
    QueueArgs,
    Route,
    ScheduleArgs,
    StoreArgs,
    Workflow,
    WorkflowArgs,
)
from interface import layout

WORK_DAYS = 14
"""Days that a job's checkpoints are kept at most: as long as its message can be among the dead letters."""

NOTE_DAYS = 14
"""Days that the note of an execution is kept: longer than an execution can take, and than nobody looks after it."""


def build(cloud: Cloud, settings: Settings) -> dict[str, pulumi.Input[object]]:
    """Declare the whole stack and return its outputs, the same keys on every cloud.

    Raise `pulumi.RunError`, before any resource, for a function whose trigger has no adapter, for a region
    that lacks a service of the stack, for a model whose contract or file is not valid, for a limit of the
    platform that the stack breaks and, unless this is a dry run, for a cloud that can only be previewed.
    """
    if not pulumi.runtime.is_dry_run():
        require_deployable(cloud, FUNCTIONS)
    require_adapters(cloud, FUNCTIONS)
    cloud.require_region({group.name: group.profile for group in serving.groups(settings)})
    chosen_models.require(settings)
    budgeting.require(cloud, settings)
    files = bring_your_own.models(settings.models)
    naming.require(cloud.names, settings, files.keys())
    limits.enforce(settings, {}, pulumi.get_stack())
    platform = target(settings.runtime)
    archives = bundle.archives(trainers.deployed(settings), cloud=cloud, platform=platform, models=settings.models)
    limits.enforce(settings, archives, pulumi.get_stack())
    for line in bundle.remarks(archives, cloud, platform):
        pulumi.log.info(line)
    return draw(cloud, settings, platform, archives, files)


def draw(
    cloud: Cloud,
    settings: Settings,
    platform: Platform,
    archives: Mapping[str, Archive],
    files: Mapping[str, Path] = MappingProxyType({}),
) -> dict[str, pulumi.Input[object]]:
    """Declare the stack with built archives and return its outputs; `files` holds each bring-your-own model's file."""
    marks = [marking(cloud.from_settings)] if settings.secret else []
    everything, noted = Everything(), Noted()
    labels = Labels(pulumi.get_project(), pulumi.get_stack(), _for_one_model(settings))
    first = cloud.prerequisites(pulumi.ResourceOptions(transformations=[noted, labels, everything]))
    opts = pulumi.ResourceOptions(depends_on=list(first), transformations=[noted, *marks, labels, everything])
    stores = _stores(cloud, settings, opts)
    queues = _queues(cloud, settings, opts)
    making = StackFunctions(
        cloud=cloud, settings=settings, platform=platform, archives=archives, stores=stores, queues=queues
    )
    functions = making.declare(opts)
    training = _training(cloud, settings, functions, opts)
    arrivals = _arrivals(cloud, settings, stores, queues, training, opts)
    after_arrival = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[arrivals["datasets"]]))
    published = bring_your_own.publish(cloud, files, stores.data, training, passing(settings.protect), after_arrival)
    trained = [model for model in settings.models if model not in files]
    schedules = {
        **published,
        **_retrain(cloud, settings, trained, training, opts),
        **_schedules(cloud, settings, functions, opts),
    }
    api = _api(cloud, settings, functions, opts)
    functions = {**functions, **making.stop(functions, schedules, opts)}
    budgeting.budget(cloud, settings, queues, opts)
    keeping = {**queues, **{f"{name}-arrival": each for name, each in arrivals.items()}, **schedules}
    watching = monitor(cloud, settings, functions, keeping, training, api, opts)
    Protection("protection", everything, protect=settings.protect)
    told = outputs(settings, stores, functions, queues, training, api, stated(cloud, settings, noted.graph))
    if watching is None:
        return {**told, "alarms": {}, "dashboard_url": ""}
    return {**told, "alarms": watching.alarms, "dashboard_url": watching.dashboard}


def _for_one_model(settings: Settings) -> dict[str, str]:
    """Return the model of each component that is for one model alone."""
    groups = {group.name: group.models[0] for group in serving.groups(settings)[1:] if len(group.models) == 1}
    verbs = ("retrain", "publish", "republish")
    names = {f"{verb}-{serving.shortened(model)}": model for verb in verbs for model in settings.models}
    apart = {spec.name: spec.model for spec in trainers.steps(settings.models) if spec.model}
    return {**groups, **names, **apart}


def _stores(cloud: Cloud, settings: Settings, opts: pulumi.ResourceOptions) -> Stores:
    announced = StoreArgs(keep=always(settings.protect), announces=True)
    passing_days = {"": settings.jobs.keep_days, **dict.fromkeys(layout.PASSING, WORK_DAYS)}
    for_models = StoreArgs(keep=always(settings.protect), expire_days={layout.EXECUTIONS: NOTE_DAYS})
    for_jobs = StoreArgs(keep=always(settings.protect), announces=True, expire_days=passing_days)
    for_captures = StoreArgs(keep=always(settings.protect), expire_days={"": settings.capture.days})
    return Stores(
        code=cloud.store("code", StoreArgs(), opts),
        data=cloud.store("data", announced, opts),
        models=cloud.store("models", for_models, opts),
        jobs=cloud.store("jobs", for_jobs, opts),
        captures=cloud.store("captures", for_captures, opts),
    )


def _queues(cloud: Cloud, settings: Settings, opts: pulumi.ResourceOptions) -> dict[str, Queue]:
    """Declare the queue of each function that consumes one; return them by the function's name."""

    def queue(spec: FunctionSpec) -> Queue:
        timeout, trigger = settings.size(spec.name).timeout_seconds, spec.trigger
        keys = keys_of(settings.models, trigger.prefixes) if isinstance(trigger, NewObjects) else None
        args = QueueArgs(
            consumer_timeout_seconds=timeout,
            attempts=settings.jobs.attempts,
            patient=settings.stoppable,
            budgeted=spec.stops,
            keys=keys,
            keep=passing(settings.protect) if spec.stops else always(settings.protect),
        )
        return cloud.queue(spec.name, args, opts)

    return {spec.name: queue(spec) for spec in trainers.deployed(settings) if spec.consumes}


def _training(
    cloud: Cloud, settings: Settings, functions: Mapping[str, Function], opts: pulumi.ResourceOptions
) -> Workflow:
    definition = workflow.training(
        parallelism=settings.training.parallelism,
        timeout_seconds=settings.training.longest_seconds,
        function_timeouts=step_timeouts(settings),
        apart={spec.model: spec.name for spec in trainers.steps(settings.models) if spec.model},
    )
    callees = {spec.name: functions[spec.name] for spec in trainers.steps(settings.models)}
    return cloud.workflow(
        "training",
        WorkflowArgs(
            definition=definition,
            functions=callees,
            log_days=settings.log_days,
            traced=settings.traces.cloud,
            keep=always(settings.protect),
        ),
        opts,
    )


def _arrivals(
    cloud: Cloud,
    settings: Settings,
    stores: Stores,
    queues: Mapping[str, Queue],
    training: Workflow,
    opts: pulumi.ResourceOptions,
) -> dict[str, pulumi.Resource]:
    """Declare an arrival for each function that waits for new objects, and that of datasets; return them by name."""
    arrivals = {}
    for spec in FUNCTIONS:
        if isinstance(spec.trigger, NewObjects):
            store, keys = stores.named(spec.trigger.store), keys_of(settings.models, spec.trigger.prefixes)
            args = ArrivalArgs(store=store, keys=keys, target=queues[spec.name], keep=always(settings.protect))
            arrivals[spec.trigger.arrival] = cloud.arrival(spec.trigger.arrival, args, opts)
    datasets = keys_of(settings.models, (layout.INCOMING,))
    args = ArrivalArgs(store=stores.data, keys=datasets, target=training, keep=always(settings.protect))
    return {**arrivals, "datasets": cloud.arrival("datasets", args, opts)}


def _schedules(
    cloud: Cloud, settings: Settings, functions: Mapping[str, Function], opts: pulumi.ResourceOptions
) -> dict[str, object]:
    """Declare a schedule for each function of the table that is called on time; return them by name."""
    schedules = {}
    for spec in FUNCTIONS:
        if isinstance(spec.trigger, OnSchedule):
            target, keep = functions[spec.name], passing(settings.protect)
            args = ScheduleArgs(cron=spec.trigger.cron, target=target, input=spec.trigger.input, keep=keep)
            schedules[f"{spec.name}-on-time"] = cloud.schedule(f"{spec.name}-on-time", args, opts)
    return schedules


def _retrain(
    cloud: Cloud, settings: Settings, models: Sequence[str], training: Workflow, opts: pulumi.ResourceOptions
) -> dict[str, object]:
    """Declare a schedule for each of the models that trains it on its newest dataset, if that is asked for."""
    schedules = {}
    if settings.training.schedule:
        waits = {} if settings.training.window is None else {"action": "wait"}
        for model in models:
            cron, keep = settings.training.schedule, passing(settings.protect)
            args = ScheduleArgs(cron=cron, target=training, input={"model": model, **waits}, keep=keep)
            name = f"retrain-{serving.shortened(model)}"
            schedules[name] = cloud.schedule(name, args, opts)
    return schedules


def _api(cloud: Cloud, settings: Settings, functions: Mapping[str, Function], opts: pulumi.ResourceOptions) -> Api:
    routes = tuple(
        Route(method=route.method, path=route.path, function=functions[route.group.name], operation=route.operation)
        for route in serving.paths(settings)
    )
    args = ApiArgs(
        routes=routes,
        auth=settings.api.auth,
        throttling=settings.api.throttling,
        cors=settings.api.cors,
        timeout_seconds=settings.size("predict").timeout_seconds + 1,
        log_days=settings.log_days,
        keep=always(settings.protect),
    )
    return cloud.api("api", args, opts)
