"""The physical names of one type of resource: which components have it, and what its platform accepts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

LOWER = "[a-z]([-a-z0-9]*[a-z0-9])?"
"""Letters in lower case, digits and hyphens, a letter first."""
ANY = "[A-Za-z0-9._-]+"


class Part(StrEnum):
    """The components of a stack that have a type of resource, by what they are for."""

    STORE = "store"
    QUEUE = "queue"
    FED = "fed"
    """A queue that an arrival fills."""
    FUNCTION = "function"
    API = "api"
    WORKFLOW = "workflow"
    ARRIVAL = "arrival"
    START = "start"
    """An arrival that starts the workflow."""
    SCHEDULE = "schedule"
    CALL = "call"
    """A schedule that calls a function."""
    ALARM = "alarm"
    """Each alarm; of a row about functions or queues one for each of them."""
    TOPIC = "topic"
    """Those by which whoever is told of alarms, or of the budget, is told; none where nobody is."""
    BUDGET = "budget"
    METRIC = "metric"
    """Each metric of log lines, in lower case."""


@dataclass(frozen=True, kw_only=True)
class PhysicalName:
    """One type of resource that Pulumi names, and the bound of its platform."""

    type: str
    characters: int
    """The most that a name may have."""
    of: Mapping[Part, Sequence[str | Callable[[str], str]]] = field(hash=False)
    """The logical names of its resources: of each component, with `{}` for its name."""
    form: str = ANY
    """A pattern of every name that is accepted."""
    tail: str = ""
    """What the program itself adds to the physical name, where another resource is named after it."""

    def logical(self, components: Mapping[Part, Sequence[str]]) -> Iterator[str]:
        """Yield the logical name of each resource of this type, given the components of a stack by name."""
        for part, templates in self.of.items():
            for template in templates:
                for component in components.get(part, ()):
                    yield template.format(component) if isinstance(template, str) else template(component)

    def accepts(self, name: str) -> bool:
        """Return whether a name has the characters that the platform takes."""
        return re.fullmatch(self.form, name) is not None
