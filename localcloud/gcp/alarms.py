"""Cloud Logging's metrics and Cloud Monitoring's alert policies, as the embedded GCP evaluates them.

Of PromQL it knows the forms that the program writes, and no others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from localcloud.engine.alarms import Counted, Holds, Monitoring, Rule, Sample, Selector, quantile
from localcloud.engine.events import Answer
from localcloud.engine.resource_handler import Resource
from localcloud.gcp.project import Project

POLICY = "gcp:monitoring/alertPolicy:AlertPolicy"
METRIC = "gcp:logging/metric:Metric"
WORKLOAD = "cloud_run_revision"
ENTRIES = re.compile(
    r'resource\.type="cloud_run_revision" AND resource\.labels\.service_name=\(("[^"]+"(?: OR "[^"]+")*)\)'
    r'((?: AND \S+="[^"]*")+)'
)
FIELD = re.compile(r' AND jsonPayload\.(\S+?)="([^"]*)"')
EXTRACT = re.compile(r"EXTRACT\(jsonPayload\.([\w.]+)\)")
NUMBER = r"([\d.]+)"
SELECTED = r"([A-Za-z_:][\w:]*)\{([^}]*)\}\[(\d+)s\]"
LABEL = re.compile(r'(\w+)=(~?)"([^"]*)"')
REQUESTS = "run_googleapis_com:request_count"
EXECUTIONS = "workflows_googleapis_com:finished_execution_count"
WAITING = "pubsub_googleapis_com:subscription_num_undelivered_messages"
AGE = "pubsub_googleapis_com:subscription_oldest_unacked_message_age"


def monitoring(resources: Iterable[Resource]) -> Monitoring:
    """Read the metrics and policies among resources. Raise `ValueError` for one of a form that is not emulated."""
    every = tuple(resources)
    return Monitoring(
        counted=[_counted(one) for one in every if one.declared.type == METRIC],
        rules=[_rule(one) for one in every if one.declared.type == POLICY],
    )


def counted(project: Project, answers: Iterable[Answer], now: float) -> Iterator[Sample]:
    """Yield what the services of the emulator count."""
    for answer in answers:
        labels = {
            "monitored_resource": WORKLOAD,
            "service_name": answer.by,
            "response_code": str(answer.status),
            "response_code_class": f"{answer.status // 100}xx",
        }
        yield Sample(metric=REQUESTS, at=answer.at, labels=labels)
    for name, (count, oldest) in project.pubsub.backlogs().items():
        labels = {"monitored_resource": "pubsub_subscription", "subscription_id": name.rpartition("/")[2]}
        yield Sample(metric=WAITING, at=now, value=count, labels=labels)
        yield Sample(metric=AGE, at=now, value=oldest, labels=labels)
    for execution in project.workflows.ended():
        labels = {
            "monitored_resource": "workflows.googleapis.com/Workflow",
            "workflow_id": execution.workflow.rpartition("/")[2],
            "status": execution.state,
        }
        yield Sample(metric=EXECUTIONS, at=execution.ended or now, labels=labels)


def _counted(metric: Resource) -> Counted:
    entries, inputs = ENTRIES.fullmatch(metric.inputs["filter"]), metric.inputs
    if entries is None:
        raise ValueError(f"{metric.declared.name}: the filter {inputs['filter']} is none that is emulated")
    told = inputs.get("valueExtractor")
    return Counted(
        metric=f"logging_googleapis_com:user_{re.sub('[^A-Za-z0-9]', '_', metric.outputs['name'])}",
        functions=frozenset(re.findall(r'"([^"]+)"', entries[1])),
        having=dict(FIELD.findall(entries[2])),
        value=_extracted(told) if told else "",
        labels={label: _extracted(text) for label, text in (inputs.get("labelExtractors") or {}).items()},
        always={"monitored_resource": WORKLOAD},
    )


def _extracted(text: str) -> str:
    field = EXTRACT.fullmatch(text)
    if field is None:
        raise ValueError(f"{text} is none that is emulated")
    return field[1]


def _rule(policy: Resource) -> Rule:
    [condition] = policy.inputs["conditions"]
    query = condition["conditionPrometheusQueryLanguage"]["query"]
    holds = _holds(query)
    if holds is None:
        raise ValueError(f"{policy.declared.name}: the query {query} is none that is emulated")
    reads = frozenset(metric.removesuffix("_bucket") for metric, _, _ in re.findall(SELECTED, query))
    return Rule(name=policy.id, text=policy.inputs["documentation"]["content"], holds=holds, reads=reads)


Values = Callable[[Sequence[Sample], float], list[float]]


def _values(metric: str, wanted: str, seconds: str) -> Values:
    """Return what reads the values that a selector means, in a window of so many seconds."""
    labels = {name: value if pattern else re.escape(value) for name, pattern, value in LABEL.findall(wanted)}
    selector = Selector(metric=metric.removesuffix("_bucket"), labels=labels)
    return lambda samples, now: selector.values(samples, now - float(seconds), now)


def _holds(query: str) -> Holds | None:
    """Return what evaluates a query; None for one of a form that is not known."""
    for pattern, make in FORMS.items():
        if (form := re.fullmatch(pattern, query)) is not None:
            return make(form)
    return None


def _sum(form: re.Match[str]) -> Holds:
    values, bound = _values(*form.groups()[:3]), float(form[4])
    return lambda samples, now: (found := values(samples, now)) != [] and sum(found) >= bound


def _silence(form: re.Match[str]) -> Holds:
    values, bound = _values(*form.groups()[:3]), float(form[4])
    return lambda samples, now: sum(values(samples, now)) < bound


def _most(form: re.Match[str]) -> Holds:
    values, bound = _values(*form.groups()[:3]), float(form[4])
    return lambda samples, now: max(values(samples, now), default=-1.0) >= bound


def _p95(form: re.Match[str]) -> Holds:
    values, bound = _values(*form.groups()[:3]), float(form[4])

    def holds(samples: Sequence[Sample], now: float) -> bool:
        found = quantile(values(samples, now), 0.95)
        return found is not None and found >= bound

    return holds


def _share(form: re.Match[str]) -> Holds:
    part, every = _values(*form.groups()[:3]), _values(*form.groups()[3:6])
    bound, fewest = float(form[7]), float(form[11])

    def holds(samples: Sequence[Sample], now: float) -> bool:
        whole = sum(every(samples, now))
        return whole >= fewest and sum(part(samples, now)) / whole >= bound

    return holds


FORMS = {
    rf"sum\(increase\({SELECTED}\)\) >= {NUMBER}": _sum,
    rf"\(sum\(increase\({SELECTED}\)\) or vector\(0\)\) < {NUMBER}": _silence,
    rf"max\(max_over_time\({SELECTED}\)\) >= {NUMBER}": _most,
    rf"histogram_quantile\(0\.95, sum by \(le\) \(increase\({SELECTED}\)\)\) >= {NUMBER}": _p95,
    rf"sum\(increase\({SELECTED}\)\) / sum\(increase\({SELECTED}\)\) >= {NUMBER}"
    rf" and sum\(increase\({SELECTED}\)\) >= {NUMBER}": _share,
}
"""The forms of queries that are known."""
