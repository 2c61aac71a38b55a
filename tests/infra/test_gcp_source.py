"""The rendered training workflow, run from its first step to each of its ends in workflows-emulator.

Written against its JSON schema, too. It is the emulator's reading of the language, not Google's own; where that
goes its own way (no OIDC, all branches at once) stands in tests/infra/gcp/emulate.py.
"""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra.gcp import dialect
from infra.workflow import training
from tests.root import ROOT

pytestmark = pytest.mark.integration

EMULATOR = ROOT / ".local" / "workflows-emulator" / "bin" / "python"
STEPS = ("prepare", "train", "select", "rollout")
RUN = {"model": "m", "run": "r"}
SOURCE = {"source": "m/incoming/new.csv"}
SPAN = {"execution": "execution-1", "trace": ""}
CARRIED = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
EVENT = {
    "specversion": "1.0",
    "type": "google.cloud.pubsub.topic.v1.messagePublished",
    "source": "//pubsub.googleapis.com/projects/p/topics/datasets",
    "data": {"message": {"attributes": {"objectId": "m/incoming/new.csv", "bucketId": "data"}, "data": "e30="}},
}
ACCEPTED = [200, {"status": "accepted", "experiments": ["a", "b", "c"], "round": 1, **RUN}]
OK = [200, {}]
CANARY, PROMOTED, ROLLED_BACK = ([200, {"status": s, "wait_seconds": 0}] for s in ("canary", "promoted", "rolled_back"))
REFUSED = [403, {"error": "not authorized to invoke this service"}]
FAILED = [500, {"error": "ValueError: it is broken"}]


def scenario(argument: object = None, timeout_seconds: int = 3600, **answers: list[list[Any]]) -> dict[str, Any]:
    workflow = training(parallelism=2, timeout_seconds=timeout_seconds, function_timeouts=dict.fromkeys(STEPS, 60))
    good = {
        "prepare": [ACCEPTED],
        "train": [OK],
        "select": [[200, {"status": "registered", **RUN}]],
        "rollout": [PROMOTED],
    }
    source = dialect.render(workflow, {step: f"https://{step}.example.org" for step in STEPS})
    return {"source": source, "argument": argument or SOURCE, "answers": {**good, **answers}}


SCENARIOS = {
    "promoted": scenario(),
    "by event": scenario(EVENT),
    "traced": scenario({**SOURCE, "trace": CARRIED}),
    "canary": scenario(rollout=[CANARY, CANARY, PROMOTED]),
    "rolled back": scenario(rollout=[CANARY, ROLLED_BACK]),
    "brought back": scenario(
        {"model": "m", "action": "rollback"},
        prepare=[[200, {"status": "rollback", "model": "m", "run": "", "reason": "complaints"}]],
        rollout=[[200, {"status": "rolled_back", "version": "v"}]],
    ),
    "refused": scenario(select=[[200, {"status": "refused"}]]),
    "rejected": scenario(prepare=[[200, {"status": "rejected", **RUN}]]),
    "unchanged": scenario(prepare=[[200, {"status": "unchanged"}]]),
    "registered": scenario({"model": "m", "version": "v"}, prepare=[[200, {"status": "registered", **RUN}]]),
    "busy": scenario(prepare=[[503, {}], [429, {}], [503, {}], ACCEPTED]),
    "killed once": scenario(prepare=[FAILED, [504, {}], ACCEPTED]),
    "not allowed yet": scenario(
        prepare=[REFUSED, REFUSED, ACCEPTED],
        train=[REFUSED, OK],
        select=[REFUSED, [200, {"status": "registered", **RUN}]],
        rollout=[REFUSED, PROMOTED],
    ),
    "never allowed": scenario(prepare=[REFUSED]),
    "not allowed any more": scenario(rollout=[CANARY, REFUSED, OK]),
    "broken": scenario(prepare=[FAILED]),
    "hostile": scenario(prepare=[[400, {"error": "no"}]]),
    "one experiment broken": scenario(train=[[400, {"error": "boom"}], OK]),
    "odd answer": scenario(prepare=[[200, {"status": "odd"}]]),
    "no answer": scenario(prepare=[[200, {"state": "accepted"}]]),
    "not recorded": scenario(prepare=[[400, {"error": "no"}]], rollout=[[403, {"error": "never"}]]),
    "too late": scenario(timeout_seconds=0),
}


@cache
def results() -> dict[str, dict[str, Any]]:
    """Run every scenario in one process; return what came of each."""
    assert EMULATOR.exists(), "run: make .local/workflows-emulator/.installed"
    process = subprocess.run(
        [EMULATOR, Path(__file__).parent / "gcp" / "emulate.py"],
        input=json.dumps({"scenarios": list(SCENARIOS.values())}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return dict(zip(SCENARIOS, json.loads(process.stdout.splitlines()[-1]), strict=True))


def called(name: str, function: str) -> list[dict[str, Any]]:
    return [body for name_called, body in results()[name]["calls"] if name_called == function]


@pytest.mark.parametrize(
    ("name", "result", "functions"),
    [
        ("promoted", "promoted", ["prepare", "train", "train", "train", "select", "rollout"]),
        ("canary", "promoted", ["prepare", "train", "train", "train", "select", "rollout", "rollout", "rollout"]),
        ("rolled back", "rolled back", ["prepare", "train", "train", "train", "select", "rollout", "rollout"]),
        ("brought back", "rolled back", ["prepare", "rollout"]),
        ("refused", "refused", ["prepare", "train", "train", "train", "select"]),
        ("rejected", "rejected", ["prepare"]),
        ("unchanged", "unchanged", ["prepare"]),
        ("registered", "promoted", ["prepare", "rollout"]),
        ("busy", "promoted", ["prepare"] * 4 + ["train", "train", "train", "select", "rollout"]),
        (
            "not allowed yet",
            "promoted",
            [*["prepare"] * 3, *["train"] * 4, *["select"] * 2, *["rollout"] * 2],
        ),
        ("killed once", "promoted", ["prepare"] * 3 + ["train", "train", "train", "select", "rollout"]),
    ],
)
def test_it_calls_what_its_way_asks_for_and_ends_by_name(name: str, result: str, functions: list[str]) -> None:
    assert results()[name].get("result") == result, results()[name]
    assert [name_called for name_called, _ in results()[name]["calls"]] == functions


def test_each_function_gets_the_variables_that_it_needs() -> None:
    assert called("promoted", "prepare") == [{"input": SOURCE, **SPAN}]
    assert sorted(called("promoted", "train"), key=lambda body: body["experiment"]) == [
        {**RUN, **SPAN, "experiment": experiment, "round": 1} for experiment in ("a", "b", "c")
    ]
    assert called("promoted", "select") == [{**RUN, **SPAN, "round": 1}]
    assert called("brought back", "rollout") == [{"action": "rollback", "model": "m", "reason": "complaints", **SPAN}]
    assert called("canary", "rollout") == [
        {"action": action, **RUN, **SPAN} for action in ("release", "judge", "judge")
    ]


def test_every_step_gets_the_trace_of_the_input_that_has_one() -> None:
    bodies = [body for _, body in results()["traced"]["calls"]]
    assert [body["trace"] for body in bodies] == [CARRIED] * len(bodies)


def test_an_event_starts_it_with_the_key_of_the_object() -> None:
    assert called("by event", "prepare") == [{"input": SOURCE, **SPAN}]


@pytest.mark.parametrize(
    ("name", "cause", "attempts"),
    [
        ("broken", "prepare: ", 3),
        ("hostile", "prepare: ", 1),
        ("never allowed", "prepare: ", 7),
        ("one experiment broken", "experiments: ", 1),
        ("odd answer", 'is it usable: found "odd"; accepted: accepted, registered, rejected, unchanged', 1),
        ("no answer", "is it usable: found null; accepted: accepted, registered, rejected, unchanged", 1),
        ("too late", "prepare: the execution took too long", 0),
    ],
)
def test_any_failure_is_recorded_with_its_cause_and_then_fails(name: str, cause: str, attempts: int) -> None:
    assert len(called(name, "prepare")) == attempts
    (abandoned,) = called(name, "rollout")
    assert {**abandoned, "cause": ""} == {
        "action": "abandon",
        "input": SOURCE,
        "cause": "",
        **SPAN,
    }
    assert abandoned["cause"].startswith(cause)
    assert results()[name]["error"]["tags"] == ["WorkflowFailed"]
    assert results()[name]["error"]["message"].startswith(cause)


def test_a_refusal_in_a_later_step_is_a_failure_at_once() -> None:
    release, judge, abandon = called("not allowed any more", "rollout")
    assert (release["action"], judge["action"], abandon["action"]) == ("release", "judge", "abandon")
    assert abandon["cause"].startswith("judge: ")


def test_the_cause_holds_what_the_function_said() -> None:
    (abandoned,) = called("broken", "rollout")
    assert "ValueError: it is broken" in abandoned["cause"]


def test_a_failure_that_cannot_be_recorded_still_reports_the_first_cause() -> None:
    message = results()["not recorded"]["error"]["message"]
    first, _, then = message.partition("; then ")
    assert first.startswith("prepare: ")
    assert then.startswith("abandon: ")
    assert "never" in then


def test_the_schema_refuses_what_is_no_workflow() -> None:
    broken = {**scenario(), "source": {"main": {"steps": [{"x": {"jump": "there"}}]}}}
    process = subprocess.run(
        [EMULATOR, Path(__file__).parent / "gcp" / "emulate.py"],
        input=json.dumps({"scenarios": [broken]}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode != 0
    assert "'jump'" in process.stderr
