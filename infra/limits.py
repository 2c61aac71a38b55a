"""Limits of the platforms, in one dated table. A stack that breaks one never reaches a cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pulumi

from infra import arrival_size, policy_size, trainers
from infra.archive import Archive
from infra.bounds import Limits
from infra.function_spec import FunctionSpec, Http, Messages, NewObjects
from infra.function_table import FUNCTIONS, TABLE, TRAIN, named, triggered_by
from infra.scaling import SHARED, Balanced, Latency
from infra.serving import groups, paths
from infra.settings import Settings
from infra.target import target
from infra.verdict import Verdict, at_most, one_of, within
from interface.operations import REQUEST_BYTES

MIB = 1024 * 1024


LIMITS: Mapping[str, Limits] = {
    "aws": Limits(
        unpacked_bytes=250 * MIB,
        memory_mb=(128, 10_240),
        timeout_seconds=900,
        api_timeout_seconds=29,  # 30 s for HTTP APIs; a second less lets the function answer for itself
        consumer_timeout_seconds=7_199,  # a message is hidden for 12 h at most, and for six of these timeouts
        consumer_concurrency=2,  # infra/aws/function.py has the source
        request_bytes=6 * MIB,
        environment_bytes=4096,
        part_bytes=28,
        copies_are_bounded=False,
        routes=300,
        requests_a_copy=1,
        prepared_pythons=("3.12", "3.13"),
        hours=100,  # 200 scheduled actions a target, two for each
        parallelism=40,
        state_bytes=262_144,
        steps=25_000,
        steps_of_an_experiment=7,
        arrivals=None,
        pattern_characters=2048,
        attempts=(1, 1000),
        architectures=("x86_64", "arm64"),
        origins=None,
        transform_bytes=None,
        policy_characters=10_240,
        trainers=75,  # the workflow's role names each function, by some 110 of those characters
        bindings=None,
        sources=(
            "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
            "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html",
            "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html",
            "https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html",
            "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
            "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
            "https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html",
            "https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html",
            "https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html",
        ),
        read_on="2026-11-29",
    ),
    "gcp": Limits(
        unpacked_bytes=None,  # 500 MB is a limit of the first generation alone
        memory_mb=(128, 32_768),
        timeout_seconds=3600,  # for HTTP functions, as all of ours are
        api_timeout_seconds=3599,  # the gateway waits 3,600 s at most, and one more than the function
        consumer_timeout_seconds=600,  # the longest deadline for acknowledging a message
        consumer_concurrency=1,
        request_bytes=32 * MIB,
        environment_bytes=32_768,
        part_bytes=100,  # its project and region, too
        copies_are_bounded=True,
        routes=None,
        requests_a_copy=1000,
        prepared_pythons=("3.11", "3.12", "3.13"),
        hours=0,  # whoever changes a minimum there may change the code, too: docs/scaling.md
        parallelism=20,
        state_bytes=512 * 1024,
        steps=100_000,
        steps_of_an_experiment=8,
        arrivals=10,  # a bucket takes ten notifications of one kind of event
        pattern_characters=None,
        attempts=(5, 100),
        architectures=("x86_64",),
        origins=0,  # API Gateway answers no preflight request
        transform_bytes=20 * 1024,
        policy_characters=None,
        trainers=40,  # the workflow's source has 128 KB, of which each function takes 2.5
        bindings=20,
        sources=(
            "https://cloud.google.com/functions/quotas",
            "https://cloud.google.com/run/quotas",
            "https://cloud.google.com/run/docs/about-concurrency",
            "https://cloud.google.com/api-gateway/docs/quotas",
            "https://cloud.google.com/pubsub/quotas",
            "https://cloud.google.com/pubsub/docs/handling-failures",
            "https://cloud.google.com/workflows/quotas",
            "https://cloud.google.com/storage/docs/pubsub-notifications",
            "https://cloud.google.com/pubsub/docs/smts/udfs-overview",
            "https://cloud.google.com/iam/quotas",
        ),
        read_on="2026-11-29",
    ),
}

EXPERIMENT_BYTES = 24
"""One experiment in the state between two steps: its id, quoted, and a comma."""
MAXIMUM_EXPERIMENTS = 1000
ENVIRONMENT_BYTES = 1024
"""Bytes of an environment without the models' names and the rollout: three URLs and six small settings."""


def verdicts(settings: Settings, archives: Mapping[str, Archive]) -> list[Verdict]:
    """Compare what the stack asks for with every limit of its cloud."""
    limits = LIMITS[settings.cloud]
    kinds = (_offers, _functions, _serving, _arrivals, _models, _grants, _workflow)
    results = [verdict for kind in kinds for verdict in kind(settings, limits)]
    if limits.unpacked_bytes is not None:
        results += [
            _packages(spec, archives[spec.name].unpacked, limits.unpacked_bytes)
            for spec in _rows(settings)
            if spec.name in archives and not archives[spec.name].stand_in
        ]
    return results


def _rows(settings: Settings) -> tuple[FunctionSpec, ...]:
    """Return the rows of the functions that the stack has."""
    return tuple(spec for spec in (*FUNCTIONS, *trainers.rows(settings.models)) if settings.stoppable or not spec.stops)


def _packages(spec: FunctionSpec, unpacked: int, most: int) -> Verdict:
    """Compare the size of an archive with what the platform unpacks."""
    if not spec.model:
        return at_most(f"functions/requirements/{spec.lock}.in", "bytes unpacked", unpacked, most)
    verdict = at_most(f"models/{spec.model}/{trainers.REQUIREMENTS}", "bytes unpacked", unpacked, most)
    others = ", ".join(name for name, limits in LIMITS.items() if limits.unpacked_bytes is None)
    return verdict if verdict.passed else replace(verdict, bound=f"{verdict.bound}, or a stack of {others} (no bound)")


def _offers(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    yield within("jobs.attempts", "deliveries of a message", settings.jobs.attempts, limits.attempts)
    yield one_of("runtime.architecture", "as processor", target(settings.runtime).architecture, limits.architectures)
    if limits.origins is not None:
        yield at_most("api.cors.origins", "origins of pages", len(settings.api.cors.origins), limits.origins)


def _functions(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    lowest, highest = limits.memory_mb
    for spec in _rows(settings):
        yield _figure(settings, spec, "timeout_seconds", "seconds", (None, limits.timeout_seconds))
        yield _figure(settings, spec, "memory_mb", "MB of memory", (lowest, highest))
    for spec in triggered_by(Http):
        yield _figure(settings, spec, "timeout_seconds", "seconds behind the API", (None, limits.api_timeout_seconds))
    for spec in (one for one in triggered_by(NewObjects, Messages) if settings.stoppable or not one.stops):
        longest = limits.consumer_timeout_seconds
        yield _figure(settings, spec, "timeout_seconds", "seconds for a message", (None, longest))
        yield _figure(settings, spec, "concurrency", "messages at a time", (limits.consumer_concurrency, None))
    yield at_most("interface/operations.py", "bytes of a request", REQUEST_BYTES, limits.request_bytes)


def _figure(
    settings: Settings, spec: FunctionSpec, figure: str, what: str, bounds: tuple[int | None, int | None]
) -> Verdict:
    """Compare one figure of a function's size. Its row is to blame unless the stack changes the figure."""
    value = dict(settings.size_of(spec))[figure]
    own = settings.training.models.get(spec.model)
    if own is not None and dict(own)[figure] is not None:
        return within(f"training.models.{spec.model}.{figure}", what, value, bounds)
    origin = f"{TABLE}: {spec.name}: size.{figure}" if value == dict(spec.size).get(figure) else ""
    if value is None:
        value, origin = spec.copies, f"{TABLE}: {spec.name}: copies"
    name = TRAIN if spec.model else spec.name
    return within(f"functions.{name}.{figure}", what, value, bounds, origin)


def _serving(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    if limits.routes is not None:
        yield at_most("scaling.models", "routes", len(list(paths(settings))), limits.routes)
    python = target(settings.runtime).python
    for group in groups(settings):
        match group.profile:
            case Balanced():
                where = f"{group.where}.profile: balanced, with runtime.python"
                yield one_of(where, "as interpreter", python, limits.prepared_pythons)
            case Latency(minimum=minimum, hours=hours):
                requests = min(SHARED, limits.requests_a_copy, group.copies)
                # Hours that the cloud does not offer are told as such, and nothing of what they say.
                ready = max(minimum, *(part.minimum for part in hours[: limits.hours]), 0)
                yield at_most(
                    f"{group.where}.minimum, or one of its hours",
                    "copies kept ready",
                    ready,
                    group.copies // requests,
                )
                yield at_most(f"{group.where}.hours", "parts of the week", len(hours), limits.hours)


def _models(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    named_there = (*settings.models, *groups(settings)[0].elsewhere)
    size = ENVIRONMENT_BYTES + len(",".join(named_there)) + len(settings.rollout.plan.to_json())
    yield at_most("models", "bytes of a function's environment", size, limits.environment_bytes)
    if settings.stoppable:
        stopped = (*policy_size.functions_of(settings), *policy_size.schedules_of(settings))
        size = ENVIRONMENT_BYTES + sum(len(name) + limits.part_bytes for name in stopped)
        yield at_most("models", "bytes of the environment of stop", size, limits.environment_bytes)


def _grants(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    return policy_size.verdicts(settings, _rows(settings), limits)


def _arrivals(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    return arrival_size.verdicts(settings.models, FUNCTIONS, limits)


def _workflow(settings: Settings, limits: Limits) -> Iterator[Verdict]:
    parallelism = settings.training.parallelism
    yield at_most("training.parallelism", "experiments at a time", parallelism, limits.parallelism)
    apart = trainers.rows(settings.models)
    yield at_most("models", "functions that train one model each", len(apart), limits.trainers)
    for spec in (named(TRAIN), *apart):
        if limits.copies_are_bounded or settings.size_of(spec).concurrency is not None:
            # An experiment that finds no copy waits for minutes, and not for as long as another one takes.
            setting = f"training.models.{spec.model}" if spec.model in settings.training.models else "functions.train"
            where = f"training.parallelism, with {setting}.concurrency"
            yield at_most(where, "experiments at a time", parallelism, settings.copies(spec))
    state_bytes, steps = MAXIMUM_EXPERIMENTS * EXPERIMENT_BYTES, MAXIMUM_EXPERIMENTS * limits.steps_of_an_experiment
    yield at_most("models/*/model.yaml search", "bytes between steps", state_bytes, limits.state_bytes)
    yield at_most("models/*/model.yaml search", "steps of an execution", steps, limits.steps)


def enforce(settings: Settings, archives: Mapping[str, Archive], stack: str) -> None:
    """Raise `pulumi.RunError` that names every limit that the stack breaks, and what is accepted."""
    broken = [verdict for verdict in verdicts(settings, archives) if not verdict.passed]
    if broken:
        lines = [_sentence(verdict, settings.where(verdict.where, stack), secret=settings.secret) for verdict in broken]
        raise pulumi.RunError("\n".join([*lines, f"  sources: {', '.join(LIMITS[settings.cloud].sources)}"]))


def _sentence(verdict: Verdict, file: str, *, secret: bool) -> str:
    where = verdict.origin or f"{file}: {verdict.where}"
    if secret:
        return f"{where}: {verdict.what}: beyond the limit; no figure is shown, since the settings are secret"
    return f"{where}: {verdict.shown} {verdict.what}; accepted: {verdict.bound}"
