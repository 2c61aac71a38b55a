"""What the comparison of two graphs finds, each seen on a graph with one thing wrong."""

from __future__ import annotations

from dataclasses import replace

from tests.changes.difference import Difference, Drawn, changed_outputs, for_nothing, lost_bindings, lost_data
from tests.changes.matrix import MODELS
from tests.graph import Graph, Resource
from tests.infra.aws import whole as aws
from tests.infra.gcp import whole as gcp


def between(before: Graph, after: Graph) -> Difference:
    return Difference(before=Drawn(before), after=Drawn(after))


def renamed(graph: Graph, resource: Resource, name: str) -> Graph:
    """The graph with one resource under another logical name, and nothing else changed."""
    urn = resource.urn.removesuffix(resource.name) + name
    return graph.swapped(resource, replace(resource, name=name, urn=urn))


def test_two_graphs_that_are_equal_differ_in_nothing() -> None:
    for whole in (aws, gcp):
        difference = between(whole.graph(), whole.graph())
        assert difference.steps == ()
        assert [*for_nothing(difference), *lost_bindings(difference), *changed_outputs(difference)] == []


def test_a_rule_under_another_name_is_made_anew_for_nothing() -> None:
    graph = aws.graph()
    route = graph.of(aws.ROUTE)[0]
    assert list(for_nothing(between(graph, renamed(graph, route, "another")))) == [
        f"{route.name} is deleted, and another, which means the same, is created"
    ]


def test_a_binding_under_another_name_is_lost() -> None:
    """The engine makes it again, which changes nothing, and then takes it away."""
    graph = gcp.graph()
    binding = graph.of(gcp.BUCKET_MEMBER)[0]
    difference = between(graph, renamed(graph, binding, "another"))
    assert list(lost_bindings(difference)) == ["another: the policy no longer has it"]


def test_bindings_that_change_places_are_both_lost() -> None:
    """Each is replaced by what the other was."""
    graph = gcp.graph()
    one, other = graph.of(gcp.BUCKET_MEMBER)[:2]
    swapped = graph.swapped(one, replace(one, inputs=other.inputs)).swapped(other, replace(other, inputs=one.inputs))
    assert len(list(lost_bindings(between(graph, swapped)))) == 2


def test_a_bucket_that_moves_is_lost_and_one_that_only_may_be_emptied_is_not() -> None:
    graph = gcp.graph()
    moved = between(graph, graph.mutated(gcp.BUCKET, "data-bucket", location="us-east1"))
    assert list(lost_data(moved)) == ["data-bucket holds data, and would be replaced"]
    assert list(lost_data(between(graph, graph.mutated(gcp.BUCKET, "data-bucket", forceDestroy=True)))) == []


def test_what_the_stack_leaves_in_the_cloud_is_not_lost() -> None:
    graph = aws.graph()
    left = next(queue for queue in graph.of(aws.QUEUE) if queue.retain)
    assert list(lost_data(between(graph, graph.without(aws.QUEUE, left.name)))) == []
    kept = graph.swapped(left, replace(left, retain=False))
    assert list(lost_data(between(kept, kept.without(aws.QUEUE, left.name)))) == [
        f"{left.name} holds data, and would be deleted"
    ]


def test_an_output_that_changes_is_named_by_its_path() -> None:
    graph = aws.graph()
    models = {model: {"predict": "https://one.example.com"} for model in MODELS[:1]}
    before = replace(graph, returned={"models": models, "endpoint": "https://one.example.com"})
    after = replace(graph, returned={"models": models, "endpoint": "https://two.example.com", "new": "x"})
    assert list(changed_outputs(between(before, after))) == ["endpoint"]


def test_what_the_outputs_say_of_a_function_goes_with_it_alone() -> None:
    graph = aws.graph()
    before = replace(graph, returned={"functions": {"a": {"logs": "a-1"}, "b": {"logs": "b-1"}, "ab": {"logs": "c"}}})
    after = replace(graph, returned={"functions": {"b": {"logs": "b-2"}, "ab": {}}})
    assert list(changed_outputs(between(before, after))) == ["functions.b.logs", "functions.ab.logs"]
