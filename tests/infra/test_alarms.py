"""Every alarm fires and ends, on both clouds: as the program declares it, and the embedded cloud evaluates it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.alarms import BURNING, HOUR, MINUTE, ROWS, Lines, alarms, metrics
from infra.alerts import Alerts
from localcloud.aws import alarms as aws
from localcloud.aws import resources as aws_resources
from localcloud.engine.alarms import Monitoring, Sample, states
from localcloud.engine.events import Answer
from localcloud.engine.program import Declared, Registered
from localcloud.engine.resource_handler import Resource
from localcloud.gcp import alarms as gcp
from localcloud.gcp import resources as gcp_resources
from tests.infra.aws import whole as aws_whole
from tests.infra.gcp import whole as gcp_whole
from tests.root import ROOT

NOW = 1_764_000_000.0
SILENCE = 60
NOBODY = "https://127.0.0.1:9/nobody-answers"
ALERTS = {"silence_minutes": SILENCE, "webhook": NOBODY, "email": ["nobody@example.org"]}


@dataclass
class World:
    """What happens in a stack: lines of its functions, answers of its API, and what its services count."""

    cloud: str
    lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    throttles: list[float] = field(default_factory=list)
    ended: list[tuple[float, str]] = field(default_factory=list)
    dead_letters: int = 0
    oldest_seconds: float = 0.0

    def log(self, function: str, count: int = 1, at: float = NOW, **fields: Any) -> None:
        self.lines += [(f"{function}-function-1a2b3c4", {"time": at, **fields})] * count

    def answer(self, status: int, count: int = 1, at: float = NOW) -> None:
        self.answers += [Answer(at=at, status=status, by="predict-function-1a2b3c4")] * count

    def firing(self, now: float = NOW) -> set[str]:
        """Return the alarms that are firing, by their rows."""
        monitoring, resources = _declared(self.cloud)
        samples = list(self._counted(resources, now))
        for function, line in self.lines:
            samples += monitoring.measured(function, [json.dumps(line)])
        rows = [alarm.name for alarm in _every()]
        return {
            next(row for row in rows if f"monitor-{row}" in state.name)
            for state in states(monitoring.rules, samples, now)
            if state.firing
        }

    def _counted(self, resources: Sequence[Resource], now: float) -> Iterator[Sample]:
        if self.cloud == "gcp":
            ended = [
                SimpleNamespace(
                    workflow="projects/p/locations/l/workflows/training-workflow-1a2b3c4", ended=at, state=how
                )
                for at, how in self.ended
            ]
            queues = {
                "projects/p/subscriptions/jobs-subscription-1a2b3c4": (1, self.oldest_seconds),
                "projects/p/subscriptions/jobs-dead-letters-kept-1a2b3c4": (self.dead_letters, 0.0),
            }
            services = SimpleNamespace(
                pubsub=SimpleNamespace(backlogs=lambda: queues), workflows=SimpleNamespace(ended=lambda: ended)
            )
            yield from gcp.counted(cast(Any, services), self.answers, now)
            return
        services = _Services(self, now)
        yield from aws.counted(cast(Any, SimpleNamespace(client=lambda _: services)), resources, self.answers, now)


class _Services:
    """The operations of AWS that are asked."""

    def __init__(self, world: World, now: float) -> None:
        self._points = {
            ("AWS/Lambda", "Throttles", "predict-function-1a2b3c4", "Sum"): [(at, 1.0) for at in world.throttles],
            ("AWS/SQS", "ApproximateAgeOfOldestMessage", "jobs-queue-1a2b3c4", "Maximum"): [
                (now, world.oldest_seconds)
            ],
        }
        self._world = world

    def get_metric_statistics(self, **asked: Any) -> Any:
        (dimension,), (statistic,) = asked["Dimensions"], asked["Statistics"]
        points = self._points.get((asked["Namespace"], asked["MetricName"], dimension["Value"], statistic), [])
        return {
            "Datapoints": [{"Timestamp": datetime.fromtimestamp(at, UTC), statistic: value} for at, value in points]
        }

    def get_queue_url(self, *, QueueName: str) -> Any:
        return {"QueueUrl": QueueName}

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> Any:
        count = self._world.dead_letters if QueueUrl == "jobs-dead-letters-1a2b3c4" else 0
        return {"Attributes": {"ApproximateNumberOfMessages": str(count)}}

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, *, statusFilter: str, **_: Any) -> Any:
        ended = [datetime.fromtimestamp(at, UTC) for at, how in self._world.ended if how == statusFilter]
        return [{"executions": [{"stopDate": at} for at in ended]}]


@cache
def _every() -> Sequence[Any]:
    return alarms(Alerts(silence_minutes=SILENCE))


@cache
def _declared(cloud: str) -> tuple[Monitoring, Sequence[Resource]]:
    """Return what a stack with every alarm declares."""
    graph = (aws_whole if cloud == "aws" else gcp_whole).whole(alerts=ALERTS)
    made = [
        Resource(
            declared=Declared(type=one.type, name=one.name, urn=one.urn, parent="", custom=True, inputs=one.inputs),
            registered=Registered(id=one.outputs.get("id") or one.name, outputs={**one.inputs, **one.outputs}),
            fingerprint="",
        )
        for one in graph
    ]
    return (aws if cloud == "aws" else gcp).monitoring(made), made


every_cloud = pytest.mark.parametrize("cloud", ["aws", "gcp"])
Cause = Callable[[World], None]


def _throttled(world: World) -> None:
    world.throttles += [NOW] * 5
    world.answer(429, 5)


def _failed(world: World) -> None:
    world.ended.append((NOW, "FAILED"))


CAUSES: dict[str, tuple[Cause, set[str]]] = {
    "errors": (lambda world: world.answer(500, 5), {"errors"}),
    "throttles": (_throttled, {"throttles"}),
    "latency": (lambda world: world.log("predict", 2, event="request", ms=1200.0), {"latency"}),
    "cold-starts": (lambda world: world.log("predict", 60, event="started", ms=300), {"cold-starts"}),
    "queue-age": (lambda world: setattr(world, "oldest_seconds", 900.0), {"queue-age"}),
    "dead-letters": (lambda world: setattr(world, "dead_letters", 1), {"dead-letters"}),
    "failed-executions": (_failed, {"failed-executions"}),
    "stuck-executions": (
        lambda world: world.log("supervise", event="run ended", metric="RunEnded", model="m"),
        {"stuck-executions"},
    ),
    "load-failed": (
        lambda world: world.log("predict", event="version does not load", metric="LoadFailed", model="m"),
        {"load-failed"},
    ),
    "drift": (lambda world: world.log("watch", event="drift", metric="Drift", model="m", version="v"), {"drift"}),
    "quality": (
        lambda world: world.log("watch", event="quality", metric="QualityBelowFloor", model="m", version="v"),
        {"quality"},
    ),
    "trained-in-vain": (
        lambda world: world.log("watch", event="trained again in vain", metric="TrainedInVain", model="m"),
        {"trained-in-vain"},
    ),
    "not-trained-again": (
        lambda world: world.log("watch", event="not trained again", metric="NotTrainedAgain", model="m"),
        {"not-trained-again"},
    ),
    "rolled-back": (
        lambda world: world.log("rollout", event="step", answer={"status": "rolled_back"}, model="m"),
        {"rolled-back"},
    ),
    "burn-fast": (
        lambda world: (world.answer(500, 8), world.answer(200, 92))[0],
        {"burn-fast", "burn-slow", "errors"},
    ),
    "burn-slow": (
        lambda world: (world.answer(500, 4, NOW - 2 * HOUR), world.answer(200, 96, NOW - 2 * HOUR))[0],
        {"burn-slow"},
    ),
}
"""What makes each alarm fire, and which ones then do."""


@every_cloud
@pytest.mark.parametrize("name", CAUSES)
def test_an_alarm_fires_when_it_should_and_ends(cloud: str, name: str) -> None:
    cause, expected = CAUSES[name]
    world = World(cloud)
    world.answer(200)
    world.log("predict", 10, event="request", ms=5.0, status=200, model="m", version="v", variant="champion")
    assert world.firing() == set()
    cause(world)
    assert world.firing() == expected
    world.dead_letters, world.oldest_seconds = 0, 0.0
    later = NOW + max(alarm.window_seconds for alarm in _every() if alarm.name in expected)
    world.answer(200, at=later)
    assert world.firing(later) == set()


@every_cloud
def test_an_alarm_whose_target_does_not_answer_fires_and_ends_all_the_same(cloud: str) -> None:
    """Whom it tells is declared beside it, and is no part of when it fires: every alarm of this file is such a one."""
    _, made = _declared(cloud)
    targets = {one.declared.type for one in made if NOBODY in repr(one.declared.inputs)}
    assert targets
    assert targets <= (aws_resources if cloud == "aws" else gcp_resources).ABSENT.keys()
    world = World(cloud)
    world.answer(200)
    world.log("watch", event="drift", metric="Drift", model="m", version="v")
    assert world.firing() == {"drift"}
    world.answer(200, at=NOW + 24 * HOUR)
    assert world.firing(NOW + 24 * HOUR) == set()


@every_cloud
def test_a_stack_that_may_not_be_silent_has_an_alarm_while_nobody_asks(cloud: str) -> None:
    world = World(cloud)
    assert world.firing() == {"no-traffic"}
    world.answer(404)
    assert world.firing() == set()
    assert world.firing(NOW + SILENCE * MINUTE) == {"no-traffic"}


@every_cloud
def test_less_than_its_bound_is_no_alarm(cloud: str) -> None:
    world = World(cloud)
    world.answer(500, 4)
    world.answer(429, 4)
    world.throttles += [NOW] * 4
    world.oldest_seconds = 899.0
    world.ended += [(NOW, "SUCCEEDED"), (NOW, "CANCELLED")]
    world.log("predict", 59, event="started")
    world.log("predict", 19, event="request", ms=5.0)
    world.log("predict", event="request", ms=60_000.0)
    assert world.firing() == set()


@every_cloud
def test_a_few_requests_say_nothing_of_a_share(cloud: str) -> None:
    world = World(cloud)
    world.answer(500, 4)
    world.answer(200, 95)
    assert world.firing() == set()
    world.answer(200)
    assert world.firing() == {"burn-slow"}


@every_cloud
def test_lines_of_other_functions_and_lines_that_are_none_count_for_nothing(cloud: str) -> None:
    world = World(cloud)
    world.answer(200)
    world.log("tally", metric="Drift", event="drift")
    world.log("watch", metric=["Drift"])
    world.log("rollout", answer="rolled_back")
    world.log("predict", event="request", ms="1200")
    monitoring, _ = _declared(cloud)
    assert list(monitoring.measured("watch-function-1a2b3c4", ["{", "[]", "Drift", '{"metric": "Drift"}'])) == []
    assert world.firing() == set()


def test_every_row_is_made_to_fire() -> None:
    assert {alarm.name for alarm in _every()} == {*CAUSES, "no-traffic"}
    assert {*BURNING, *(alarm.name for alarm in ROWS)} <= {*CAUSES}


def test_functions_log_what_alarms_read() -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "functions").rglob("*.py"))
    for lines in metrics(tuple(_every())):
        assert isinstance(lines, Lines)
        for name, value in lines.having:
            logged = {"metric": f'metric="{value}"', "event": f'"{value}"', "answer.status": f'= "{value}"'}[name]
            assert logged in sources, (lines.name, value)


def test_every_text_fits_into_what_is_sent() -> None:
    for alarm in _every():
        assert len(alarm.text) < 900
        assert len(alarm.says) < 200
        assert alarm.says.endswith(".")


def test_every_row_is_in_the_docs() -> None:
    page = (ROOT / "docs" / "watching.md").read_text(encoding="utf-8")
    assert [alarm.name for alarm in _every() if f"| `{alarm.name}` |" not in page] == []


def test_the_dashboard_of_aws_draws_every_alarm() -> None:
    graph = aws_whole.graph()
    drawn = graph.one(aws_whole.DASHBOARD).document("dashboardBody")["widgets"]
    arns = {alarm.outputs["arn"] for alarm in graph.of(aws_whole.ALARM)}
    shown = [one for each in drawn for one in (each["properties"].get("annotations") or {}).get("alarms", ())]
    assert (sorted(shown), set(drawn[0]["properties"]["alarms"])) == (sorted(arns), arns)
    places = [(one["x"], one["y"]) for one in drawn]
    assert len(places) == len(set(places))
    assert all(one["x"] + one["width"] <= 24 for one in drawn)
    assert graph.returned["dashboard_url"].endswith("#dashboards/dashboard/serverless-ml-test")


def test_the_dashboard_of_gcp_draws_every_row_with_its_bound() -> None:
    graph = gcp_whole.graph()
    first, *tiles = graph.one(gcp_whole.DASHBOARD).document("dashboardJson")["mosaicLayout"]["tiles"]
    assert set(first["widget"]["incidentList"]["policyNames"]) == {
        one.outputs["id"] for one in graph.of(gcp_whole.ALERT)
    }
    drawn = {tile["widget"]["title"]: tile["widget"]["xyChart"] for tile in tiles}
    rows = alarms(Alerts())
    assert {alarm.name for alarm in rows} <= drawn.keys()
    assert drawn["latency"]["thresholds"] == [{"value": 1000.0}]
    asked = [chart["dataSets"][0]["timeSeriesQuery"]["prometheusQuery"] for chart in drawn.values()]
    assert not any(">=" in query or "<" in query for query in asked)
    places = [(tile.get("xPos", 0), tile.get("yPos", 0)) for tile in (first, *tiles)]
    assert len(places) == len(set(places))


@every_cloud
def test_a_stack_may_have_neither_a_dashboard_nor_alarms(cloud: str) -> None:
    w = aws_whole if cloud == "aws" else gcp_whole
    bare, none = w.whole(alerts={"dashboard": False}), w.whole(alerts={"alarms": False})
    assert (list(bare.of(w.DASHBOARD)), bare.returned["dashboard_url"]) == ([], "")
    assert none.returned["alarms"] == {}
    assert [one.name for one in none if one.name.startswith("monitor")] == []
