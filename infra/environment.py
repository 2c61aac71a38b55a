"""The values of each function's environment variables."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra import trainers, workflow
from infra.processor import KERNELS, ONE_THREAD, arithmetic
from interface import variables

if TYPE_CHECKING:
    from infra.function_spec import FunctionSpec
    from infra.permissions import Stores
    from infra.settings import Settings
    from infra.vocabulary import Platform
    from interface.meter import Meter


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the values are taken from."""

    spec: FunctionSpec
    settings: Settings
    stores: Stores
    models: Sequence[str]


def _webhook_url(settings: Settings) -> str | None:
    webhook = settings.jobs.webhook
    return None if webhook is None else webhook.url


def _webhook_secret(settings: Settings) -> pulumi.Output[str] | None:
    webhook = settings.jobs.webhook
    return None if webhook is None else pulumi.Output.secret(webhook.secret)


def _redact(settings: Settings) -> str | None:
    return json.dumps(dict(sorted(settings.capture.redact.items()))) if settings.capture.redact else None


def _capture_key(settings: Settings) -> pulumi.Output[str] | None:
    capture = settings.capture
    return pulumi.Output.secret(capture.key) if capture.key and capture.hashes else None


def _window(settings: Settings) -> str | None:
    window = settings.training.window
    return None if window is None else window.plan.to_json()


def _retraining(settings: Settings) -> str | None:
    return None if settings.retraining is None else settings.retraining.policy.to_json()


def _stop_at(settings: Settings) -> str | None:
    return None if settings.budget is None or settings.budget.limit is None else str(settings.budget.limit)


def _approval(of: Source) -> str | None:
    return ",".join(name for name in of.models if of.settings.rollout.asks(name)) or None


VALUES: Mapping[str, Callable[[Source], pulumi.Input[str] | None]] = {
    variables.DATA_URL: lambda of: of.stores.data.url,
    variables.MODELS_URL: lambda of: of.stores.models.url,
    variables.CAPTURES_URL: lambda of: of.stores.captures.url,
    variables.JOBS_URL: lambda of: of.stores.jobs.url,
    variables.MODELS: lambda of: ",".join(of.models),
    variables.POINTER_SECONDS: lambda of: str(of.settings.pointer_seconds),
    variables.CAPTURE_INPUTS: lambda of: str(of.settings.capture.inputs),
    variables.CAPTURE_DAYS: lambda of: str(of.settings.capture.days),
    variables.CAPTURE_REDACT: lambda of: _redact(of.settings),
    variables.CAPTURE_KEY: lambda of: _capture_key(of.settings),
    variables.ATTEMPTS: lambda of: str(of.settings.jobs.attempts),
    variables.PARALLELISM: lambda of: str(of.settings.job_workers),
    variables.TIMEOUT_SECONDS: lambda of: str(of.settings.size_of(of.spec).timeout_seconds),
    variables.MEMORY_MB: lambda of: str(of.settings.size_of(of.spec).memory_mb),
    variables.QUIET_SECONDS: lambda of: str(workflow.quiet_seconds(step_timeouts(of.settings))),
    variables.STOP_AT: lambda of: _stop_at(of.settings),
    variables.APPROVAL: _approval,
    variables.WINDOW: lambda of: _window(of.settings),
    variables.RETRAINING: lambda of: _retraining(of.settings),
    variables.JOBS_WEBHOOK: lambda of: _webhook_url(of.settings),
    variables.JOBS_WEBHOOK_SECRET: lambda of: _webhook_secret(of.settings),
    variables.ROLLOUT: lambda of: of.settings.rollout.plan.to_json(),
}
"""The value of each variable that a row may name; None: it is not set."""
EVERYWHERE = frozenset(
    {
        variables.LOG_LEVEL,
        variables.METER,
        variables.PROJECT,
        variables.STOPS,
        variables.XRAY,
        *ONE_THREAD,
        *(name for kernel in KERNELS.values() for name in kernel),
    }
)
"""What functions get without naming it."""
RESERVED_NAMES = frozenset({"_HANDLER", "_X_AMZN_TRACE_ID", "PATH", "PORT", "PYTHONPATH", "LD_LIBRARY_PATH", "TZ"})
RESERVED_BEGINNINGS = ("AWS_", "LAMBDA_", "K_", "CLOUD_RUN_", "FUNCTION_", "GOOGLE_", "X_GOOGLE_")
"""What a cloud sets, or refuses to have set:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime,
https://cloud.google.com/run/docs/configuring/services/overview-environment-variables,
https://cloud.google.com/run/docs/container-contract#env-vars,
https://cloud.google.com/functions/docs/configuring/env-var. PYTHONPATH is set by infra/aws/function.py."""


def environment(
    spec: FunctionSpec,
    settings: Settings,
    platform: Platform,
    stores: Stores,
    models: Sequence[str],
    metered: Meter | None = None,
) -> dict[str, pulumi.Input[str]]:
    """Return the environment variables of one function that serves `models` and measures itself by `metered`.

    Raise `KeyError` for a variable of the row that has no value in `VALUES`: function_checks.py refuses it before.
    """
    source = Source(spec=spec, settings=settings, stores=stores, models=models)
    values = {name: VALUES[name](source) for name in spec.environment}
    return {
        variables.LOG_LEVEL: "INFO",
        # One thread a process: experiments run side by side, and a model this size gains nothing from more.
        **(arithmetic(platform.architecture) if spec.one_kernel else ONE_THREAD),
        **{name: value for name, value in values.items() if value is not None},
        **({} if metered is None else {variables.METER: metered.to_json()}),
    }


def step_timeouts(settings: Settings) -> dict[str, int]:
    """Return the timeout of each function that the training workflow calls, by its name, in seconds."""
    return {spec.name: settings.size_of(spec).timeout_seconds for spec in trainers.steps(settings.models)}


def reserved(name: str) -> bool:
    """Return whether a cloud keeps this variable for itself."""
    return name in RESERVED_NAMES or name.startswith(RESERVED_BEGINNINGS)
