"""How Pulumi names the resources of a stack: its `pulumi:autonaming`, held to what the platform accepts.

The engine makes each name of the pattern and proposes it to the provider, which refuses one that is too long when it
comes to that resource, after others exist. https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming-configuration
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import pulumi

from infra import serving, trainers
from infra.alarms import Alarm, Measured, alarms, metrics
from infra.function_spec import Http, NewObjects, OnSchedule, StoreName
from infra.function_table import FUNCTIONS
from infra.physical_name import Part, PhysicalName
from infra.settings import Settings, autonaming, of_project
from infra.settings_file import SettingsFile

KEY = "pulumi:autonaming"
RANDOM = re.compile(r"\$\{(?:hex|alphanum|string|num)\((\d+)\)\}|\$\{(uuid)\}")
UUID_CHARACTERS = 36
DEFAULT_ORGANIZATION = "organization"
"""What the CLI says where the state is kept by the user himself."""
PATTERNS = ("${project}-${stack}-${name}-${hex(4)}", "${stack}-${name}-${hex(4)}", "${name}-${hex(4)}")
"""Patterns to propose, the most telling first."""
ONE_NAME = (
    "what is replaced would be deleted before it is made anew, since both would have one name: its callers fail until"
    " then, and what it held is gone"
)
CODE = "code"
"""The store of the functions' archives: blueprint.py."""
TRAINING, DATASETS, API = "training", "datasets", "api"
"""The components that every stack has one of: blueprint.py."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the stack says of the names of one type: a mode or a pattern, and where it says so."""

    keys: tuple[str, ...]
    mode: str = ""
    pattern: str = ""
    enforced: bool = False


def components(settings: Settings, finished: Collection[str]) -> dict[Part, tuple[str, ...]]:
    """Return the names of a stack's components; `finished` are its bring-your-own models."""
    fed = [spec for spec in FUNCTIONS if isinstance(spec.trigger, NewObjects)]
    called = tuple(f"{spec.name}-on-time" for spec in FUNCTIONS if isinstance(spec.trigger, OnSchedule))
    trained = [model for model in settings.models if model not in finished] if settings.training.schedule else []
    schedules = [
        *(f"retrain-{serving.shortened(model)}" for model in trained),
        *(f"republish-{serving.shortened(model)}" for model in settings.models if model in finished),
    ]
    arrivals = tuple(spec.trigger.arrival for spec in fed if isinstance(spec.trigger, NewObjects))
    groups = tuple(group.name for group in serving.groups(settings))
    rows = trainers.deployed(settings)
    queues = tuple(spec.name for spec in rows if spec.consumes)
    keeping = (*queues, *(f"{name}-arrival" for name in (*arrivals, DATASETS)), *called, *schedules)
    watched = alarms(settings.alerts)
    return {
        Part.STORE: (CODE, *get_args(StoreName)),
        Part.QUEUE: queues,
        Part.FED: tuple(spec.name for spec in fed),
        Part.FUNCTION: (
            *(spec.name for spec in rows if not isinstance(spec.trigger, Http)),
            *groups,
        ),
        Part.API: (API,),
        Part.WORKFLOW: (TRAINING,),
        Part.ARRIVAL: (*arrivals, DATASETS),
        Part.START: (DATASETS,),
        Part.SCHEDULE: (*called, *schedules),
        Part.CALL: called,
        Part.ALARM: tuple(name for alarm in watched for name in _each(alarm, groups, queues, keeping)),
        Part.TOPIC: tuple(_topics(settings, alarms=bool(watched))),
        Part.BUDGET: () if settings.budget is None else ("budget",),
        Part.METRIC: tuple(lines.name.lower() for lines in metrics(watched)),
    }


def _topics(settings: Settings, *, alarms: bool) -> Iterator[str]:
    """Yield the topics that Pulumi names; the one that fills a queue is named after it."""
    told = settings.alerts
    if alarms and (told.email or told.webhook):
        yield "monitor-topic"
    if settings.budget is not None and settings.budget.warn_at and told.webhook:
        yield "budget-warned"


def _each(alarm: Alarm, groups: Sequence[str], queues: Sequence[str], keeping: Sequence[str]) -> list[str]:
    """Return the names of a row's alarms, where a row about functions or queues is an alarm for each of them."""
    of = {Measured.THROTTLES: groups, Measured.QUEUE_SECONDS: queues, Measured.DEAD_LETTERS: keeping}
    each = of.get(alarm.of) if isinstance(alarm.of, Measured) else None
    return [alarm.name] if each is None else [f"{alarm.name}-{name}" for name in each]


def require(names: Sequence[PhysicalName], settings: Settings, finished: Collection[str]) -> None:
    """Refuse names that the platform does not accept, before anything is made.

    Raise `pulumi.RunError` with the file, the key, what is wrong and a pattern that fits.
    """
    stated = autonaming()
    if stated is None:
        return
    file = SettingsFile.find(pulumi.get_stack(), KEY, stated)
    if not isinstance(stated, Mapping):
        raise pulumi.RunError(f"{file.where()}: {KEY} is no mapping; accepted: as in pattern: {PATTERNS[-1]}")
    told = dict.fromkeys(
        f"{file.where(keys)}: {'.'.join((KEY, *keys))}: {text}"
        for keys, text in _problems(stated, names, components(settings, finished))
    )
    if told and pulumi.runtime.is_config_secret(KEY):
        raise pulumi.RunError(f"{file.where()}: {KEY}: names are not accepted; none is shown, since it is secret")
    if told:
        raise pulumi.RunError("\n".join(told))


def _problems(
    stated: Mapping[str, Any], names: Sequence[PhysicalName], stack: Mapping[Part, Sequence[str]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with the names of each type, with the keys that decide them."""
    for name in names:
        logical = sorted(set(name.logical(stack)), key=lambda one: (-len(one), one))
        rule = _rule(stated, name.type)
        if rule is None or rule.mode == "default" or not logical:
            continue
        if rule.mode == "disabled":
            yield (
                (*rule.keys, "mode"),
                f"disabled: the program names nothing itself; accepted: {_example(names, stack)}",
            )
        elif rule.mode == "verbatim" or not RANDOM.search(rule.pattern):
            keys, said = ((*rule.keys, "mode"), "verbatim") if rule.mode else ((*rule.keys, "pattern"), rule.pattern)
            yield keys, f"{said}: {ONE_NAME}; accepted: a pattern with a random part, as {_example(names, stack)}"
        else:
            for one in logical:
                if wrong := _wrong(name, rule.pattern, one, enforced=rule.enforced):
                    fits = _example([row for row in names if row.type == name.type], stack)
                    own = ".".join((KEY, "providers", name.type.partition(":")[0], "resources", name.type))
                    yield (*rule.keys, "pattern"), f"{wrong}, as by {fits} in {own}"
                    break


def _example(names: Sequence[PhysicalName], stack: Mapping[Part, Sequence[str]]) -> str:
    """Return the most telling pattern that fits every type."""
    logical = {name: sorted(set(name.logical(stack))) for name in names}
    return next((one for one in PATTERNS if all(_fits(name, one, logical[name]) for name in names)), PATTERNS[-1])


def _rule(stated: Mapping[str, Any], type_: str) -> Rule | None:
    """Return what holds for a type: what is said of it, else of its provider, else of all."""
    provider = type_.partition(":")[0]
    for keys in (("providers", provider, "resources", type_), ("providers", provider), ()):
        section: Any = stated
        for key in keys:
            section = section.get(key) if isinstance(section, Mapping) else None
        if isinstance(section, Mapping) and section.keys() & {"mode", "pattern"}:
            return Rule(
                keys=keys,
                mode=str(section.get("mode") or ""),
                pattern=str(section.get("pattern") or ""),
                enforced=section.get("enforce") is True,
            )
    return None


def _fits(name: PhysicalName, pattern: str, logical: Sequence[str]) -> bool:
    return not any(_wrong(name, pattern, one, enforced=False) for one in logical)


def _wrong(name: PhysicalName, pattern: str, logical: str, *, enforced: bool) -> str:
    """Return what is wrong with one name; nothing where it is accepted."""
    physical = _resolved(pattern, logical) + name.tail
    if len(physical) > name.characters:
        return f"{name.type}: {physical} has {len(physical)} characters; accepted: at most {name.characters} in all" + (
            f", {len(name.tail)} of them for {name.tail}" if name.tail else ""
        )
    # A name that is proposed, and not enforced, is put into lower case where the platform asks for it.
    if not name.accepts(physical if enforced else physical.lower()):
        return (
            f"{name.type}: {physical} has other characters than are accepted; accepted: names of the form {name.form}"
        )
    return ""


def _resolved(pattern: str, logical: str) -> str:
    """Return the name that a pattern gives, with zeros for what is random."""
    for key, value in (
        ("organization", pulumi.get_organization() or DEFAULT_ORGANIZATION),
        ("project", pulumi.get_project()),
        ("stack", pulumi.get_stack()),
    ):
        pattern = pattern.replace(f"${{{key}}}", value)
    pattern = re.sub(r"\$\{config\.([^}]+)\}", lambda found: of_project(found[1]), pattern)
    pattern = pattern.replace("${name}", logical)
    return RANDOM.sub(lambda found: "0" * (UUID_CHARACTERS if found[2] else int(found[1])), pattern)
