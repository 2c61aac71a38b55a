"""The stack itself: what it is made of, and what its functions logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.commands.stack import logs as command
from sml.console.asked import ask
from sml.console.site import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.console.source import Source
    from sml.console.web import Request

FUNCTIONS = ("predict", "jobs", "prepare", "train", "select", "rollout", "supervise", "tally")
APART, ENDS = "train-", "-function"
"""How the resource of a function is called that trains one model alone."""
LINES = 200


def resources(source: Source, request: Request) -> Page:
    """The outputs, and the resources of a stack that is up here, or where the cloud shows those of another."""
    del request
    stack = source.stack
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for one in source.resources:
        kinds.setdefault(str(one["type"]), []).append(one)
    plain = {name: value for name, value in stack.outputs.items() if isinstance(value, str) and value}
    facts = {
        "kinds": dict(sorted(kinds.items())),
        "count": sum(map(len, kinds.values())),
        "outputs": plain,
        "models": stack.outputs["models"],
        "links": stack.cloud.pages(stack.outputs),
    }
    return Page(template="resources.html", title="Resources", facts=facts)


def logs(source: Source, request: Request) -> Page:
    """The newest lines of a function of the stack that is up here."""
    stack, function = source.stack, request.asked("function", FUNCTIONS[0])
    facts: dict[str, Any] = {"functions": (*FUNCTIONS, *_apart(source)), "function": function}
    if stack.here is None:
        facts["links"] = [page for page in stack.cloud.pages(stack.outputs) if page[0] == "logs"]
    else:
        facts["lines"] = [
            line for line in ask(stack, command, function=function, lines=LINES, follow=False).lines if line
        ]
    return Page(template="logs.html", title="Logs", facts=facts)


def _apart(source: Source) -> list[str]:
    """Return the functions that each train one model alone."""
    names = [str(one["name"]) for one in source.resources]
    return sorted({name.removesuffix(ENDS) for name in names if name.startswith(APART) and name.endswith(ENDS)})
