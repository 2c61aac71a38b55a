"""Which predict functions there are, and which routes lead to each: models that scale alike share one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from infra.function_table import named
from infra.scaling import Eco, Profile, profile_of
from infra.settings import Settings
from infra.size import Size
from interface import variables
from interface.operations import ROUTES

LONGEST = 24
"""Characters of a model's name in that of its function: Cloud Run allows 49 in all, including what Pulumi adds."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One predict function, and the models that it serves."""

    name: str
    """After the first of its models in the alphabet, whatever their order in the settings."""
    models: tuple[str, ...]
    """Sorted, but for the first of the settings, which goes first."""
    profile: Profile
    size: Size
    copies: int
    """The most copies of it."""
    where: str
    """The setting that defines it."""
    answered: tuple[str, ...]
    """What it may be asked about, in the order of `models`: for the first function every model of the stack.

    A function is changed before the API's routes are. A model that gets one of its own is asked here until then.
    """
    formerly: tuple[str, ...] = ()
    """The names that it has had if its models were fewer before, or named in another order."""

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Those of them that other functions serve, sorted."""
        return tuple(sorted(set(self.answered) - set(self.models)))

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name the function's models and say whether a copy opens them before its first request."""
        elsewhere = {variables.MODELS_ELSEWHERE: ",".join(self.elsewhere)} if self.elsewhere else {}
        early = {} if isinstance(self.profile, Eco) else {variables.WARM_UP: "yes"}
        return {variables.MODELS: ",".join(self.answered), **elsewhere, **early}


@dataclass(frozen=True, kw_only=True)
class Path:
    """One route of the API, and the group that it leads to."""

    operation: str
    method: str
    path: str
    group: Group


def groups(settings: Settings) -> tuple[Group, ...]:
    """Return the predict functions: every model is in one group, with those that scale alike.

    The first group is the stack's own, or that of the first model if every model has its own scaling.
    """
    predict, overrides = settings.size("predict"), settings.scaling.models
    members: dict[tuple[Profile, Size], list[str]] = {(profile_of(settings.scaling), predict): []}
    default, *others = settings.models
    for model in (default, *sorted(others)):
        if model in overrides:
            changes = overrides[model].model_dump(include={"memory_mb", "concurrency"}, exclude_none=True)
            members.setdefault((profile_of(overrides[model]), predict.model_copy(update=changes)), []).append(model)
        else:
            members[profile_of(settings.scaling), predict].append(model)
    return tuple(
        Group(
            name=_named_after(min(models)) if position else "predict",
            models=tuple(models),
            profile=profile,
            size=size,
            copies=size.concurrency or named("predict").copies,
            where=f"scaling.models.{models[0]}" if models[0] in overrides else "scaling",
            answered=tuple(models) if position else (default, *sorted(others)),
            formerly=tuple(_named_after(model) for model in sorted(models)[1:]) if position else (),
        )
        for position, ((profile, size), models) in enumerate(item for item in members.items() if item[1])
    )


def paths(settings: Settings) -> Iterator[Path]:
    """Yield every route and the group that it leads to.

    Every path, with `{model}` or without, leads to the first group. Models of the other groups have paths of
    their own, which go before the variable: "API Gateway selects the route with the most-specific match"
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html), and so
    does Google's.
    """
    first, *others = groups(settings)
    for operation in ROUTES:
        yield Path(operation=operation.id, method=operation.method, path=operation.path, group=first)
        if "{model}" in operation.path:
            for group in others:
                for model in group.models:
                    path = operation.path.replace("{model}", model)
                    yield Path(operation=f"{operation.id}_{model}", method=operation.method, path=path, group=group)


def _named_after(model: str) -> str:
    return f"predict-{shortened(model).replace('_', '-')}"


def shortened(model: str) -> str:
    """Return a model's name; a digest takes the place of what is more than `LONGEST` characters."""
    if len(model) <= LONGEST:
        return model
    return f"{model[: LONGEST - 5]}-{hashlib.sha256(model.encode()).hexdigest()[:4]}"
