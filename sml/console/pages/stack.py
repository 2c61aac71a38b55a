"""The stack itself: what it is made of, its alarms, and what its functions logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sml.console.asked import ask
from sml.console.site import Page
from sml.logs import log_of
from sml.mistake import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sml.console.source import Source
    from sml.console.web import Request

FIRST = "predict"
LINES = 200
SECONDS = (3, 15)
"""How often a log is read while somebody looks: here, and in an account, which bounds and bills it."""
ALARM_SECONDS = (5, 60)
"""How often alarms are asked for: here, and in an account, which evaluates them once a minute."""


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


def alarms(source: Source, request: Request) -> Page:
    """The alarms, those that are firing first; asked of an account once a minute while somebody looks."""
    from sml.commands import alarms as asked  # noqa: PLC0415 - typer's options are read when a command is imported

    del request
    listed = ask(source.stack, asked.alarms).table
    facts = {"alarms": listed.documents, "empty": listed.empty, "seconds": ALARM_SECONDS[source.stack.here is None]}
    return Page(template="alarms.html", title="Alarms", facts=facts)


def logs(source: Source, request: Request) -> Page:
    """The newest lines of a function; of a stack in an account, also where the cloud shows them itself."""
    stack = source.stack
    functions = list(stack.outputs.get("functions", ()))
    function = request.asked("function", FIRST)
    facts: dict[str, Any] = {"functions": functions, "function": function, "seconds": SECONDS[stack.here is None]}
    facts["links"] = [page for page in stack.cloud.pages(stack.outputs) if page[0] == "logs"]
    try:
        facts["lines"] = [line.text for line in log_of(stack, function).newest(LINES)]
    except Mistake as refused:
        facts["refused"] = str(refused)
    return Page(template="logs.html", title="Logs", facts=facts)
