"""What an update does to permissions, replayed on policies as clouds keep them: no model that stays loses any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from types import ModuleType

import pulumi
import pytest

from infra.function_spec import reads
from infra.function_table import FUNCTIONS
from infra.serving import groups
from interface import layout
from localcloud.gcp.iam.accounts import Accounts
from localcloud.gcp.iam.bindings import Binding, Bindings, Clause
from localcloud.gcp.iam.condition import Condition, RequestAttributes, condition
from tests.graph import Graph, Resource
from tests.infra.aws import whole as aws
from tests.infra.gcp import whole as gcp

NAMES = [f"m{number:02}" for number in range(1, 13)]
ALIKE = {"profile": "latency", "minimum": 1}
STACKS = {
    "alike": lambda models: {},
    "apart": lambda models: {model: ALIKE for model in models if model in ("m02", "m05", "m09")},
}
ELSEWHERE = (reads("models", layout.LIVE),)
"""What the first predict function could then do with models that others serve."""
Meaning = tuple[str, str, str, str, str]
"""A bucket, a role, a member, and the title and expression of a condition: what makes a binding itself."""


def meaning(binding: Resource) -> Meaning:
    inputs = binding.inputs
    clause = inputs["condition"]
    return inputs["bucket"], inputs["role"], inputs["member"], clause["title"], clause["expression"]


@cache
def graph(models: tuple[str, ...], stack: str = "alike") -> Graph:
    return gcp.whole(models=list(models), scaling={"models": STACKS[stack](models)}, functions=MANY)


MANY = {"predict": {"concurrency": 50}}


def bindings(declared: Graph) -> dict[str, Resource]:
    return {resource.urn: resource for resource in declared.of(gcp.BUCKET_MEMBER)}


def moments(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> Iterator[frozenset[Meaning]]:
    """Yield what the policies hold after each step of an update: the engine creates first, and deletes at the end.

    Creating a binding that is there changes nothing; deleting it removes it, whichever resource it was made for.
    A binding of another meaning under the same name is replaced: its successor is created first, too.
    """
    held = {meaning(resource) for resource in before.values()}
    gone = [
        meaning(resource)
        for urn, resource in before.items()
        if urn not in after or meaning(after[urn]) != meaning(resource)
    ]
    for urn, resource in after.items():
        if urn not in before or meaning(before[urn]) != meaning(resource):
            held.add(meaning(resource))
            yield frozenset(held)
    for each in gone:
        held.discard(each)
        yield frozenset(held)
    yield frozenset(held)


@cache
def _parsed(expression: str) -> Condition:
    return condition(expression)


@cache
def _allows(held: Meaning, bucket: str, role: str, key: str) -> bool:
    if (held[0], held[1]) != (bucket, role):
        return False
    return _parsed(held[4])(RequestAttributes(name=f"projects/_/buckets/{bucket}/objects/{key}"))


def needed(declared: Graph, stays: set[str]) -> set[tuple[str, str, str, str]]:
    """Return a bucket, a role, a member and a key for each thing that is granted for a model that stays."""
    return {
        (bucket, role, member, key)
        for bucket, role, member, _, expression in map(meaning, bindings(declared).values())
        for prefix in gcp.prefixes(expression)
        for key in [f"{prefix}x"]
        if key.partition("/")[0] in stays
    }


def lost(before: Mapping[str, Resource], after: Graph, stays: set[str]) -> set[tuple[str, str, str, str]]:
    """Return what is granted before and after, and not at some moment of the update."""
    had = {meaning(resource) for resource in before.values()}
    wanted = {
        one
        for one in needed(after, stays)
        if any(held[2] == one[2] and _allows(held, one[0], one[1], one[3]) for held in had)
    }
    missing: set[tuple[str, str, str, str]] = set()
    checked: frozenset[Meaning] = frozenset(had)
    for moment in moments(before, bindings(after)):
        if checked - moment:
            gone = {
                one for one in wanted if any(h[2] == one[2] and _allows(h, *one[:2], one[3]) for h in checked - moment)
            }
            missing |= {
                one
                for one in gone
                if not any(held[2] == one[2] and _allows(held, one[0], one[1], one[3]) for held in moment)
            }
        checked = moment
    return missing


def conditions(moment: Iterable[Meaning]) -> int:
    """Return the most conditions under which one member has one role in one policy."""
    counts: dict[tuple[str, ...], int] = {}
    for held in moment:
        counts[held[:3]] = counts.get(held[:3], 0) + 1
    return max(counts.values(), default=0)


def numbered(models: tuple[str, ...], stack: str = "alike") -> dict[str, Resource]:
    """Return the bindings as they were made until they were called after what they are for: by a running number.

    A condition held six prefixes in the order of the settings, whichever models they were of.
    """
    now = graph(models, stack)
    settings = gcp.settings(models=list(models), scaling={"models": STACKS[stack](models)}, functions=MANY)
    served = {group.name: (group.models, group.elsewhere) for group in groups(settings)}
    rows = {spec.name: spec for spec in FUNCTIONS}
    some = next(iter(bindings(now).values()))
    result: dict[str, Resource] = {}
    for function, parts in {**{spec.name: (models, ()) for spec in FUNCTIONS}, **served}.items():
        row = rows[function if function in rows else "predict"]
        needs = [(need, parts[0]) for need in row.needs if need.access in gcp.ROLE_OF]
        needs += [(need, parts[1]) for need in ELSEWHERE] if parts[1] else []
        number = 0
        for need, of in needs:
            all_prefixes = [f"{model}/{prefix}" for model in of for prefix in need.prefixes]
            for start in range(0, len(all_prefixes), 6):
                bucket = f"{need.store}-bucket-1a2b3c4"
                clauses = [
                    f'resource.name.startsWith("projects/_/buckets/{bucket}/objects/{prefix}")'
                    for prefix in all_prefixes[start : start + 6]
                ]
                inputs = {
                    "bucket": bucket,
                    "role": gcp.ROLE_OF[need.access],
                    "member": f"serviceAccount:{function}-identity-1a2b3c4@test-project.iam.gserviceaccount.com",
                    "condition": {"title": f"{function}-{need.access}", "expression": " || ".join(clauses)},
                }
                name = f"{function}-{need.access}-{number}"
                number += 1
                result[f"numbered::{name}"] = replace(some, name=name, urn=f"numbered::{name}", inputs=inputs)
    return result


@pytest.mark.parametrize("stack", STACKS)
def test_one_model_more_and_one_fewer_takes_nothing_from_those_that_stay(stack: str) -> None:
    for count in range(1, len(NAMES)):
        fewer, more = tuple(NAMES[:count]), tuple(NAMES[: count + 1])
        for before, after in ((fewer, more), (more, fewer)):
            assert lost(bindings(graph(before, stack)), graph(after, stack), set(fewer)) == set(), (before, after)


@pytest.mark.parametrize("gone", [NAMES[0], NAMES[5]])
def test_a_model_out_of_the_middle_takes_nothing_from_those_that_stay(gone: str) -> None:
    whole, rest = tuple(NAMES[:8]), tuple(name for name in NAMES[:8] if name != gone)
    for before, after in ((whole, rest), (rest, whole)):
        assert lost(bindings(graph(before, "apart")), graph(after, "apart"), set(rest)) == set()


def test_a_binding_of_a_model_that_stays_is_not_touched_at_all() -> None:
    three, four = (
        {urn: meaning(resource) for urn, resource in bindings(graph(tuple(NAMES[:count]))).items()} for count in (3, 4)
    )
    assert three.items() < four.items()


def test_no_two_bindings_are_the_same_and_none_takes_the_place_of_another() -> None:
    named: dict[Meaning, str] = {}
    for stack in STACKS:
        for count in range(1, len(NAMES) + 1):
            for urn, resource in bindings(graph(tuple(NAMES[:count]), stack)).items():
                assert named.setdefault(meaning(resource), urn) == urn


def missing_after(before: Mapping[str, Resource], after: Mapping[str, Resource]) -> int:
    """Return how many bindings of a stack the embedded GCP lacks after the update, which the engine takes for made."""
    accounts = Accounts("test-project", "123456789012")
    policies = Bindings(accounts)

    def binding(resource: Resource) -> Binding:
        bucket, role, member, title, expression = meaning(resource)
        return Binding(resource=bucket, role=role, member=member, clause=Clause(title=title, expression=expression))

    for account in {str(resource.inputs["member"]) for resource in (*before.values(), *after.values())}:
        accounts.create(account.removeprefix("serviceAccount:").partition("@")[0])
    for resource in before.values():
        policies.add(binding(resource))
    made = [after[urn] for urn in after if urn not in before or meaning(before[urn]) != meaning(after[urn])]
    gone = [before[urn] for urn in before if urn not in after or meaning(before[urn]) != meaning(after[urn])]
    for resource in made:
        policies.add(binding(resource))
    for resource in gone:
        policies.remove(binding(resource))
    return sum(not policies.has(binding(resource)) for resource in after.values())


def test_the_embedded_gcp_shows_what_running_numbers_lost_and_names_do_not() -> None:
    three, four = tuple(NAMES[:3]), tuple(NAMES[:4])
    assert missing_after(numbered(three), numbered(four)) == 15
    assert missing_after(numbered(four), numbered(three)) > 0
    assert missing_after(bindings(graph(three)), bindings(graph(four))) == 0
    assert missing_after(bindings(graph(four)), bindings(graph(three))) == 0


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("count", range(1, 11))
def test_a_stack_whose_bindings_have_numbers_is_upgraded_without_a_moment_of_loss(stack: str, count: int) -> None:
    models = tuple(NAMES[:count])
    before, after = numbered(models, stack), graph(models, stack)
    assert lost(before, after, set(models)) == set()
    steps = list(moments(before, bindings(after)))
    assert steps[-1] == {meaning(resource) for resource in bindings(after).values()}
    assert max(map(conditions, steps)) <= 20


def test_a_formula_of_before_is_that_of_before() -> None:
    """Three of the names and meanings that the last numbered version declared for two models."""
    before = numbered(("m01", "m02"))
    assert {urn.removeprefix("numbered::") for urn in before if "train" in urn} == {
        "train-read-0",
        "train-read-1",
        "train-write-2",
    }
    assert before["numbered::train-write-2"].inputs["condition"] == {
        "title": "train-write",
        "expression": 'resource.name.startsWith("projects/_/buckets/models-bucket-1a2b3c4/objects/m01/runs/") || '
        'resource.name.startsWith("projects/_/buckets/models-bucket-1a2b3c4/objects/m02/runs/")',
    }


def shown(inputs: Mapping[str, object]) -> dict[str, object]:
    """Return inputs with files as their paths, which can be compared."""
    return {key: str(value.path) if isinstance(value, pulumi.FileAsset) else value for key, value in inputs.items()}


@pytest.mark.parametrize("cloud", [aws, gcp], ids=["aws", "gcp"])
def test_models_in_another_order_make_the_same_stack(cloud: ModuleType) -> None:
    def declared(models: list[str]) -> list[tuple[str, object]]:
        scaling = {"models": {model: ALIKE for model in ("m02", "m04", "m05")}}
        whole = cloud.whole(models=models, scaling=scaling, functions=MANY)
        return [(resource.urn, shown(resource.inputs)) for resource in whole]

    assert declared(["m03", "m01", "m02", "m04", "m05"]) == declared(["m03", "m05", "m04", "m02", "m01"])


@pytest.mark.parametrize("cloud", [aws, gcp], ids=["aws", "gcp"])
def test_another_first_model_changes_who_answers_the_short_path_and_nothing_else(cloud: ModuleType) -> None:
    one, other = (
        {each.urn: shown(each.inputs) for each in cloud.whole(models=models)}
        for models in (["m01", "m02", "m03"], ["m02", "m01", "m03"])
    )
    assert one.keys() == other.keys()
    changed = {urn.rpartition("::")[2] for urn in one if one[urn] != other[urn]}
    assert changed == {"predict-function"}


def test_a_function_of_several_models_stays_when_one_that_sorts_before_them_joins() -> None:
    alike = {"profile": "latency", "minimum": 1}
    for cloud in (aws, gcp):
        joined = cloud.whole(models=["x", "a", "b"], scaling={"models": {"a": alike, "b": alike}}, functions=MANY)
        (component,) = [each for each in joined if each.component and each.name == "predict-a"]
        assert [alias.spec.name for alias in component.aliases] == ["predict-b"]
