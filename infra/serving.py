"""Which predict functions there are, and which routes lead to each: models that scale alike share one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from infra.scaling import Eco, Profile, plain
from infra.settings import Settings
from infra.size import Size
from interface import variables
from interface.operations import OPERATIONS

LONGEST = 24
"""Characters of a model's name in that of its function: Cloud Run allows 49 in all, with what Pulumi adds."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One predict function."""

    name: str
    models: tuple[str, ...]
    """Those that it serves, in the order of the settings."""
    profile: Profile
    size: Size
    where: str
    """The setting that says so."""
    elsewhere: tuple[str, ...] = ()
    """Models of all other functions, which the first one tells of: it answers for the whole server."""

    @property
    def environment(self) -> dict[str, str]:
        """What tells the function which models are its own, and whether a copy begins with them open."""
        elsewhere = {variables.MODELS_ELSEWHERE: ",".join(self.elsewhere)} if self.elsewhere else {}
        early = {} if isinstance(self.profile, Eco) else {variables.WARM_UP: "yes"}
        return {variables.MODELS: ",".join(self.models), **elsewhere, **early}


@dataclass(frozen=True, kw_only=True)
class Path:
    """One route of the API, to one of the groups."""

    operation: str
    method: str
    path: str
    group: Group


def groups(settings: Settings) -> tuple[Group, ...]:
    """Every model in one of them. The first is the stack's own, or the first model's if all have their own scaling."""
    predict, own = settings.size("predict"), settings.scaling.models
    alike: dict[tuple[Profile, Size], list[str]] = {(plain(settings.scaling), predict): []}
    for model in settings.models:
        if model in own:
            changes = own[model].model_dump(include={"memory_mb", "concurrency"}, exclude_none=True)
            alike.setdefault((plain(own[model]), predict.model_copy(update=changes)), []).append(model)
        else:
            alike[plain(settings.scaling), predict].append(model)
    found = [
        Group(
            name=f"predict-{shortened(models[0]).replace('_', '-')}" if at else "predict",
            models=tuple(models),
            profile=profile,
            size=size,
            where=f"scaling.models.{models[0]}" if models[0] in own else "scaling",
            elsewhere=() if at else tuple(model for model in settings.models if model not in models),
        )
        for at, ((profile, size), models) in enumerate(item for item in alike.items() if item[1])
    ]
    return tuple(found)


def paths(settings: Settings) -> Iterator[Path]:
    """Every route. `/predict` leads to the first model, wherever that is; what else names no model, and
    `{model}`, to the first group.

    Models of the others have paths of their own, which go before the variable: "API Gateway
    selects the route with the most-specific match"
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html),
    and so does Google's.
    """
    first, *others = groups(settings)
    default = next(group for group in (first, *others) if settings.models[0] in group.models)
    for operation in OPERATIONS:
        group = default if operation.id == "predict" else first
        yield Path(operation=operation.id, method=operation.method, path=operation.path, group=group)
        if "{model}" in operation.path:
            for group in others:
                for model in group.models:
                    own = operation.path.replace("{model}", model)
                    yield Path(operation=f"{operation.id}_{model}", method=operation.method, path=own, group=group)


def shortened(model: str) -> str:
    """A model's name, short enough to be a part of another one."""
    if len(model) <= LONGEST:
        return model
    return f"{model[: LONGEST - 5]}-{hashlib.sha256(model.encode()).hexdigest()[:4]}"
