from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from infra.scaling import Balanced, Eco, Latency
from infra.serving import LONGEST, Group, groups, paths
from infra.settings import Settings
from interface import operations

ROUTES = {operation.id: (operation.method, operation.path) for operation in operations.ROUTES}

MODELS = ["a", "b", "c"]


def settings(*, models_listed: list[str] | None = None, **scaling: Any) -> Settings:
    return Settings.parse({"cloud": "aws", "models": models_listed or MODELS, "scaling": scaling}, where="")


def shape(functions: tuple[Group, ...]) -> dict[str, tuple[str, ...]]:
    return {group.name: group.models for group in functions}


def test_models_share_one_function_by_default() -> None:
    (group,) = groups(settings())
    assert (group.name, group.models, group.profile, group.elsewhere) == ("predict", ("a", "b", "c"), Eco(), ())


def test_a_model_that_scales_otherwise_has_a_function_of_its_own() -> None:
    first, second = groups(settings(models={"b": {"profile": "latency", "minimum": 2}}))
    assert shape((first, second)) == {"predict": ("a", "c"), "predict-b": ("b",)}
    assert (first.profile, second.profile) == (Eco(), Latency(minimum=2))
    assert (first.where, second.where) == ("scaling", "scaling.models.b")


def test_models_that_scale_alike_share_a_function() -> None:
    alike = {"profile": "latency", "minimum": 2, "concurrency": 9}
    functions = groups(settings(models={"b": alike, "c": alike}))
    assert shape(functions) == {"predict": ("a",), "predict-b": ("b", "c")}


@pytest.mark.parametrize("difference", [{"minimum": 3}, {"memory_mb": 4096}, {"concurrency": 8}])
def test_any_difference_parts_them(difference: dict[str, int]) -> None:
    alike = {"profile": "latency", "minimum": 2, "concurrency": 9}
    functions = groups(settings(models={"b": alike, "c": {**alike, **difference}}))
    assert shape(functions) == {"predict": ("a",), "predict-b": ("b",), "predict-c": ("c",)}


def test_a_model_that_says_what_the_stack_says_stays_with_the_others() -> None:
    predict = settings().size("predict")
    same = {"profile": "balanced", "memory_mb": predict.memory_mb}
    assert len(groups(settings(profile="balanced", models={"b": same}))) == 1


def test_a_size_of_its_own_leaves_the_other_figures_as_they_are() -> None:
    _, group = groups(settings(models={"b": {"profile": "eco", "memory_mb": 4096}}))
    predict = settings().size("predict")
    assert group.size == predict.model_copy(update={"memory_mb": 4096})


def test_where_no_model_scales_as_the_stack_the_first_ones_function_comes_first() -> None:
    own = {"a": {"profile": "balanced"}, "b": {"profile": "latency"}, "c": {"profile": "balanced"}}
    first, second = groups(settings(models=own))
    assert shape((first, second)) == {"predict": ("a", "c"), "predict-b": ("b",)}
    assert (first.profile, first.where) == (Balanced(), "scaling.models.a")


def test_only_the_first_function_answers_for_models_elsewhere() -> None:
    first, second = groups(settings(models={"b": {"profile": "balanced"}}))
    assert first.environment == {"MODELS": "a,b,c", "MODELS_ELSEWHERE": "b"}
    assert second.environment == {"MODELS": "b", "WARM_UP": "yes"}


def test_with_one_function_routes_are_those_of_the_page() -> None:
    routes = list(paths(settings()))
    assert {path.operation: (path.method, path.path) for path in routes} == ROUTES


def test_every_path_of_a_model_with_its_own_function_leads_there_and_server_paths_to_the_first() -> None:
    routes = list(paths(settings(models={"b": {"profile": "balanced"}})))
    own = [path for path in routes if path.group.models == ("b",)]
    assert {path.path for path in own} == {
        path.replace("{model}", "b") for _, path in ROUTES.values() if "{model}" in path
    }
    rest = {path.operation: (path.method, path.path) for path in routes if path not in own}
    assert rest == ROUTES
    assert not [key for key, times in Counter((path.method, path.path) for path in routes).items() if times > 1]
    assert not [key for key, times in Counter(path.operation for path in routes).items() if times > 1]


def test_paths_without_a_model_lead_to_the_function_that_knows_them_all() -> None:
    group_of = {path.operation: path.group for path in paths(settings(models={"a": {"profile": "balanced"}}))}
    for operation in ("predict", "server_ready", "list_models", "not_offered"):
        assert group_of[operation].models == ("b", "c")
        assert group_of[operation].answered == ("a", "b", "c")


def test_names_of_functions_are_short_and_differ() -> None:
    models = ["a", "x" * 48, "x" * 47 + "y", "under_score"]
    own = {model: {"profile": "latency", "minimum": at} for at, model in enumerate(models[1:], start=1)}
    names = [group.name for group in groups(settings(models_listed=models, models=own))]
    assert len(set(names)) == 4
    assert max(map(len, names)) == len("predict-") + LONGEST
    assert names[1] == "predict-under-score"


def test_the_order_of_models_means_nothing_but_for_the_first() -> None:
    alike = {"profile": "latency", "minimum": 2}
    own = {"b": alike, "c": alike, "d": alike}
    assert groups(settings(models_listed=["a", "b", "c", "d"], models=own)) == groups(
        settings(models_listed=["a", "d", "c", "b"], models=own)
    )
    shared, ready = groups(settings(models_listed=["c", "d", "b", "a"], models=own))
    assert (shared.models, shared.elsewhere, ready.models) == (("a",), ("b", "c", "d"), ("c", "b", "d"))
    assert (ready.name, ready.formerly) == ("predict-b", ("predict-c", "predict-d"))
    assert (
        next(path.group for path in paths(settings(models_listed=["c", "b", "a"], models={})) if True).models[0] == "c"
    )
