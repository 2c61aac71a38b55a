"""Find what is wrong with a workflow's source before anybody runs it.

Deploying finds what cannot be parsed. It does not find a step that nothing leads to, a list of
steps that ends without saying how, a call without a bound, a failure that nobody catches; and a
missing step or variable is found only once an execution gets to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Document = Mapping[str, Any]
Steps = Sequence[Document]
Tries = tuple[Document, ...]

SOURCE_BYTES = 128 * 1024
EXPRESSION_CHARACTERS = 400
ENTRIES_OF_A_STEP = 50
CALL_SECONDS = 1800
BRANCHES = 20
"""https://cloud.google.com/workflows/quotas"""
MOST_ATTEMPTS = 6
PREDICATES = ({"${is_failure}"}, {"${is_transient}", "${is_early}"})
"""What a call is made again for: one of each; `is_early` holds of whatever `is_transient` holds of."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
EXPRESSION = re.compile(r"\$\{(.*?)\}")
VARIABLE = re.compile(r'"[^"]*"|(?<![\w.])([A-Za-z_]\w*)(?![\w(])')
LIBRARY = frozenset({"http", "json", "list", "map", "math", "sys", "text"})
WORDS = frozenset({"and", "or", "not", "in", "true", "false", "null"})


def problems(document: Document) -> list[str]:
    """Return everything that is wrong with a source, each with the name of its step."""
    if "main" not in document:
        return ["main is missing"]
    faults = [fault for name in document for fault in _workflow(name, document)]
    size = len(json.dumps(document, separators=(",", ":")).encode())
    if size > SOURCE_BYTES:
        faults.append(f"the source has {size:,} bytes; accepted: {SOURCE_BYTES:,}")
    strings = set(_strings(document))
    return faults + [
        f"{name}: nothing calls it" for name in document if name != "main" and not {name, f"${{{name}}}"} & strings
    ]


def _workflow(name: str, document: Document) -> Iterator[str]:
    workflow = document[name]
    steps = workflow.get("steps", [])
    yield from _block(steps, name)
    if _falls_off(steps):
        yield f"{name}: it can end without saying how"
    all_steps = list(walk(steps, ()))
    for step, content, tries in all_steps:
        yield from (f"{step}: {fault}" for fault in _step(step, content, tries, document))
        if name == "main" and set(content) - {"assign", "try", "except"} and not _caught(tries, content):
            yield f"{step}: nothing catches its failure"
    names = [step for step, _, _ in all_steps]
    yield from (f"{step}: two steps have this name" for step in sorted(set(names)) if names.count(step) > 1)
    yield from _expressions(name, workflow, {*document, *_set(workflow, all_steps)})


def _caught(tries: Tries, step: Document) -> bool:
    return any("except" in block for block in tries) or "raise" in step or set(step) <= {"next", "return"}


# Steps in their order ---------------------------------------------------------------------------


def _block(steps: Steps, where: str) -> Iterator[str]:
    """Yield what is wrong with one list of steps, and with every list inside it."""
    named = _named(steps)
    if not named:
        yield f"{where}: there are no steps"
    reached = _reached(named)
    bounded = False
    for name, step in named.items():
        if name not in reached:
            yield f"{name}: no step leads here"
        yield from (
            f"{name}: next names {to}, which is not a step of the same list" for to in _next(step) if to not in named
        )
        if str(step.get("call")).startswith("http.") and not bounded:
            yield f"{name}: no deadline is looked at before"
        bounded |= any("deadline" in branch["condition"] and "raise" in branch for branch in step.get("switch", []))
        for inner, _ in within(step):
            yield from _block(inner, name)


def _named(steps: Steps) -> dict[str, Document]:
    return {name: step for entry in steps for name, step in entry.items()}


def _reached(named: Document) -> set[str]:
    order = list(named)
    reached: set[str] = set()
    waiting = order[:1]
    while waiting:
        name = waiting.pop()
        if name in named and name not in reached:
            reached.add(name)
            waiting += _next(named[name])
            if _goes_on(named[name]):
                waiting += order[order.index(name) + 1 :][:1]
    return reached


def _goes_on(step: Document) -> bool:
    """Return whether the next step in the list can come after this one."""
    if {"next", "return", "raise"} & set(step):
        return False
    return not {"try", "steps"} & set(step) or any(_falls_off(inner) for inner, _ in within(step))


def _falls_off(steps: Steps) -> bool:
    """Return whether the end of the list can be reached."""
    named = _named(steps)
    last = next(reversed(named), None)
    return last is None or (last in _reached(named) and _goes_on(named[last]))


def _next(step: Document) -> list[str]:
    return [branch["next"] for branch in (step, *step.get("switch", [])) if "next" in branch]


def within(step: Document) -> Iterator[tuple[Steps, bool]]:
    """Yield each list of steps inside a step, and whether what fails there is retried or caught by it."""
    for branch in (step, *step.get("switch", [])):
        if "steps" in branch:
            yield branch["steps"], False
    if "try" in step:
        yield step["try"].get("steps", []), True
    if "except" in step:
        yield step["except"].get("steps", []), False
    if "parallel" in step:
        yield step["parallel"].get("for", {}).get("steps", []), False


def walk(steps: Steps, tries: Tries) -> Iterator[tuple[str, Document, Tries]]:
    """Yield every step at any depth: its name, itself, and the steps whose `try` it is in, the outermost first."""
    for entry in steps:
        for name, step in entry.items():
            yield name, step, tries
            for inner, tried in within(step):
                yield from walk(inner, (*tries, step) if tried else tries)


# One step ---------------------------------------------------------------------------------------


def _step(name: str, step: Document, tries: Tries, document: Document) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield "its name may hold letters, digits and _ alone"
    for key in ("assign", "switch"):
        if len(step.get(key, [])) > ENTRIES_OF_A_STEP:
            yield f"{key} has more than {ENTRIES_OF_A_STEP} entries"
    if "retry" in step:
        yield from _retry(step["retry"], document)
    if "parallel" in step and not _whole(step["parallel"].get("concurrency_limit"), BRANCHES):
        yield f"concurrency_limit must be 1 to {BRANCHES}"
    if "call" in step:
        yield from _call(step["call"], step.get("args", {}), tries, document)


def _call(target: str, args: Document, tries: Tries, document: Document) -> Iterator[str]:
    if target.startswith("http."):
        if not _whole(args.get("timeout"), CALL_SECONDS):
            yield f"timeout must be 1 to {CALL_SECONDS}"
        if args.get("auth") != {"type": "OIDC", "audience": args.get("url")}:
            yield "auth must be OIDC, for the URL that is called"
        retried = {block.get("retry", {}).get("predicate") for block in tries}
        if missing := [" or ".join(sorted(one)) for one in PREDICATES if not one & retried]:
            yield f"retry of {', '.join(missing)} is missing"
    elif target in document:
        params = set(document[target].get("params", []))
        if set(args) != params:
            yield f"{target} takes {', '.join(sorted(params))}; it is given {', '.join(sorted(args)) or 'nothing'}"
    elif target.split(".", maxsplit=1)[0] not in LIBRARY:
        yield f"call names {target}, which is not there"


def _retry(retry: Document, document: Document) -> Iterator[str]:
    backoff = retry.get("backoff", {})
    if str(retry.get("predicate"))[2:-1] not in document:
        yield f"retry: predicate names {retry.get('predicate')}, which is not there"
    if not _whole(retry.get("max_retries"), MOST_ATTEMPTS):
        yield f"retry: max_retries must be 1 to {MOST_ATTEMPTS}"
    if not backoff.get("multiplier", 0) > 1:
        yield "retry: multiplier must be above 1"
    if not 0 < backoff.get("initial_delay", 0) <= backoff.get("max_delay", 0):
        yield "retry: max_delay must be there, and not below initial_delay"


def _whole(value: object, maximum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= maximum


# Expressions ------------------------------------------------------------------------------------


def _set(workflow: Document, all_steps: list[tuple[str, Document, Tries]]) -> Iterator[str]:
    """Yield every variable that a workflow sets."""
    yield from workflow.get("params", [])
    for _, step, _ in all_steps:
        for branch in (step, *step.get("switch", [])):
            yield from (key for entry in branch.get("assign", []) for key in entry)
        if "result" in step:
            yield step["result"]
        if "except" in step:
            yield step["except"].get("as", "")
        if "parallel" in step:
            yield step["parallel"].get("for", {}).get("value", "")


def _expressions(name: str, workflow: Document, known: set[str]) -> Iterator[str]:
    unknown: set[str] = set()
    for text in _strings(workflow):
        for inner in EXPRESSION.findall(text):
            unknown |= set(VARIABLE.findall(inner)) - known - LIBRARY - WORDS - {""}
            if len(inner) > EXPRESSION_CHARACTERS:
                yield f"{name}: an expression has {len(inner)} characters; accepted: {EXPRESSION_CHARACTERS}"
    yield from (f"{name}: nothing sets {variable}" for variable in sorted(unknown))


def _strings(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for inner in value.values():
                yield from _strings(inner)
        case list() | tuple():
            for inner in value:
                yield from _strings(inner)
