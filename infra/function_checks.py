"""What every row of the function table must keep, on every cloud, before anything is built or declared."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import get_args

import pulumi

from infra import cron, environment, sources, workflow, workflow_values
from infra.function_spec import (
    LONGEST_NAME,
    AnnouncingName,
    FunctionSpec,
    Http,
    Needs,
    NewObjects,
    OnSchedule,
    StoreName,
    Trigger,
    WorkflowStep,
    well_named,
)
from infra.function_table import TABLE, TRAIN
from infra.keys import Access
from infra.size import Size

NAMES = f"lower-case letters, digits and single hyphens, a letter first, at most {LONGEST_NAME} characters"
PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?")
DATASETS = "datasets"
"""The arrival that starts the training workflow: blueprint.py."""
PREDICT, JOBS = "predict", "jobs"
"""The rows that the API needs: blueprint.py."""


def require(functions: Sequence[FunctionSpec], root: Path = sources.ROOT) -> None:
    """Check the table.

    Raise `pulumi.RunError` about its first mistake: the row, the field, what is wrong and what is accepted.
    """
    for problem in problems(functions, root):
        raise pulumi.RunError(f"{TABLE}: {problem}")


def problems(functions: Sequence[FunctionSpec], root: Path = sources.ROOT) -> Iterator[str]:
    """Yield what is wrong with the table, a sentence each; those about the whole table come last.

    Raise `pulumi.RunError` for an entry's module that is no Python.
    """
    for position, spec in enumerate(functions, 1):
        label = spec.name if isinstance(spec.name, str) and spec.name else f"row {position}"
        yield from (f"{label}: {problem}" for problem in _row(spec, root))
    yield from _table(functions)
    yield from _steps(functions)


def _row(spec: FunctionSpec, root: Path) -> Iterator[str]:
    yield from _name("name", spec.name)
    if isinstance(spec.name, str) and spec.name.startswith(f"{PREDICT}-"):
        yield f"name: {PREDICT}-... is kept for models with a predict function of their own; accepted: another name"
    if isinstance(spec.name, str) and spec.name.startswith(f"{TRAIN}-"):
        yield f"name: {TRAIN}-... is kept for models with packages of their own; accepted: another name"
    yield from _trigger(spec.trigger)
    yield from _entry(spec, root)
    yield from _size(spec.size)
    if not _whole(spec.copies, *(bounds := _bounds("concurrency"))):
        yield f"copies: {spec.copies!r} is not accepted; accepted: a whole number from {bounds[0]:,} to {bounds[1]:,}"
    yield from _needs("needs", spec.needs)
    yield from _variables(spec.environment)
    yield from _lock(spec, root)


def _name(field: str, name: object) -> Iterator[str]:
    if not well_named(name):
        yield f"{field}: {name!r} is not a name that every cloud takes; accepted: {NAMES}"


# Triggers ---------------------------------------------------------------------------------------


def _trigger(trigger: object) -> Iterator[str]:
    match trigger:
        case NewObjects():
            yield from _store(
                "trigger.store", trigger.store, get_args(AnnouncingName), "a store that announces objects"
            )
            yield from _prefixes("trigger.prefixes", trigger.prefixes)
            yield from _name("trigger.arrival", trigger.arrival)
        case OnSchedule():
            yield from _schedule(trigger)
        case _ if not isinstance(trigger, get_args(Trigger)):
            kinds = ", ".join(f"{kind.__name__}(...)" for kind in get_args(Trigger))
            yield f"trigger: {_shown(trigger)} is not a trigger; accepted: one of {kinds}"


def _schedule(trigger: OnSchedule) -> Iterator[str]:
    try:
        cron.parse(trigger.cron)
    except (ValueError, AttributeError) as problem:
        wrong = problem if isinstance(problem, ValueError) else f"{trigger.cron!r} is not a text"
        yield f'trigger.cron: {wrong}; accepted: five fields, UTC, as in "0 3 * * 1"'
    try:
        document = json.dumps(trigger.input, allow_nan=False)
    except (TypeError, ValueError) as problem:
        yield f"trigger.input: {problem}; accepted: what a JSON object can hold"
    else:
        if not document.startswith("{") or not all(isinstance(key, str) for key in trigger.input):
            yield f'trigger.input: {trigger.input!r} is not a JSON object; accepted: as in {{"days": "30"}}'


# Entries ----------------------------------------------------------------------------------------


def _entry(spec: FunctionSpec, root: Path) -> Iterator[str]:
    accepted = "accepted: module:function of a module in functions/, as in functions.entries.train:train"
    if not isinstance(spec.entry, str) or not re.fullmatch(r"functions(\.[A-Za-z_]\w*)+:[A-Za-z_]\w*", spec.entry):
        yield f"entry: {spec.entry!r} does not name a function; {accepted}"
        return
    module, _, function = spec.entry.partition(":")
    file = root.joinpath(*module.split(".")).with_suffix(".py")
    where = file.relative_to(root).as_posix()
    if not file.is_file():
        yield f"entry: {spec.entry!r}: {where} does not exist; {accepted}"
        return
    functions = sources.module(file, root).functions
    if function not in functions:
        there = ", ".join(functions) or "none"
        yield f"entry: {spec.entry!r}: {where} has no function {function}; there are: {there}"
    elif isinstance(spec.trigger, get_args(Trigger)) and not _composes(functions[function], spec.trigger.composes):
        kind = type(spec.trigger).__name__
        yield (
            f"entry: {spec.entry!r} composes a {functions[function]}, and {kind}() calls a {spec.trigger.composes};"
            f" accepted: an entry that returns one, or another trigger"
        )


def _composes(annotation: str, expected: str) -> bool:
    """Return whether what an entry says that it returns can be what its trigger calls: `Consumer` alone can be both."""
    kinds = {kind.composes.partition("[")[0] for kind in get_args(Trigger)}
    found, content = _kind(annotation)
    wanted, wanted_content = _kind(expected)
    if found not in kinds:
        return True
    return found == wanted and (not content or (content == "str") == (wanted_content == "str"))


def _kind(annotation: str) -> tuple[str, str]:
    head, _, content = annotation.partition("[")
    return head.rpartition(".")[2], content.removesuffix("]")


# Sizes, stores, variables, locks ------------------------------------------------------------------


def _size(size: object) -> Iterator[str]:
    bounds = {name: _bounds(name) for name in Size.model_fields}
    if not isinstance(size, dict):
        yield f"size: {_shown(size)} is not a size; accepted: Size({', '.join(f'{name}=...' for name in bounds)})"
        return
    for name in [name for name in size if name not in bounds]:
        meant = difflib.get_close_matches(name, bounds, n=1)
        hint = f"; did you mean {meant[0]}?" if meant else ""
        yield f"size.{name}: there is no such figure{hint}; accepted: {', '.join(bounds)}"
    for name, (lowest, highest) in bounds.items():
        value = size.get(name)
        if (value is not None or Size.model_fields[name].is_required()) and not _whole(value, lowest, highest):
            wrong = f"{value!r} is not accepted" if name in size else "is missing"
            yield f"size.{name}: {wrong}; accepted: a whole number from {lowest:,} to {highest:,}"


def _whole(value: object, lowest: int, highest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _bounds(name: str) -> tuple[int, int]:
    """Return the lowest and the highest value of a figure."""
    lowest, highest = (getattr(bound, "ge", None) or bound.le for bound in Size.model_fields[name].metadata)
    return lowest, highest


def _needs(field: str, needs: object) -> Iterator[str]:
    if not isinstance(needs, tuple) or not all(isinstance(need, Needs) for need in needs):
        yield f"{field}: {_shown(needs)} is not a tuple of needs; accepted: as in (reads(...), writes(...))"
        return
    for position, need in enumerate(needs):
        yield from _store(f"{(where := f'{field}[{position}]')}.store", need.store, get_args(StoreName), "a store")
        if need.access not in list(Access):
            yield f"{where}.access: {need.access!r} is not known; accepted: {', '.join(Access)}"
        yield from _prefixes(f"{where}.prefixes", need.prefixes)
        if need.access is Access.REMOVE and replace(need, access=Access.WRITE) not in needs:
            yield f"{where}: removes what it does not write; accepted: beside writes(...) of the same prefixes"


def _store(field: str, store: object, accepted: Sequence[str], what: str) -> Iterator[str]:
    if store not in accepted:
        yield f"{field}: {store!r} is not {what}; accepted: {', '.join(accepted)}"


def _prefixes(field: str, prefixes: object) -> Iterator[str]:
    if isinstance(prefixes, str) or not isinstance(prefixes, tuple):
        yield f"{field}: {_shown(prefixes)} is not a tuple; accepted: as in ({prefixes or 'labels/'!r},)"
        return
    if not prefixes:
        yield f'{field}: there is none; accepted: one or more as in "labels/", or "" for everything of a model'
    for prefix in prefixes:
        if not isinstance(prefix, str) or (prefix and not PREFIX.fullmatch(prefix)):
            yield f"{field}: {prefix!r} is not a prefix; accepted: letters, digits and _ . - between single slashes"
            return
        if prefix and not prefix.endswith("/") and "." not in prefix.rpartition("/")[2]:
            yield (
                f"{field}: {prefix!r} holds for every key that begins so, as {prefix + 'x/'!r};"
                f" accepted: {prefix + '/'!r}, or an object's name with its suffix"
            )
    if len(set(prefixes)) < len(prefixes):
        twice = next(prefix for prefix in prefixes if prefixes.count(prefix) > 1)
        yield f"{field}: {twice!r} is there twice; accepted: each prefix once"
    elif below := [(one, other) for one, other in permutations(prefixes, 2) if one.startswith(other)]:
        yield f"{field}: {below[0][0]!r} lies below {below[0][1]!r}; accepted: prefixes none of which holds another"


def _variables(names: object) -> Iterator[str]:
    if not isinstance(names, tuple):
        yield f"environment: {_shown(names)} is not a tuple; accepted: as in (variables.DATA_URL,)"
        return
    for name in names:
        if names.count(name) > 1:
            yield f"environment: {name} is there twice; accepted: each variable once"
        elif not isinstance(name, str) or name not in environment.VALUES:
            yield f"environment: {name} {_refusal(name)}; accepted: {', '.join(sorted(environment.VALUES))}"


def _refusal(name: object) -> str:
    if name in environment.EVERYWHERE:
        return "is set by the program itself"
    if isinstance(name, str) and environment.reserved(name):
        return "is kept by a cloud for itself"
    return "has no value in infra/environment.py"


def _lock(spec: FunctionSpec, root: Path) -> Iterator[str]:
    locks = sorted(file.stem for file in (root / "functions" / "requirements").glob("*.txt"))
    if spec.lock not in locks:
        field = "requirements" if spec.requirements else "requirements (by the row's own name)"
        yield (
            f"{field}: functions/requirements/{spec.lock}.txt is no lock of every cloud; accepted: {', '.join(locks)},"
            " or another one that `make lock` has written"
        )


# The whole table --------------------------------------------------------------------------------


def _table(functions: Sequence[FunctionSpec]) -> Iterator[str]:
    names = [spec.name for spec in functions]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"{name}: name: {names.count(name)} rows have it; accepted: a name of its own for each"
    yield from (f"{name}: the row is missing, which the API needs" for name in (PREDICT, JOBS) if name not in names)
    yield from _arrivals(functions)
    for spec in functions:
        if isinstance(spec.trigger, Http) != (spec.name == PREDICT):
            yield f"{spec.name}: trigger: Http() is for the row {PREDICT} alone, which has no other trigger"
        if spec.name == JOBS and not spec.consumes:
            yield f"{JOBS}: trigger: the jobs of the API wait in its queue; accepted: NewObjects(...)"


def _arrivals(functions: Sequence[FunctionSpec]) -> Iterator[str]:
    owners = {DATASETS: "the training workflow"}
    for spec in functions:
        if isinstance(spec.trigger, NewObjects):
            arrival = spec.trigger.arrival
            if arrival in owners:
                yield f"{spec.name}: trigger.arrival: {owners[arrival]} has {arrival!r}; accepted: another name"
            owners[arrival] = spec.name


def _steps(functions: Sequence[FunctionSpec]) -> Iterator[str]:
    """Yield what the rows and the steps of the training workflow do not agree on."""
    definition = workflow.training(parallelism=1, timeout_seconds=1, function_timeouts={})
    rows = [spec.name for spec in functions if isinstance(spec.trigger, WorkflowStep)]
    for name in rows:
        if name not in definition.functions:
            yield f"{name}: trigger: no step of infra/workflow.py calls it; accepted: such a step, or another trigger"
    for step, function in definition.calls:
        if function not in rows:
            yield (
                f"infra/workflow.py: step {step}: no row with WorkflowStep() is called {function};"
                f" accepted: {', '.join(rows) or 'none'}"
            )
    yield from (f"infra/workflow.py: {problem}" for problem in workflow_values.problems(definition))


def _shown(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else repr(value)
