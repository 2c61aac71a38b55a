from __future__ import annotations

import http.client
import io
import json
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from localcloud.commands import demo_job
from localcloud.commands.demo_run import DemoFailed, DemoRun
from localcloud.commands.progress import Progress
from localcloud.commands.watch import WaitTimedOut
from localcloud.engine.cloud import CloudFailed
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.localcloud.staged import Staged

MODEL = "m"
CASES, LABELS = [{"x": 1.0}, {"x": 2.0}], ["a", "b"]


def demo_run(staged: Staged) -> DemoRun:
    return DemoRun(staged.stack, Progress(Console(file=io.StringIO())))


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (WaitTimedOut("waited 180 s for an execution"), "upload: waited 180 s for an execution"),
        (ConnectionRefusedError(111, "Connection refused"), "upload: .*Connection refused"),
        (http.client.IncompleteRead(b""), "upload: IncompleteRead"),
        (TimeoutError(), "upload: TimeoutError"),
    ],
)
def test_a_failed_step_is_reported_with_its_problem_and_the_clouds_log(problem: Exception, expected: str) -> None:
    shown = demo_run(Staged({}))
    with pytest.raises(DemoFailed, match=f"{expected}(.|\n)*the cloud's log: cloud.log"), shown.step("upload"):
        raise problem
    assert shown.steps == []


def test_a_mistake_in_the_program_keeps_its_trace_unless_the_cloud_has_died() -> None:
    with pytest.raises(ZeroDivisionError), demo_run(Staged({})).step("upload"):
        raise ZeroDivisionError
    with pytest.raises(CloudFailed, match="the cloud has died"), demo_run(Staged({}, dead=True)).step("upload"):
        raise ZeroDivisionError


@pytest.fixture
def job() -> Iterator[Callable[[Response], DemoRun]]:
    """Return a demo run whose API gives this response about every job."""
    servers: list[HttpServer] = []

    def demo(answer: Response) -> DemoRun:
        def answered(_: Request) -> Response:
            return answer

        servers.append(HttpServer(answered, limit=1000))
        url = f"{servers[-1].url}/jobs"
        return demo_run(
            Staged({"jobs_url": "memory://jobs", "models_url": "memory://", "models": {MODEL: {"jobs": url}}})
        )

    yield demo
    for server in servers:
        server.close()


@pytest.mark.parametrize("status", [403, 429, 503])
def test_an_api_that_refuses_ends_the_job_with_its_own_words(job: Callable[[Response], DemoRun], status: int) -> None:
    refusing = job(json_response(status, {"message": "not now"}))
    with pytest.raises(DemoFailed, match=f"job: http://.*/jobs/bulk.csv answered {status} .*not now"):
        demo_job.run(refusing, MODEL, CASES, LABELS)


def test_an_api_that_answers_no_json_ends_the_job_with_a_sentence(job: Callable[[Response], DemoRun]) -> None:
    with pytest.raises(DemoFailed, match="job: Expecting value"):
        demo_job.run(job(Response(200, [], b"<html>")), MODEL, CASES, LABELS)


def test_a_result_that_is_short_or_missing_is_said_to_be(job: Callable[[Response], DemoRun]) -> None:
    done = job(json_response(200, {"status": "done", "rows": demo_job.ROWS, "refused": 0, "version": "v"}))
    with pytest.raises(DemoFailed, match=r"job: memory://m/out/bulk\.csv\.jsonl"):
        demo_job.run(done, MODEL, CASES, LABELS)
    answers = [json.dumps({"label": LABELS[at % 2]}) for at in range(demo_job.ROWS)]
    store = done.stack.store("memory://jobs")
    store.put(f"{MODEL}/out/bulk.csv.jsonl", "\n".join(answers[:-2]).encode())
    with pytest.raises(DemoFailed, match=r"given 20,000 rows, and its result has 19,998"):
        demo_job.run(done, MODEL, CASES, LABELS)
    store.put(f"{MODEL}/out/bulk.csv.jsonl", "\n".join(answers).encode())
    demo_job.run(done, MODEL, CASES, LABELS)
    assert done.summary["job"]["right"] == 1


def test_answers_that_are_numbers_are_compared_by_how_far_they_are_off(job: Callable[[Response], DemoRun]) -> None:
    done = job(json_response(200, {"status": "done", "rows": demo_job.ROWS, "refused": 0, "version": "v"}))
    answers = [json.dumps({"value": 2.5 - at % 2}) for at in range(demo_job.ROWS)]
    done.stack.store("memory://jobs").put(f"{MODEL}/out/bulk.csv.jsonl", "\n".join(answers).encode())
    demo_job.run(done, MODEL, CASES, [2.0, 2.0])
    assert done.summary["job"]["mean_absolute_error"] == 0.5
