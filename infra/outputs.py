"""What a stack tells its clients, the same keys on every cloud."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.permissions import Stores
from infra.settings import Settings
from infra.vocabulary import Api, Queue, Workflow

API_VERSION = "1"


def outputs(
    settings: Settings, stores: Stores, queues: Mapping[str, Queue], training: Workflow, api: Api, estimate: object
) -> dict[str, pulumi.Input[object]]:
    """Return what clients read of a stack: docs/outputs.schema.json."""

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
        "captures_url": stores.captures.url,
        "jobs_dead_letters": queues["jobs"].dead_letters,
        "workflow": training.ref,
        "callers": api.callers,
        # Figures that follow from settings are as secret as these.
        "estimate": pulumi.Output.secret(estimate) if settings.secret else estimate,
    }
