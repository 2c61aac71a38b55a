"""The values of each function's environment variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from infra.function_table import FunctionSpec
from infra.permissions import Stores
from infra.processor import ONE_THREAD, arithmetic
from infra.settings import Settings
from infra.vocabulary import Platform
from interface import variables


def environment(
    spec: FunctionSpec, settings: Settings, platform: Platform, stores: Stores, models: Sequence[str]
) -> dict[str, pulumi.Input[str]]:
    """Return the environment variables of one function that serves `models`.

    Raise `pulumi.RunError` for a variable of the row that has no value here.
    """
    values: Mapping[str, pulumi.Input[str]] = {
        variables.DATA_URL: stores.data.url,
        variables.MODELS_URL: stores.models.url,
        variables.CAPTURES_URL: stores.captures.url,
        variables.JOBS_URL: stores.jobs.url,
        variables.MODELS: ",".join(models),
        variables.POINTER_SECONDS: str(settings.pointer_seconds),
        variables.CAPTURE_INPUTS: str(settings.capture.inputs),
        variables.ATTEMPTS: str(settings.jobs.attempts),
        variables.TIMEOUT_SECONDS: str(settings.size(spec.name).timeout_seconds),
        variables.ROLLOUT: settings.rollout.plan.to_json(),
    }
    if unknown := sorted(set(spec.environment) - values.keys()):
        raise pulumi.RunError(
            f"infra/function_table.py: {spec.name}: environment: {', '.join(unknown)} has no value;"
            f" accepted: {', '.join(sorted(values))}; add others in infra/environment.py"
        )
    return {
        variables.LOG_LEVEL: "INFO",
        # One thread a process: experiments run side by side, and a model this size gains nothing from more.
        **(arithmetic(platform.architecture) if spec.one_kernel else ONE_THREAD),
        **{name: values[name] for name in spec.environment},
    }
