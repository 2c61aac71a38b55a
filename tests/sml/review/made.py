"""Differences made by hand."""

from __future__ import annotations

from collections.abc import Sequence

from sml.review.difference import Changed, Difference, Resource
from sml.review.inputs import edits


def changed(resource: Resource, before: object, after: object) -> Changed:
    return Changed(resource=resource, edits=tuple(edits(before, after)))


def difference(
    *, added: Sequence[Resource] = (), changed: Sequence[Changed] = (), removed: Sequence[Resource] = ()
) -> Difference:
    return Difference(added=tuple(added), changed=tuple(changed), removed=tuple(removed))
