"""What a stack tells its clients, the same keys on every cloud."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.function_spec import Messages
from infra.function_table import triggered_by
from infra.permissions import Stores
from infra.serving import groups
from infra.settings import Settings
from infra.vocabulary import Api, Function, Queue, Workflow

API_VERSION = "1"


def outputs(
    settings: Settings,
    stores: Stores,
    functions: Mapping[str, Function],
    queues: Mapping[str, Queue],
    training: Workflow,
    api: Api,
    estimate: object,
) -> dict[str, pulumi.Input[object]]:
    """Return what clients read of a stack: docs/outputs.schema.json."""

    serving = {model: group.name for group in groups(settings) for model in group.models}

    def of(model: str) -> dict[str, pulumi.Input[str]]:
        return {
            "function": serving[model],
            "predict": pulumi.Output.concat(api.endpoint, f"/models/{model}/predict"),
            "infer": pulumi.Output.concat(api.endpoint, f"/v2/models/{model}/infer"),
            "jobs": pulumi.Output.concat(api.endpoint, f"/v2/models/{model}/jobs"),
            "metadata": pulumi.Output.concat(api.endpoint, f"/v2/models/{model}"),
        }

    def places(name: str, function: Function) -> dict[str, pulumi.Output[str]]:
        queue = queues.get(name)
        return {
            "name": function.name,
            "logs": function.logs,
            **({"dead_letters": queue.dead_letters} if queue else {}),
            **({"queue": queue.url} if queue and name in takers else {}),
        }

    takers = {spec.name for spec in triggered_by(Messages)}
    return {
        "api_version": API_VERSION,
        "endpoint": api.endpoint,
        "models": {model: of(model) for model in settings.models},
        "data_url": stores.data.url,
        "models_url": stores.models.url,
        "jobs_url": stores.jobs.url,
        "captures_url": stores.captures.url,
        "functions": {name: places(name, function) for name, function in sorted(functions.items())},
        "jobs_dead_letters": queues["jobs"].dead_letters,
        "workflow": training.ref,
        "callers": api.callers,
        # Figures that follow from settings are as secret as these.
        "estimate": pulumi.Output.secret(estimate) if settings.secret else estimate,
    }
