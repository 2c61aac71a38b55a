"""What a protected stack keeps, on every cloud: from a graph to what of it can be lost, a sentence each."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace

from tests.graph import Graph

PROTECTION = "serverless-ml:stack:Protection"
Break = Callable[[Graph], Graph]


def unkept(
    graph: Graph, lasting: Mapping[str, str], disposable: Container[str], going: Container[str] = ()
) -> list[str]:
    """Return what can be deleted although its type is listed with a reason why it lasts.

    A predict function for some models, and a schedule, go with a setting: something of them is left in the cloud, but
    for the types in `going`.
    """
    passing = {resource.parent for resource in graph if resource.retain}
    return [
        f"{resource.name}: {lasting[resource.type]}, and is deleted with the stack"
        for resource in graph
        if resource.type in lasting
        and not (resource.protect or resource.retain)
        and resource.name not in disposable
        and resource.parent.rpartition("::")[2] not in disposable
        and not (resource.type in going and (resource.parent in passing or ":Schedule::" in resource.parent))
    ]


def lost_before_protection(graph: Graph) -> list[str]:
    """Return what a destroy deletes before it comes to the protection, which refuses."""
    guards = [resource for resource in graph.of(PROTECTION) if resource.protect]
    if len(guards) != 1:
        return [f"{len(guards)} protections; one is accepted"]
    by_urn = {resource.urn: resource for resource in graph}
    behind, front = set[str](), [guards[0].urn]
    while front:
        urn = front.pop()
        if urn in by_urn and urn not in behind:
            behind.add(urn)
            front += [*by_urn[urn].dependencies, by_urn[urn].parent]
    return [
        f"{resource.name}: is deleted before the protection refuses"
        for resource in graph
        if not resource.component and resource.urn not in behind
    ]


def unprotected(type_: str, name: str) -> Break:
    """Return a break that takes the protection of one resource away."""

    def change(graph: Graph) -> Graph:
        resource = graph.one(type_, name)
        return graph.swapped(resource, replace(resource, protect=False, retain=False))

    return change


def unguarded(name: str) -> Break:
    """Return a break that leaves one component, and what is below it, out of what the protection depends on."""

    def change(graph: Graph) -> Graph:
        guard = graph.one(PROTECTION)
        component = next(resource for resource in graph if resource.component and resource.name == name)
        out = {resource.urn for resource in graph.inside(component)}
        return graph.swapped(guard, replace(guard, dependencies=tuple(set(guard.dependencies) - out)))

    return change
