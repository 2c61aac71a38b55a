from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import time
import uuid
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from functions.core.jobs.checkpoints import Checkpoint
from functions.core.jobs.job import Job
from functions.core.jobs.worker import Worker
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Registry
from functions.core.runtime.log import Log
from functions.core.serving.model_cache import ModelCache
from functions.core.storage.objects import Objects
from interface.operations import NO_UPLOADS
from tests.loop import versions
from tests.loop.running import MODEL, PREDICT, Running, csv_of
from tests.loop.test_training import CASES

PATH = f"/v2/models/{MODEL}/jobs"
SMALL, POISONED = 200, 5
PATIENCE_SECONDS = 2
"""How often it is looked whether a job has become a dead letter that should not."""
FATAL = {**CASES[0], "mean_radius": 2000.0}
"""A row that every version accepts, and on which `versions.brittle` fails."""


def status(running: Running, job: str) -> dict[str, Any]:
    return running.get(f"{PATH}/{job}")[2]


def over(running: Running, job: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        record = status(running, job)
        return record if record["status"] in ("done", "failed") else None

    return running.wait(look, f"job {job} to be over")


def send(running: Running, method: str, url: str, content: bytes = b"") -> tuple[int, bytes]:
    """Send a request to a URL that the API signed: it leads to the cloud itself, not through the API."""
    address = urlsplit(url)
    context = ssl.create_default_context(cafile=running.stack.cloud.certificate)
    connection = http.client.HTTPSConnection(address.netloc, timeout=30, context=context)
    try:
        connection.request(method, f"{address.path}?{address.query}", content)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def lines_of(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def here(name: str, content: bytes, onnx: bytes, called: str) -> dict[str, bytes]:
    """Return the results that an undisturbed worker gives for a job in this process, with one version under a name."""
    models, jobs = Objects.in_memory(), Objects.in_memory()
    version = versions.register(models.put, onnx)
    Live(models, MODEL).change(lambda pointer: promote_first(pointer, version, "here", 0.0))
    log = Log(level="ERROR")
    model_cache = ModelCache(Registry(models, MODEL), Live(models, MODEL), log, seconds=60)
    jobs.put(f"{MODEL}/in/{name}", content)
    Worker(jobs, {MODEL: model_cache}, log, attempts=2).work(f"{MODEL}/in/{name}")
    return {key: jobs.get(key).replace(version.encode(), called.encode()) for key in jobs.keys(f"{MODEL}/out")}


def test_a_file_larger_than_a_request_may_be_is_uploaded_by_a_signed_url_and_answered_row_by_row(
    running: Running,
) -> None:
    table = [CASES[n % len(CASES)] for n in range(4000)]
    table[1234] = {**table[1234], "mean_radius": -1}
    content = csv_of(table, list(CASES[0]))
    assert len(content) > 500_000
    done = over(running, uploaded(running, content))
    assert (done["status"], done["rows"], done["refused"]) == ("done", 4000, 1)
    answers = done["result"]["predictions"] if done["result"] else fetched(running, done)
    assert answers[1234]["error"]["errors"][0]["field"] == "mean_radius"
    _, _, directly = running.post(PREDICT, {"instances": CASES})
    for n in (0, 1, 1233, 1235, 3999):
        assert alike(answers[n], directly["predictions"][n % len(CASES)])


def test_a_file_of_several_parts_is_worked_on_by_several_copies_at_once(running: Running) -> None:
    running.put_live(running.register(versions.slow()))
    job = Job(model=MODEL, name="many.csv")
    before = {pid for pid in running.stack.workers("jobs") if killed(pid)}
    running.jobs.put(f"{MODEL}/in/{job.name}", csv_of([CASES[n % len(CASES)] for n in range(5000)], list(CASES[0])))
    (first, *_) = running.wait(lambda: {*running.stack.workers("jobs")} - before or None, "the first copy")
    running.wait(lambda: running.jobs.keys(job.continuation(2)) or None, "its word to the others")
    with held(first):
        plan = json.loads(running.jobs.get(job.plan))
        theirs = {number for number in range(1, len(plan["bounds"])) if number % plan["workers"] != 1}
        assert theirs
        running.wait(lambda: theirs <= parts_done(running, job) or None, "the parts of the other copies")
    done = over(running, job.name)
    assert (done["status"], done["rows"], done["refused"]) == ("done", 5000, 0)
    answers = [json.loads(line) for line in running.jobs.get(f"{MODEL}/out/{job.name}.jsonl").splitlines()]
    directly = running.post(f"/models/{MODEL}/predict", {"instances": CASES})[2]["predictions"]
    assert all(alike(answer, directly[n % len(CASES)]) for n, answer in enumerate(answers))


def parts_done(running: Running, job: Job) -> set[int]:
    found = (Checkpoint.of(key) for key in running.jobs.keys(f"{job.checkpoints}/"))
    return {one.number for one in found if one is not None}


@contextmanager
def held(pid: int) -> Generator[None]:
    """Stop a process for as long as the block lasts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def uploaded(running: Running, content: bytes) -> str:
    """Upload by a signed URL, or, on a cloud that signs nothing, to where the API says; return the job."""
    code, _, ticket = running.post(PATH, {"upload": "csv"})
    if code == 202:
        assert status(running, ticket["id"])["status"] == "waiting"
        assert send(running, ticket["upload"]["method"], ticket["upload"]["url"], content)[0] == 200
        return ticket["id"]
    assert (code, ticket["type"], f"below {MODEL}/in/" in ticket["error"]) == (400, NO_UPLOADS, True)
    name = f"{uuid.uuid4().hex}.csv"
    running.jobs.put(f"{MODEL}/in/{name}", content)
    return name


def fetched(running: Running, done: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the result, by a signed URL or from the store."""
    if "result_url" in done:
        return [json.loads(line) for line in send(running, "GET", done["result_url"])[1].splitlines()]
    return [json.loads(line) for line in running.jobs.get(done["result_key"]).splitlines()]


def alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two answers are the same: how many rows a model runs at once shows in the last digits."""
    same = pytest.approx(other["probabilities"], abs=1e-6)
    return one["label"] == other["label"] and one["probabilities"] == same


UNSIGNED = {"GCP": "the embedded GCP has no signBlob, so that nothing is signed there: docs/local.md"}


def test_a_signed_url_is_good_for_one_key_and_one_method(running: Running, request: pytest.FixtureRequest) -> None:
    gap = UNSIGNED.get(running.stack.cloud.title)
    request.applymarker(pytest.mark.xfail(gap is not None, reason=gap or "", strict=True))
    code, _, ticket = running.post(PATH, {"upload": "jsonl"})
    assert code == 202, ticket
    url = ticket["upload"]["url"]
    for method, other in (("GET", url), ("PUT", url.replace(ticket["id"], f"x{ticket['id']}")), ("PUT", url[:-4])):
        assert send(running, method, other, b"{}")[0] == 403
    assert not [key for key in running.jobs.keys(f"{MODEL}/in/") if ticket["id"] in key]


class Troubled:
    """One long job, begun by `slow`, whose worker is killed and whose version is replaced meanwhile.

    During it come two hundred small jobs, five of them poisoned: three on which the model fails, two
    that are no jobs. A slow machine may use up the attempts at another one, whose dead letter then comes
    back as a user would have it come back: by a redrive, after which the poisoned ones fail anew.
    """

    long = "long.jsonl"
    rows = tuple(CASES[n % len(CASES)] for n in range(5000))

    def __init__(self, running: Running) -> None:
        self.running = running
        self.dead_before = running.stack.dead_letters()
        self.patience_ends = time.monotonic()
        self.slow = running.register(versions.slow())
        self.swap(self.slow)
        running.jobs.put(f"{MODEL}/in/{self.long}", lines_of(self.rows))
        running.wait(lambda: self.patiently(self.checkpoints()), "the first checkpoint")
        self.killed = [pid for pid in running.stack.workers("jobs") if killed(pid)]
        assert f"{MODEL}/out/{self.long}.json" not in running.jobs.keys(f"{MODEL}/out/"), "it was done too soon"
        self.brittle = running.register(versions.brittle())
        self.swap(self.brittle)
        self.names = [f"small-{n}-{uuid.uuid4().hex}" for n in range(SMALL - POISONED)]
        for n, name in enumerate(self.names):
            body = json.dumps({"instances": [CASES[n % len(CASES)]]}).encode()
            running.jobs.put(f"{MODEL}/in/{name}", body)
            if n % 8 == 0 and n // 8 < POISONED:
                self.poison(n // 8)
        self.expected_results = [f"{MODEL}/out/{name}.json" for name in (*self.names, self.long)]
        running.wait(lambda: self.patiently(set(self.expected_results) <= self.results()), "every result")
        running.wait(lambda: self.patiently(self.new_dead_letters() == POISONED), "the dead letters")
        self.dead_letters = self.new_dead_letters()
        self.reasons = self._reasons()
        self.poisoned_status = status(running, "poison-2")
        self.directly = running.post(PREDICT, {"instances": CASES})[2]["predictions"]

    def poison(self, n: int) -> None:
        if n % 2:
            self.running.jobs.put(f"{MODEL}/in/poison/{n}", b"a folder is no job")
        else:
            self.running.jobs.put(f"{MODEL}/in/poison-{n}", json.dumps({"instances": [FATAL]}).encode())

    def swap(self, version: str) -> None:
        self.running.put_live(version)
        self.running.wait(lambda: self.running.answering() == version or None, f"{version} to answer")

    def checkpoints(self) -> list[str]:
        return [key for key in self.running.jobs.keys(f".work/{MODEL}/{self.long}/") if not key.endswith("job.json")]

    def results(self) -> set[str]:
        return set(self.running.jobs.keys(f"{MODEL}/out/"))

    def new_dead_letters(self) -> int:
        return self.running.stack.dead_letters() - self.dead_before

    def patiently(self, found: object) -> object | None:
        """Return what was found. Otherwise have every dead letter come back if one is of a job that is not poisoned.

        The reason of a poisoned one is written before its message becomes a dead letter.
        """
        if not found and time.monotonic() > self.patience_ends:
            if self.new_dead_letters() > len(self._reasons()):
                self.running.stack.redrive()
            self.patience_ends = time.monotonic() + PATIENCE_SECONDS
        return found or None

    def _reasons(self) -> dict[str, str]:
        """Return the reason of each poisoned job's dead letter, by the job's key."""
        dead_letters = [json.loads(self.running.jobs.get(key)) for key in self.running.jobs.keys(f"{MODEL}/dead/")]
        return {letter["key"]: letter["reason"] for letter in dead_letters if "/poison" in letter["key"]}


def killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def troubled(deployed: Running) -> Iterator[Troubled]:
    deployed.reset()
    yield Troubled(deployed)
    deployed.idle()


def logged(running: Running, event: str) -> list[dict[str, Any]]:
    lines = running.stack.logs("jobs", limit=100_000)
    return [entry for line in lines if line.startswith("{") for entry in documents(line) if entry["event"] == event]


def documents(line: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents of a line: copies can write between a document and its end of line."""
    at = 0
    while at < len(line):
        document, at = json.JSONDecoder().raw_decode(line, at)
        yield document


def test_of_two_hundred_jobs_with_five_poisoned_195_are_done_once_and_five_are_dead_letters(
    troubled: Troubled,
) -> None:
    running = troubled.running
    written = Counter(line["job"] for line in logged(running, "job") if line.get("written"))
    assert [written[name] for name in troubled.names] == [1] * (SMALL - POISONED)
    assert troubled.dead_letters == POISONED
    for n, name in enumerate(troubled.names):
        result = json.loads(running.jobs.get(f"{MODEL}/out/{name}.json"))
        assert result["version"] == troubled.brittle
        assert alike(result["predictions"][0], troubled.directly[n % len(CASES)])


def test_the_reason_of_every_dead_letter_is_kept(troubled: Troubled) -> None:
    reasons, reported = troubled.reasons, troubled.poisoned_status
    assert sorted(reasons) == [f"{MODEL}/in/poison-{n}" for n in (0, 2, 4)] + [f"{MODEL}/in/poison/{n}" for n in (1, 3)]
    for key, reason in reasons.items():
        assert ("NotAJob" if "poison/" in key else "ModelFailure") in reason
    assert (reported["status"], "the model fails on it" in reported["error"]["detail"]) == ("failed", True)


def test_a_long_job_whose_worker_is_killed_and_whose_version_is_replaced_ends_as_if_nothing_had_been(
    troubled: Troubled,
) -> None:
    running = troubled.running
    assert troubled.killed
    # What makes the version slow adds nothing to its answers, and would take this process as long as the stack.
    expected = here(troubled.long, lines_of(troubled.rows), versions.slow(rounds=0), troubled.slow)
    for key, content in expected.items():
        assert running.jobs.get(key) == content
    assert json.loads(expected[f"{MODEL}/out/{troubled.long}.json"])["version"] == troubled.slow
    assert running.jobs.keys(f".again/{MODEL}/{troubled.long}/"), "it was never out of time"
    record = status(running, troubled.long)
    assert (record["status"], record["rows"], record["refused"]) == ("done", len(troubled.rows), 0)


def test_dead_letters_come_back_by_one_command_and_their_jobs_are_done(troubled: Troubled) -> None:
    running = troubled.running
    troubled.swap(running.register(versions.right()))
    dead_letters = running.stack.dead_letters()
    assert running.stack.redrive() == dead_letters
    results = [f"{MODEL}/out/poison-{n}.json" for n in (0, 2, 4)]
    running.wait(lambda: set(results) <= troubled.results() or None, "what the model can do now")
    assert status(running, "poison-2")["status"] == "done"
    written = Counter(line["job"] for line in logged(running, "job") if line.get("written"))
    assert [written[f"poison-{n}"] for n in (0, 2, 4)] == [1, 1, 1]
