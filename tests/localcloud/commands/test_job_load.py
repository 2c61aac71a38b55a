"""A load of jobs counts those of which each row was answered once, and says what is wrong with the others."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.commands import job_load as module
from localcloud.commands.job_load import JobLoad
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.localcloud.staged import Staged, StagedObjects

CASES = [{"x": float(n)} for n in range(3)]
ROWS = 8
Answers = list[dict[str, Any]]


class Worker(StagedObjects):
    """A jobs store whose jobs are done as soon as they are put: by default each row is answered by its double."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Callable[[Answers], Answers] = lambda answers: answers
        self.status: dict[str, Any] = {}

    def put(self, key: str, content: bytes | Path) -> None:
        super().put(key, content)
        rows = csv.DictReader(io.StringIO(self.held[key].decode()))
        answers = self.answers([{"double": 2 * float(row["x"])} for row in rows])
        self.held[f"{key.replace('/in/', '/out/')}.jsonl"] = b"\n".join(json.dumps(one).encode() for one in answers)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Staged, Worker]]:
    """A stack whose jobs are done at once; a load of which the next would be put much later."""
    monkeypatch.setattr(module, "EVERY_SECONDS", 600)
    worker = Worker()

    def answer(_: Request) -> Response:
        done = {"status": "done", "version": "v1", "rows": ROWS, "refused": 0}
        return json_response(200, {**done, **worker.status})

    with HttpServer(answer, limit=1000) as server:
        outputs = {"jobs_url": "memory://", "models": {"m": {"jobs": f"{server.url}/v2/models/m/jobs"}}}
        yield Staged(outputs, objects=worker), worker


def run(staged: Staged) -> JobLoad:
    predicted: dict[tuple[str, int], Any] = {("v1", case): [{"double": 2.0 * case}] for case in range(len(CASES) - 1)}
    with JobLoad(staged.stack, "m", CASES, known=predicted, rows=ROWS) as load:
        pass
    return load


def test_a_job_of_which_each_row_was_answered_once_is_done(staged: tuple[Staged, Worker]) -> None:
    load = run(staged[0])
    assert (load.convincing, load.figures.done, dict(load.figures.failed)) == (True, 1, {})
    assert len(staged[1].held["m/in/load-0.csv"].splitlines()) == 1 + ROWS


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (lambda answers: answers[:-1], "7 answers to 8 rows, 0 refused"),
        (lambda answers: [*answers, answers[0]], "9 answers to 8 rows, 0 refused"),
        (lambda answers: answers[::-1], "another answer of v1 about case 0"),
        (lambda answers: [*answers[:-1], {"error": {}}], "another answer of v1 about case 1"),
    ],
)
def test_a_row_that_is_missing_doubled_or_answered_otherwise_is_told(
    staged: tuple[Staged, Worker], answers: Callable[[Answers], Answers], said: str
) -> None:
    staged[1].answers = answers
    load = run(staged[0])
    assert not load.convincing
    assert next(iter(load.figures.failed)).startswith(said)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"refused": 1}, "8 answers to 8 rows, 1 refused"),
        ({"rows": 16}, "8 answers to 8 rows, 0 refused"),
        ({"status": "failed", "error": {"detail": "gone"}}, "job failed: gone"),
    ],
)
def test_what_a_jobs_status_says_is_compared_too(
    staged: tuple[Staged, Worker], status: dict[str, Any], said: str
) -> None:
    staged[1].status = status
    load = run(staged[0])
    assert (load.convincing, dict(load.figures.failed)) == (False, {said: 1})


def test_a_job_that_never_ends_is_given_up(staged: tuple[Staged, Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0)
    staged[1].status = {"status": "running"}
    assert dict(run(staged[0]).figures.failed) == {"no result within 0 s": 1}


def test_what_the_store_raises_is_raised_at_the_end(staged: tuple[Staged, Worker]) -> None:
    staged[1].broken = ConnectionError("away")
    with pytest.raises(ConnectionError, match="away"):
        run(staged[0])
