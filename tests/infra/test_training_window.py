from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pulumi
import pytest

from infra import clouds
from infra.blueprint import draw
from infra.cron import parse, shortest_gap, times_of_day
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from interface.window import Window
from tests.graph import Graph, deploy
from tests.infra.sample import PLATFORM, archive, files

MODEL = "breast_cancer"
FRIDAYS = "0 20 * * 5"
NIGHT: dict[str, Any] = {"deadline_hours": 10, "between": "22:00-06:00"}
every_cloud = pytest.mark.parametrize("cloud", ["aws", "gcp"])


def parsed(cloud: str = "aws", **training: Any) -> Settings:
    return Settings.parse({"cloud": cloud, "models": [MODEL], "training": training}, where="Pulumi.test.yaml")


def refused(schedule: str | None, **window: Any) -> list[str]:
    with pytest.raises(pulumi.RunError) as refusal:
        parsed(**({} if schedule is None else {"schedule": schedule}), window=window)
    return [
        line.removeprefix("Pulumi.test.yaml: serverless-ml:settings -> ") for line in str(refusal.value).splitlines()
    ]


@cache
def drawn(cloud: str, *, window: bool) -> Graph:
    settings = parsed(cloud, schedule=FRIDAYS, **({"window": NIGHT} if window else {}))
    archives = {spec.name: archive(spec.name) for spec in FUNCTIONS}
    return deploy(lambda: draw(clouds.find(cloud), settings, PLATFORM, archives, files(settings)))


@pytest.mark.parametrize(
    ("schedule", "window", "sentence"),
    [
        pytest.param(
            None,
            NIGHT,
            'training.window: found "a window"; accepted: a window beside a schedule'
            " (nothing starts a training that could wait for it)",
            id="without a schedule",
        ),
        pytest.param(
            FRIDAYS,
            {"deadline_hours": 10},
            'training.window: found "neither between nor forecast"; accepted: at least one of the two'
            " (every training would begin at once)",
            id="of nothing",
        ),
        pytest.param(
            FRIDAYS,
            {"deadline_hours": 2, "between": "23:00-06:00"},
            'training.window.between: found "23:00-06:00"; accepted: hours of which some come before the deadline'
            " (a training that is due at 20:00 begins at 22:00 at the latest, before these hours come)",
            id="after the deadline",
        ),
        pytest.param(
            "0 8,20 * * *",
            {"deadline_hours": 3, "between": "22:00-06:00"},
            'training.window.between: found "22:00-06:00"; accepted: hours of which some come before the deadline'
            " (a training that is due at 08:00 begins at 11:00 at the latest, before these hours come)",
            id="after one of two deadlines",
        ),
        pytest.param(
            "0 */6 * * *",
            {"deadline_hours": 10, "between": "22:00-06:00"},
            "training.window.deadline_hours: found 10; accepted: a deadline before the schedule 0 */6 * * * is due"
            " (it is due again after 6 hours, and the next training would wait beside this one)",
            id="of two at once",
        ),
        pytest.param(
            FRIDAYS,
            {**NIGHT, "between": "22-06"},
            'training.window.between: found "22-06"; accepted: two times of the day, UTC, as in 22:00-06:00'
            " (two times of the day are needed, as in 22:00-06:00)",
            id="no hours",
        ),
        pytest.param(
            FRIDAYS,
            {**NIGHT, "deadline_hours": 73},
            "training.window.deadline_hours: found 73; accepted: a whole number, 1 to 72",
            id="for days",
        ),
        *(
            pytest.param(
                FRIDAYS,
                {"deadline_hours": 10, "forecast": source},
                f'training.window.forecast: found "{source}"; accepted: https://..., without a user;'
                " http://127.0.0.1:... for a local stack; or forecast.json",
                id=source,
            )
            for source in (
                "http://example.org/f",
                "ftp://example.org/f",
                "file:///etc/passwd",
                "s3://bucket/f",
                "https://user:word@example.org/f",
                "https://example.org@169.254.169.254/f",
                "http://127.0.0.1.example.org:80/",
                "http://169.254.169.254/latest",
                "https://",
                "forecast.csv",
            )
        ),
    ],
)
def test_a_window_that_cannot_be_meant_is_refused_in_a_sentence(
    schedule: str | None, window: dict[str, Any], sentence: str
) -> None:
    assert refused(schedule, **window) == [sentence]


@pytest.mark.parametrize(
    "source",
    [
        "https://api.carbonintensity.org.uk/intensity/{now}/fw48h",
        "https://example.org:8443/f.csv?zone=DE",
        "http://127.0.0.1:8080/f",
        "forecast.json",
    ],
)
def test_a_forecast_may_be_a_url_or_an_object_of_the_data_store(source: str) -> None:
    window = parsed(schedule=FRIDAYS, window={"deadline_hours": 10, "forecast": source}).training.window
    assert window is not None
    assert window.plan == Window(deadline_seconds=36_000, run_seconds=3600, forecast=source)


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [
        ("0 20 * * 5", 7 * 1440),
        ("0 20 * * 5,6", 1440),
        ("0 3 * * *", 1440),
        ("*/5 * * * *", 5),
        ("0 8,20 * * *", 720),
        ("0 8,20 * * 1", 720),
        ("0 1,23 * * *", 120),
        ("0 1,23 * * 1", 22 * 60),
        ("0 0 1 * *", 28 * 1440),
        ("0 0 31 * *", 31 * 1440),
        ("0 0 29 2 *", 1461 * 1440),
    ],
)
def test_it_is_known_how_soon_a_schedule_is_due_again(schedule: str, minutes: int) -> None:
    assert shortest_gap(parse(schedule)) == minutes


def test_it_is_known_when_on_a_day_a_schedule_is_due() -> None:
    assert times_of_day(parse("0,30 8,20 * * *")) == [480, 510, 1200, 1230]


@every_cloud
def test_the_function_that_prepares_knows_the_window_and_the_schedule_asks_to_wait(cloud: str) -> None:
    graph = drawn(cloud, window=True)
    held = json.dumps([resource.inputs for resource in graph if "prepare" in resource.name], default=str)
    assert '\\"between\\": \\"22:00-06:00\\"' in held
    assert started(graph, cloud) == {"model": MODEL, "action": "wait"}


@every_cloud
def test_without_a_window_a_schedule_declares_what_it_always_did(cloud: str) -> None:
    graph = drawn(cloud, window=False)
    assert "WINDOW" not in json.dumps([resource.inputs for resource in graph], default=str)
    assert started(graph, cloud) == {"model": MODEL}


@every_cloud
def test_an_execution_that_waits_has_as_much_time_as_another(cloud: str) -> None:
    waiting, begun_at_once = drawn(cloud, window=True), drawn(cloud, window=False)
    assert longest(waiting, cloud) - longest(begun_at_once, cloud) == 10 * 3600


def started(graph: Graph, cloud: str) -> dict[str, Any]:
    """Return what the schedule starts the workflow with."""
    if cloud == "aws":
        [schedule] = [one for one in graph if one.name == f"retrain-{MODEL}-schedule"]
        return json.loads(schedule.inputs["target"]["input"])
    [job] = [one for one in graph if one.name == f"retrain-{MODEL}-job"]
    return json.loads(json.loads(base64.b64decode(job.inputs["httpTarget"]["body"]))["argument"])


def longest(graph: Graph, cloud: str) -> int:
    """Return how many seconds an execution may take."""
    if cloud == "aws":
        [machine] = [one for one in graph if one.type.endswith(":StateMachine")]
        return json.loads(machine.inputs["definition"])["TimeoutSeconds"]
    [workflow] = [one for one in graph if one.type == "gcp:workflows/workflow:Workflow"]
    [begin] = [
        step["begin"] for step in json.loads(workflow.inputs["sourceContents"])["main"]["steps"] if "begin" in step
    ]
    deadline = next(one["deadline"] for one in begin["assign"] if "deadline" in one)
    return int(deadline.removeprefix("${sys.now() + ").removesuffix("}"))
