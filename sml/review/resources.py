"""The sections on resources: what is lost, what is changed, added and removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sml.review.difference import Changed, Difference, Resource
from sml.review.report import Cell, Line, Prose, Section, Table, Words, cell, counted
from sml.review.shown import shown_edits

NAMED: Final = 6
"""Resources that are named where many have the same edits."""
OPEN: Final = 8
"""Rows up to which a table is not folded."""


def resource_sections(difference: Difference) -> Iterator[Section]:
    """Yield what a reader needs of a difference, the gravest first."""
    if difference.lost:
        yield Section(
            title=Words("Removed with all that they hold"),
            lines=tuple(_named(one) for one in difference.lost),
            folded=False,
            strong=True,
        )
    if difference.changed:
        rows = tuple(_changed(difference.changed))
        yield Section(
            title=Words(f"Changed: {counted(len(difference.changed), 'resource')}"),
            table=Table(columns=(Words("resource"), Words("in"), Words("what differs")), rows=rows),
            folded=len(rows) > OPEN,
        )
    for title, resources in (("Added", difference.added), ("Removed", difference.removed)):
        if resources:
            rows = tuple(_by_component(resources))
            yield Section(
                title=Words(f"{title}: {counted(len(resources), 'resource')}"),
                table=Table(columns=(Words("in"), Words("resources")), rows=rows),
                folded=len(rows) > OPEN,
            )


def _changed(changed: Sequence[Changed]) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each set of edits; where only the content of files differs, one for all."""
    alike = defaultdict[tuple[Line, ...], list[Resource]](list)
    for one in changed:
        if not one.content:
            alike[shown_edits(one.edits)].append(one.resource)
    for lines, resources in alike.items():
        yield (_names(resources), cell(*_components(resources)), lines)
    if content := [one.resource for one in changed if one.content]:
        yield (_names(content), cell(*_components(content)), cell(Words("only what files hold, such as code")))


def _by_component(resources: Iterable[Resource]) -> Iterator[tuple[Cell, ...]]:
    found = defaultdict[str, list[Resource]](list)
    for one in resources:
        found[one.component].append(one)
    for component, those in found.items():
        yield (cell(Prose(component) if component else Words("the stack")), _names(those))


def _names(resources: Sequence[Resource]) -> Cell:
    """Return the names of resources, first those that hold something; of many, six."""
    first = sorted(resources, key=lambda one: not one.stateful)[:NAMED]
    more = len(resources) - NAMED
    named = tuple((one.name, Words(" "), Prose(one.kind)) for one in first)
    return (*named, *([(Words(f"and {more} more"),)] if more > 0 else []))


def _components(resources: Iterable[Resource]) -> Iterator[str]:
    """Yield the components, or how many there are."""
    found = list(dict.fromkeys(one.component for one in resources))
    if len(found) > 1:
        yield counted(len(found), "component")
    else:
        yield Prose(found[0]) if found[0] else Words("the stack")


def _named(one: Resource) -> Line:
    return (one.name, Words(" "), Prose(one.kind), *((Words(" of "), Prose(one.component)) if one.component else ()))
