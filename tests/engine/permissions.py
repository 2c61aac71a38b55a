"""What the service accounts of the embedded GCP may do, and which of it was missing at any moment of a change."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from localcloud.gcp.iam.bindings import ROLES, Binding, Bindings
from localcloud.gcp.iam.condition import RequestAttributes

OBJECTS = re.compile(r'startsWith\("(projects/_/buckets/[^"]+)"\)')
LISTED = re.compile(r'objectListPrefix", "[^"]*"\)\.startsWith\("([^"]+)"\)')


@dataclass(frozen=True)
class Permission:
    """One permission of an account on a resource, with the attributes of a request that needs it."""

    email: str
    name: str
    resource: str
    attributes: RequestAttributes

    def holds(self, bindings: Bindings) -> bool:
        return bindings.allows(self.email, self.name, self.resource, self.attributes)


@dataclass(kw_only=True)
class Watched:
    """What became of the permissions that there were."""

    before: set[Permission]
    missed: set[Permission] = field(default_factory=set)
    """Those that an account did not have at some moment."""
    lost: set[Permission] = field(default_factory=set)
    """Those of them that were there again at the end: something needed them all the time."""
    removed: int = 0
    """Bindings that were taken out of a policy."""


def permissions(bindings: Bindings) -> set[Permission]:
    """Return what every binding allows, of objects and lists one for each prefix that a condition names."""
    return {one for binding in list(bindings._all) for one in _allowed(binding) if one.holds(bindings)}


def _allowed(binding: Binding) -> Iterator[Permission]:
    kind, _, email = binding.member.partition(":")
    if kind != "serviceAccount":
        return
    for name in ROLES[binding.role]:
        for attributes in _requests(binding):
            yield Permission(email, name, binding.resource, attributes)


def _requests(binding: Binding) -> Iterator[RequestAttributes]:
    expression = binding.clause.expression if binding.clause else ""
    if not expression:
        yield RequestAttributes(name=binding.resource)
    for start in OBJECTS.findall(expression):
        yield RequestAttributes(name=f"{start}x")
    for prefix in LISTED.findall(expression):
        yield RequestAttributes(name=binding.resource, list_prefix=prefix)


@contextmanager
def watched(bindings: Bindings) -> Generator[Watched]:
    """Look after each removal from a policy at what its member still may do there."""
    found = Watched(before=permissions(bindings))
    remove = bindings.remove

    def removing(binding: Binding) -> None:
        remove(binding)
        found.removed += 1
        email = binding.member.partition(":")[2]
        near = (one for one in found.before if (one.email, one.resource) == (email, binding.resource))
        found.missed |= {one for one in near if not one.holds(bindings)}

    bindings.remove = removing
    try:
        yield found
    finally:
        bindings.remove = remove
        found.lost = {one for one in found.missed if one.holds(bindings)}
