"""What must hold of the sample's graph on every cloud: each rule lists what breaks it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields
from typing import Final, Protocol

from infra.keys import Keys
from infra.vocabulary import Cloud
from tests.graph import Graph
from tests.infra import sample
from tests.infra.facts import Facts, Permission, components

DAY: Final = 24 * 3600


class Rule(Protocol):
    __name__: str

    def __call__(self, graph: Graph, facts: Facts, cloud: Cloud, /) -> list[str]: ...


def stores_are_private(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [store.name for store in facts.stores if not store.private]


def stores_are_encrypted(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [store.name for store in facts.stores if not store.encrypted]


def stores_keep_versions(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [store.name for store in facts.stores if not store.versioned]


def stores_tidy_up(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [
        f"{store.name}: {store.noncurrent_days}, {store.upload_days}"
        for store in facts.stores
        if (store.noncurrent_days, store.upload_days) != (30, 7)
    ]


def objects_expire_when_asked(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = {"data": sample.EXPIRE, "code": {}}
    return [f"{store.name}: {store.expiry}" for store in facts.stores if dict(store.expiry) != expected[store.name]]


def protection_is_honoured(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = {"data": True, "code": False}
    return [
        store.name
        for store in facts.stores
        if (store.protected, store.emptied_on_destroy) != (expected[store.name], not expected[store.name])
    ]


def failing_messages_become_dead_letters(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [f"{queue.name}: {queue.attempts}" for queue in facts.queues if queue.attempts != sample.ATTEMPTS]


def dead_letters_wait_for_someone(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [queue.name for queue in facts.queues if queue.dead_letter_seconds < 14 * DAY]


def messages_stay_hidden_while_worked_on(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [queue.name for queue in facts.queues if queue.hidden_seconds < sample.CONSUMER_SECONDS]


def each_function_has_an_identity_of_its_own(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    identities = [function.identity for function in facts.functions]
    return [f.name for f in facts.functions if f.identity is None or identities.count(f.identity) > 1]


def functions_may_do_exactly_what_was_granted(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    kinds = (("get", sample.READ), ("list", sample.READ), ("put", sample.WRITTEN))
    granted, tolerated = (
        {
            Permission(function=function, access=access, bucket="data-bucket-1a2b3c4", key=key)
            for function in ("prepare", "jobs", "predict")
            for access, keys in kinds
            for key in (_meant(keys) if exactly or access != "put" else _tolerated(keys))
            if (function, access) != ("predict", "put")
        }
        for exactly in (True, False)
    )
    return sorted(str(permission) for permission in (granted - facts.permissions) | (facts.permissions - tolerated))


def _meant(keys: Keys) -> set[str]:
    below = tuple(f"{model}/{prefix}" for model in keys.models for prefix in keys.prefixes)
    return {key for key in sample.PROBES if key.startswith(below)}


def _tolerated(keys: Keys) -> set[str]:
    """Return what a cloud may let pass where keys are those of every model: any first segment, and slashes in it."""
    return {key for key in sample.PROBES if any(f"/{prefix}" in key for prefix in keys.prefixes)}


def nothing_is_allowed_without_bounds(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return list(facts.boundless)


def copies_are_bounded(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [f"{f.name}: {f.concurrency}" for f in facts.functions if f.concurrency != sample.CONCURRENCY]


def size_and_time_are_as_asked(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [
        f"{f.name}: {f.memory_mb} MB, {f.timeout_seconds} s"
        for f in facts.functions
        if (f.memory_mb, f.timeout_seconds) != (sample.MEMORY_MB, sample.SECONDS[f.name])
    ]


def one_interpreter_for_all(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = f"python{sample.PLATFORM.python}".replace(".", "")
    return [f"{f.name}: {f.runtime}" for f in facts.functions if f.runtime.replace(".", "") != expected]


def code_is_named_by_its_digest(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [f.name for f in facts.functions if sample.archive(f.name).digest not in f.code or f.uploads != (f.code,)]


def routes_are_authorised_or_say_why_not(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    problems = [f"{len(api.authorised)} routes" for api in facts.apis if set(api.authorised) != sample.ROUTES]
    return problems + [
        route
        for api in facts.apis
        for route, authorised in api.authorised.items()
        if not authorised and "Open to everyone: " not in api.description
    ]


def calls_are_throttled(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [str(api.requests_a_second) for api in facts.apis if api.requests_a_second != sample.RATE]


def the_api_waits_as_long_as_asked(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [str(api.timeout_seconds) for api in facts.apis if api.timeout_seconds != sample.API_SECONDS]


def logs_are_kept_as_long_as_asked(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    log_days = [(thing.name, thing.log_days) for thing in (*facts.functions, *facts.workflows)]
    log_days += [("api", api.log_days) for api in facts.apis]
    return [f"{name}: {days}" for name, days in log_days if days != sample.LOG_DAYS]


def workflows_are_sound(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [f"{workflow.name}: {problem}" for workflow in facts.workflows for problem in workflow.problems]


def workflows_may_call_exactly_what_they_call(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = {function.ref for function in facts.functions if function.name in sample.WORKFLOW.functions}
    return [
        f"{workflow.name}: {sorted(expected ^ workflow.may_call | expected ^ set(workflow.call_seconds))}"
        for workflow in facts.workflows
        if not expected == workflow.may_call == set(workflow.call_seconds)
    ]


def workflows_outwait_their_functions(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    needed = {function.ref: function.timeout_seconds for function in facts.functions}
    return [
        f"{workflow.name}: {seconds} s for {ref}"
        for workflow in facts.workflows
        for ref, seconds in workflow.call_seconds.items()
        if seconds <= needed.get(ref, 0)
    ]


def workflows_are_bounded(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = (sample.WORKFLOW.timeout_seconds, sample.PARALLELISM)
    return [
        f"{w.name}: {w.seconds} s, {w.parallelism}" for w in facts.workflows if (w.seconds, w.parallelism) != expected
    ]


def workflows_do_not_log_what_they_hand_over(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [workflow.name for workflow in facts.workflows if workflow.logs_data]


def arrivals_wait_where_they_were_asked_to(graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = {
        "datasets": (sample.READ, graph.returned["workflow"]),
        "submissions": (sample.SUBMITTED, graph.returned["queue"]),
    }
    actual = {arrival.name: arrival for arrival in facts.arrivals}
    problems = [f"{name}: is not there" for name in expected.keys() ^ actual.keys()]
    for name, (keys, target) in expected.items():
        if name in actual:
            meant, tolerated = (
                {f"data-bucket-1a2b3c4/{key}" for key in some} for some in (_meant(keys), _tolerated(keys))
            )
            on = set(actual[name].on)
            wrong = sorted((meant - on) | (on - tolerated))
            problems += [f"{name}: {wrong}"] if wrong else []
            problems += [] if actual[name].target == target else [f"{name}: leads to {actual[name].target}"]
    return problems


def schedules_are_as_asked(graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = [("retrain", graph.returned["workflow"], sample.INPUT, ["0", "3", "*", "1"])]
    actual = [(s.name, s.target, json.loads(s.input), list(s.on)) for s in facts.schedules]
    return [] if actual == expected else [str(actual)]


def triggers_may_reach_their_target(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [trigger.name for trigger in (*facts.arrivals, *facts.schedules) if not trigger.allowed]


def triggers_try_again(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [trigger.name for trigger in (*facts.arrivals, *facts.schedules) if not trigger.retried]


def uploads_lie_where_they_were_asked_to(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    expected = {"publish": ("data-bucket-1a2b3c4", sample.KEY, sample.__file__)}
    actual = {upload.name: (upload.bucket, upload.key, upload.file) for upload in facts.uploads}
    return [] if actual == expected else [f"{actual}"]


def uploads_come_when_they_are_waited_for(_graph: Graph, facts: Facts, _cloud: Cloud) -> list[str]:
    return [
        f"{upload.name}: {sorted(upload.after)}" for upload in facts.uploads if not {"data", "datasets"} <= upload.after
    ]


def no_output_is_formatted_as_text(graph: Graph, _facts: Facts, _cloud: Cloud) -> list[str]:
    return [resource.name for resource in graph if "Calling __str__ on an Output" in repr(resource.inputs)]


def outputs_registered_are_those_declared(graph: Graph, _facts: Facts, cloud: Cloud) -> list[str]:
    problems = []
    for thing in _things(cloud):
        hints = {name for name, hint in thing.__annotations__.items() if str(hint).startswith("pulumi.Output[")}
        for resource in components(graph, thing.__name__):
            if set(resource.registered or {}) != hints:
                problems.append(f"{resource.name}: {sorted(resource.registered or {})}, declared: {sorted(hints)}")
    return problems


def types_and_names_have_one_form(graph: Graph, _facts: Facts, cloud: Cloud) -> list[str]:
    """A component's type says the cloud and the class; no logical name says where it is deployed."""
    known = {f"serverless-ml:{cloud.name}:{thing.__name__}" for thing in _things(cloud)}
    return [
        resource.urn
        for resource in graph
        if (resource.component and resource.type not in known)
        or any(
            word in resource.name
            for word in (sample.STACK, "test-project", "123456789012", "eu-west-1", "europe-west1")
        )
        or (not resource.component and not _parents_named(graph, resource.parent))
    ]


def _parents_named(graph: Graph, parent: str) -> bool:
    return any(resource.urn == parent and resource.component for resource in graph)


def _things(cloud: Cloud) -> Iterable[type]:
    words = [getattr(cloud, field.name) for field in fields(cloud)]
    return [thing for thing in words if isinstance(thing, type)]


RULES: Final[tuple[Rule, ...]] = (
    uploads_lie_where_they_were_asked_to,
    uploads_come_when_they_are_waited_for,
    stores_are_private,
    stores_are_encrypted,
    stores_keep_versions,
    stores_tidy_up,
    objects_expire_when_asked,
    protection_is_honoured,
    failing_messages_become_dead_letters,
    dead_letters_wait_for_someone,
    messages_stay_hidden_while_worked_on,
    each_function_has_an_identity_of_its_own,
    functions_may_do_exactly_what_was_granted,
    nothing_is_allowed_without_bounds,
    copies_are_bounded,
    size_and_time_are_as_asked,
    one_interpreter_for_all,
    code_is_named_by_its_digest,
    routes_are_authorised_or_say_why_not,
    calls_are_throttled,
    the_api_waits_as_long_as_asked,
    logs_are_kept_as_long_as_asked,
    workflows_are_sound,
    workflows_may_call_exactly_what_they_call,
    workflows_outwait_their_functions,
    workflows_are_bounded,
    workflows_do_not_log_what_they_hand_over,
    arrivals_wait_where_they_were_asked_to,
    schedules_are_as_asked,
    triggers_may_reach_their_target,
    triggers_try_again,
    no_output_is_formatted_as_text,
    outputs_registered_are_those_declared,
    types_and_names_have_one_form,
)
