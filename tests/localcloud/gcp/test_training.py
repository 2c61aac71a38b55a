"""The training workflow that the program renders, run as the embedded GCP runs it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.gcp import dialect
from infra.workflow import training
from localcloud.gcp.workflows.calls import Calls, NotConnected, Response
from localcloud.gcp.workflows.document import read
from localcloud.gcp.workflows.errors import Raised
from localcloud.gcp.workflows.interpreter import Interpreter, Services
from localcloud.gcp.workflows.library import functions

STEPS = ("prepare", "train", "select", "rollout")
EVENT = {"specversion": "1.0", "data": {"message": {"attributes": {"objectId": "m/incoming/new.csv"}}}}
RUN = {"model": "m", "run": "r"}
Script = Callable[[str, Mapping[str, Any]], tuple[int, Any] | Exception]


def well(step: str, body: Mapping[str, Any]) -> tuple[int, Any] | Exception:
    """Every function does what it should."""
    answers = {
        "prepare": {"status": "accepted", "experiments": ["a", "b", "c", "d"], "round": 1, **RUN},
        "train": {},
        "select": {"status": "registered", **RUN},
        "rollout": {"status": "canary", "wait_seconds": 3}
        if body.get("action") == "release"
        else {"status": "promoted"},
    }
    return 200, answers[step]


@dataclass
class Stage:
    """Functions that respond by a script, and the requests that they got."""

    script: Script = well
    calls: list[tuple[str, Any]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def run(self, argument: object) -> Any:
        workflow = training(parallelism=2, timeout_seconds=3600, function_timeouts=dict.fromkeys(STEPS, 60))
        source = json.dumps(dialect.render(workflow, {step: f"http://{step}.local" for step in STEPS}))
        services = Services(
            functions=functions({"GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": "e-1"}),
            http=Calls(lambda audience: f"for {audience}", self.transport),
            wait=self.waited.append,
            check=lambda: None,
            log=lambda _: None,
        )
        return Interpreter(read(source), services).run(argument)

    def transport(self, _: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float) -> Response:
        step = (urlsplit(url).hostname or "").removesuffix(".local")
        assert (headers["Authorization"], seconds) == (f"Bearer for http://{step}.local", 75)
        content = json.loads(body or b"")
        self.calls.append((step, content))
        answer = self.script(step, content)
        if isinstance(answer, Exception):
            raise answer
        return Response(
            status=answer[0], headers={"Content-Type": "application/json"}, body=json.dumps(answer[1]).encode()
        )

    def requests(self, step: str) -> list[Any]:
        return [body for name, body in self.calls if name == step]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_an_event_leads_to_a_promotion(stage: Stage) -> None:
    assert stage.run(EVENT) == "promoted"
    assert stage.requests("prepare") == [{"input": {"source": "m/incoming/new.csv"}, "execution": "e-1", "trace": ""}]
    assert sorted(body["experiment"] for body in stage.requests("train")) == ["a", "b", "c", "d"]
    assert [body["action"] for body in stage.requests("rollout")] == ["release", "judge"]
    assert stage.waited == [3]


def test_experiments_run_side_by_side_as_many_as_the_settings_say(stage: Stage) -> None:
    together = threading.Barrier(2)

    def two_at_a_time(step: str, body: Mapping[str, Any]) -> tuple[int, Any] | Exception:
        if step == "train":
            together.wait(timeout=30)
        return well(step, body)

    stage.script = two_at_a_time
    assert stage.run({"source": "x"}) == "promoted"


def test_a_permission_that_takes_minutes_to_spread_is_waited_for(stage: Stage) -> None:
    left = {step: [(403, {"error": "not authorized"})] * refusals for step, refusals in (("prepare", 6), ("train", 1))}
    stage.script = lambda step, body: left[step].pop() if left.get(step) else well(step, body)
    assert stage.run({"source": "x"}) == "promoted"
    assert sum(stage.waited[:6]) > 7 * 60


def test_a_worker_that_was_killed_is_replaced(stage: Stage) -> None:
    left: list[tuple[int, Any] | Exception] = [
        NotConnected("gone"),
        ConnectionResetError("reset"),
        (503, {}),
        (500, {}),
    ]
    stage.script = lambda step, body: left.pop(0) if step == "prepare" and left else well(step, body)
    assert stage.run({"source": "x"}) == "promoted"
    assert stage.waited == [2, 6, 18, 1, 3]


def test_a_failure_is_recorded_with_its_cause_and_fails_the_execution(stage: Stage) -> None:
    stage.script = lambda step, body: (500, {"error": "KeyError: x"}) if step == "train" else well(step, body)
    with pytest.raises(Raised) as raised:
        stage.run({"source": "x"})
    assert raised.value.value["tags"] == ["WorkflowFailed"]
    abandoned = stage.requests("rollout")
    assert [body["action"] for body in abandoned] == ["abandon"]
    assert "KeyError: x" in abandoned[0]["cause"]
    assert abandoned[0]["input"] == {"source": "x"}


def test_a_step_that_never_answers_is_a_failure_like_any_other(stage: Stage) -> None:
    stage.script = lambda step, body: TimeoutError() if step == "select" else well(step, body)
    with pytest.raises(Raised) as raised:
        stage.run({"source": "x"})
    assert "did not answer within 75 seconds" in raised.value.value["message"]
    assert len(stage.requests("select")) == 3


@pytest.mark.parametrize("status", ["rejected", "unchanged"])
def test_a_dataset_that_is_not_trained_on_ends_well(stage: Stage, status: str) -> None:
    stage.script = lambda *_: (200, {"status": status, **RUN})
    assert stage.run({"source": "x"}) == status
    assert [step for step, _ in stage.calls] == ["prepare"]
