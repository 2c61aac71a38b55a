"""What happens in a stack is told once, in order, and with its reason."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console

from localcloud.commands import tell
from localcloud.commands.progress import Progress
from localcloud.commands.story import Facts
from localcloud.commands.tell import Teller
from localcloud.engine.events import MOST, Answered, Event, Events, Failed, Logged, Written
from localcloud.engine.stack import LocalStack
from localcloud.support.http_server import Request, Response
from sml.typed import Typed
from tests.localcloud.staged import StagedObjects

DATA, MODELS, JOBS = "s3://data", "s3://models", "s3://jobs"
FRAME = '  File "/x/work/models/m/training.py", line 7, in fit\n    boom()'
TRACE = f"Traceback (most recent call last):\n{FRAME}\nValueError: no"


@dataclass
class Told:
    """A stack of which a test says what happens, and the lines that are told of it."""

    objects: StagedObjects = field(default_factory=StagedObjects)
    happened: list[Event] = field(default_factory=list)
    dead: int = 0
    now: float = 0.0
    shown: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.outputs = {"data_url": DATA, "models_url": MODELS, "jobs_url": JOBS, "models": {"m": {}, "n": {}}}
        self.cloud = SimpleNamespace(events=self.taken, function="function")
        progress = Progress(Console(file=self.shown, soft_wrap=True, highlight=False))
        self.teller = Teller(cast("LocalStack", self), progress, Typed(program=".venv/bin/sml"), clock=lambda: self.now)

    def taken(self) -> list[Event]:
        events, self.happened = self.happened, []
        return events

    def store(self, _: str) -> StagedObjects:
        return self.objects

    def letters(self, function: str) -> Any:
        if function != "jobs":
            raise LookupError(function)
        return SimpleNamespace(count=lambda: self.dead)

    def of(self, _: str) -> list[Any]:
        resource = SimpleNamespace(id="train-function-abc", outputs={}, declared=SimpleNamespace(name="train-function"))
        return [resource]

    def write(self, key: str, document: object, url: str = MODELS) -> None:
        self.objects.put(key, json.dumps(document).encode())
        self.happened.append(Written(url=url, key=key))

    def lines(self) -> list[str]:
        """Return what is told of what happened since the last call."""
        self.teller.tell()
        text = self.shown.getvalue()
        self.shown.seek(0)
        self.shown.truncate()
        return [" ".join(line.split()) for line in text.splitlines()]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(tell, "facts_of", lambda _: Facts(metric="roc_auc", features=3))
    return Told()


def record(status: str, **more: Any) -> dict[str, Any]:
    facts = {"run": "r", "model": "m", "execution": "x", "source": "m/incoming/a.csv", "dataset": "0123456789"}
    return {**facts, "rows": 9, "rejected_rows": 1, "status": status, **more}


def experiment(number: int, mean: float) -> dict[str, Any]:
    score = {"roc_auc": {"mean": mean, "std": 0.01}}
    return {"status": "succeeded", "params": {"family": "tree", "depth": number}, "metrics": score, "execution": "x"}


def pointer(*entries: tuple[str, str, str]) -> dict[str, Any]:
    history = [
        {"revision": place, "event": event, "version": version, "run": "r", "reason": reason}
        for place, (event, version, reason) in enumerate(entries, start=1)
    ]
    return {"champion": "v1", "history": history}


def test_a_version_that_waits_for_a_person_is_told_with_what_to_type_and_goes_on_once_decided(told: Told) -> None:
    told.write("m/runs/r/run.json", record("awaiting_approval", version="v2", checks=[{"passed": True}]))
    [_, gate, asked] = told.lines()
    assert gate == "gate m: 1 of 1 checks passed"
    typed = "`.venv/bin/sml approve m@v2` or `.venv/bin/sml reject m@v2 --reason WHY`"
    assert asked == f"approval m@v2 waits for a person's word: {typed}"
    told.write("m/runs/r/run.json", record("registered", version="v2", checks=[{"passed": True}]) | {"execution": "y"})
    told.write(
        "m/live.json", pointer(("approved", "v2", "by ann (login name)"), ("canary", "v2", "10 % of the callers"))
    )
    assert told.lines() == ["approved m @ v2: by ann (login name)", "canary m @ v2: 10 % of the callers"]


def test_a_dataset_is_told_from_its_arrival_to_its_promotion(told: Told) -> None:
    told.happened.append(Written(url=DATA, key="m/incoming/a.csv"))
    assert told.lines() == ["upload a.csv -> data/m/incoming/"]
    told.now = 2.0
    told.write("m/runs/r/plan.json", {"experiments": [{}, {}]})
    told.write("m/runs/r/run.json", record("training"))
    assert told.lines() == ["prepare m: 9 rows, 1 rejected, 3 features, digest 01234567 2.0 s"]
    told.write("m/runs/r/experiments/e0.json", experiment(1, 0.9))
    assert told.lines() == ["experiment m: 1 of 2 tree, depth 1, ROC AUC 0.900 +- 0.010"]
    told.write("m/runs/r/experiments/e1.json", experiment(2, 0.8))
    told.write("m/runs/r/run.json", record("promoted", checks=[{"passed": True}]))
    told.write("m/live.json", pointer(("promoted", "v1", "the first")))
    told.now = 5.0
    assert told.lines() == [
        "experiment m: 2 of 2 tree, depth 2, ROC AUC 0.800 +- 0.010",
        "experiments m: 2 of 2 best: tree, ROC AUC 0.900 +- 0.010 3.0 s",
        "gate m: 1 of 1 checks passed",
        "promoted m @ v1 (before: none)",
    ]
    told.write("m/runs/r/run.json", record("promoted", checks=[{"passed": True}]))
    told.write("m/live.json", pointer(("promoted", "v1", "the first")))
    assert told.lines() == []


def test_each_step_of_a_canary_and_a_rollback_is_told_with_its_reason(told: Told) -> None:
    told.write("m/live.json", pointer(("promoted", "v1", "first"), ("canary", "v2", "10 % of the callers")))
    assert told.lines() == ["promoted m @ v1 (before: none)", "canary m @ v2: 10 % of the callers"]
    history = (("promoted", "v1", "first"), ("canary", "v2", "10 %"), ("advanced", "v2", "50 %: no errors"))
    told.write("m/live.json", pointer(*history, ("rolled_back", "v2", "3 errors of 20")))
    assert told.lines() == ["canary m @ v2: 50 %: no errors", "rolled back m @ v2: 3 errors of 20"]


@pytest.mark.parametrize(
    ("status", "more", "expected"),
    [
        ("rejected", {"cause": "no column b"}, ["rejected m: a.csv: no column b"]),
        ("failed", {"cause": "out of memory"}, ["failed m: a.csv: out of memory"]),
        ("failed", {"cause": "select: {not json"}, ["failed m: a.csv: select: {not json"]),
        ("superseded", {"cause": "newer data"}, ["superseded m: a.csv: newer data"]),
        (
            "refused",
            {"cause": "roc_auc is 0.5, bound 0.9", "checks": [{"passed": False}]},
            ["gate m: 0 of 1 checks passed", "refused m: a.csv: roc_auc is 0.5, bound 0.9"],
        ),
    ],
)
def test_a_run_that_ends_without_a_version_is_told_with_its_cause(
    told: Told, status: str, more: dict[str, Any], expected: list[str]
) -> None:
    told.write("m/runs/r/run.json", record(status, **more))
    assert [line for line in told.lines() if not line.startswith("prepare")] == expected


def test_the_same_file_once_more_is_told_to_change_nothing(told: Told) -> None:
    told.objects.put("m/runs/r/run.json", json.dumps(record("promoted")).encode())
    told.write(".executions/m/y.json", {"execution": "y", "run": "r"})
    assert told.lines() == ["unchanged m: the same was judged before, in run r: promoted"]


def test_a_training_that_waits_is_told_once_for_each_slot(told: Told) -> None:
    lines = []
    for hour in ("02", "02", "04"):
        schedule = {"slot": f"2026-12-01T{hour}:00:00+00:00", "deadline": "2026-12-01T06:00:00+00:00", "reason": "why"}
        told.write(".executions/m/x.json", {"execution": "x", "status": "scheduled", "schedule": schedule})
        lines += told.lines()
    told.write(".executions/m/z.json", {"execution": "z", "status": "scheduled", "schedule": "damaged"})
    assert [*lines, *told.lines()] == [
        f"scheduled m: until 2026-12-01 {hour}:00 UTC: why; at the latest 2026-12-01 06:00 UTC" for hour in ("02", "04")
    ]


def test_only_what_was_written_is_read(told: Told) -> None:
    for number in range(300):
        told.objects.put(f"m/runs/r{number}/run.json", b"read me, and this test fails")
    told.write("m/runs/r/run.json", record("failed", cause="why"))
    assert "failed m: a.csv: why" in told.lines()


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        (DATA, "m/a.csv", "s3://data/m/a.csv has no effect there; put it at s3://data/m/incoming/a.csv"),
        (JOBS, "n/a.csv", "s3://jobs/n/a.csv has no effect there; put it at s3://jobs/n/in/a.csv"),
        (
            DATA,
            "k/incoming/a.csv",
            "s3://data/k/incoming/a.csv: there is no model k in this stack; "
            "put it at s3://data/MODEL/incoming/a.csv, MODEL being one of: m, n",
        ),
        (
            DATA,
            "a.csv",
            "s3://data/a.csv: it is below no model's name; "
            "put it at s3://data/MODEL/incoming/a.csv, MODEL being one of: m, n",
        ),
    ],
)
def test_a_file_at_a_wrong_path_is_told_with_the_right_one(told: Told, url: str, key: str, expected: str) -> None:
    told.happened.append(Written(url=url, key=key))
    assert told.lines() == [f"misplaced {expected}"]


@pytest.mark.parametrize(
    ("url", "key"),
    [(DATA, "m/datasets/0/data.npz"), (DATA, "m/"), (JOBS, "m/out/a"), (JOBS, ".work/m/a"), (MODELS, "m/versions/v/a")],
)
def test_what_functions_write_is_not_told(told: Told, url: str, key: str) -> None:
    told.happened.append(Written(url=url, key=key))
    assert told.lines() == []


def test_a_dead_letter_is_told_with_its_reason_and_what_brings_it_back(told: Told) -> None:
    told.write("m/dead/a.json", {"key": "m/in/a.csv", "reason": "OSError: gone"}, JOBS)
    assert told.lines() == []
    told.dead = 1
    again = "`.venv/bin/sml redrive jobs` brings it back"
    assert told.lines() == [f"dead letter jobs: m/in/a.csv: OSError: gone; 1 in its queue, {again}"]
    assert told.lines() == []


def test_an_error_of_a_function_is_told_once_with_the_file_and_the_line(told: Told) -> None:
    line = json.dumps({"level": "ERROR", "event": "experiment", "trace": TRACE})
    told.happened += [
        Logged(function="train-function-abc", line=line),
        Failed(function="train-function-abc", error="Runtime.HandlerError: no", trace=TRACE),
    ]
    assert told.lines() == ["failed train: experiment: ValueError: no (models/m/training.py:7)"]
    told.happened.append(Logged(function="train-function-abc", line=line))
    assert told.lines() == []
    told.now = tell.AGAIN_SECONDS
    told.happened.append(Failed(function="train-function-abc", error="functions.core.a.Bad: no", trace=""))
    assert told.lines() == ["failed train: Bad: no"]


def test_an_error_of_the_api_is_told_with_what_it_says(told: Told) -> None:
    for number in range(2):
        body = {"detail": f"something went wrong here; request 0a0a0a0a-0000-0000-0000-00000000000{number}"}
        told.happened.append(
            Answered(method="POST", path="/models/m/predict", status=500, body=json.dumps(body).encode())
        )
    (line,) = told.lines()
    assert line.startswith("API 500 POST /models/m/predict: something went wrong here; request 0a0a0a0a-")


def test_a_model_without_a_version_is_told_with_why_its_file_was_refused(told: Told) -> None:
    told.write("m/runs/r/run.json", record("refused", cause="answers as expected: request 0 differs", checks=[]))
    told.happened.append(
        Answered(method="POST", path="/v2/models/m/infer", status=503, body=b'{"error": "m has no version"}')
    )
    expected = "its newest file was refused: answers as expected: request 0 differs"
    assert told.lines()[-1] == f"API 503 POST /v2/models/m/infer: m has no version; {expected}"


def test_events_are_kept_until_they_are_taken_and_no_more_than_so_many() -> None:
    events = Events()
    for number in range(MOST + 1):
        events.add(Written(url=DATA, key=str(number)))
    taken = events.take()
    assert (len(taken), taken[0]) == (MOST, Written(url=DATA, key="1"))
    assert events.take() == []


@pytest.mark.parametrize(("status", "expected"), [(499, 0), (500, 1)])
def test_only_errors_of_the_server_are_events(status: int, expected: int) -> None:
    events = Events()
    events.answered(Request(method="GET", path="/v2?x=1", headers={}, body=b""), Response(status, [], b""))
    assert [event.path for event in events.take() if isinstance(event, Answered)] == ["/v2"] * expected


def test_a_damaged_record_is_told_once_and_what_happens_after_it_too(told: Told) -> None:
    for _ in range(2):
        told.write("m/runs/r/run.json", record("refused", checks=["x"]))
        told.write("m/incoming/b.csv", "x", DATA)
    lines = told.lines()
    assert len([line for line in lines if line.startswith("damaged a record that was written is not one")]) == 1
    assert "upload b.csv -> data/m/incoming/" in lines
    told.write("n/incoming/c.csv", "x", DATA)
    assert told.lines() == ["upload c.csv -> data/n/incoming/"]
