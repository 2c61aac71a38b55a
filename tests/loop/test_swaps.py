"""The pointer goes to and fro under load, and back by one command; no client notices."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from localcloud.commands.demo_files import MODEL as FINISHED
from localcloud.commands.holdings import OURSELVES, of_stack
from localcloud.commands.job_load import JobLoad
from localcloud.commands.mixed_load import MixedLoad, questions
from localcloud.commands.swaps import Load, Swaps
from localcloud.commands.watch import Watch
from localcloud.support import procfs
from tests.loop import versions
from tests.loop.running import MODEL, POINTER_SECONDS, Running
from tests.loop.test_jobs import over
from tests.loop.test_training import CASES

CLIENTS = 8
"""At once, so that more than one copy has to answer."""
PAUSE_SECONDS = 0.1
"""They begin together and rest alike, so that their requests come eight at once, and eighty in a second."""


def followed(running: Running, version: str) -> None:
    """Wait until every client of a round is answered by a version; a copy that does not follow answers for ever."""
    path = urlsplit(running.stack.outputs["models"][MODEL]["predict"]).path

    def answering_version(case: int) -> str | None:
        status, headers, _ = running.post(path, {"instances": [CASES[case % len(CASES)]]}, x_caller_id=f"caller-{case}")
        return headers["x-model-version"] if status == 200 else None

    def all_follow() -> bool | None:
        with ThreadPoolExecutor(CLIENTS) as clients:
            answered = set(clients.map(answering_version, range(4 * CLIENTS)))
        return answered - {None} == {version} or None

    running.wait(all_follow, f"every answer to be by {version}")


def test_no_client_notices_that_the_pointer_goes_to_and_fro_and_a_worker_is_killed(running: Running) -> None:
    two = (running.register(versions.right(c=0.001)), running.register(versions.right(c=5.0)))
    swaps = Swaps(
        running.stack,
        MODEL,
        CASES,
        two,
        pointer_seconds=POINTER_SECONDS,
        load=Load(clients=CLIENTS, pause_seconds=PAUSE_SECONDS),
        every_seconds=2,
    )
    figures = swaps.run(12)
    assert (figures.failed, figures.wrong) == ({}, [])
    assert set(figures.answers) == set(two)
    assert figures.distinct > len(CASES) / 2
    assert figures.swaps == 5
    assert figures.killed == 1
    assert figures.repeated <= 1
    assert figures.convincing
    assert running.live()["champion"] == two[1]
    followed(running, two[1])


def test_everything_that_the_api_answers_and_jobs_are_answered_at_once_and_no_process_is_overlooked(
    running: Running,
) -> None:
    running.wait(lambda: Watch(running.models, FINISHED).live() or None, f"{FINISHED} to be live")
    # Processes are named at the beginning, and then only now and then.
    first = f"first-{uuid.uuid4().hex}"
    running.jobs.put(f"{MODEL}/in/{first}", json.dumps({"instances": CASES[:1]}).encode())
    over(running, first)
    address = urlsplit(running.stack.outputs["endpoint"]).netloc
    load = MixedLoad(address, questions(MODEL, CASES, FINISHED), clients=4)
    jobs = JobLoad(running.stack, MODEL, CASES, known={}, rows=500)
    with of_stack(running.stack) as holdings, load, jobs:
        running.wait(lambda: load.complete or None, "an answer to every question")
    assert (load.figures.failed, load.figures.wrong, jobs.figures.failed) == ({}, [], {})
    assert load.convincing
    assert jobs.convincing
    names = {kind.name for kind in holdings.kinds}
    assert {"predict", "jobs", running.stack.cloud.emulator, OURSELVES} <= names or not procfs.available()


def test_one_command_brings_the_previous_champion_back_and_prints_how_long_that_took(running: Running) -> None:
    first, second = running.register(versions.right(c=0.002)), running.register(versions.right(c=4.0))
    running.put_live(first)
    running.put_live(second, previous=first)
    said = running.sml("rollback", MODEL, "--reason", "complaints", "--json")
    assert (said.code, said.document["champion"], said.document["before"]) == (0, first, second)
    followed(running, first)
    live = running.live()
    assert (live["champion"], live["previous"]) == (first, None)
    assert live["history"][-1]["event"] == "rolled_back"
    assert live["history"][-1]["reason"] == f"back to {first}: complaints"
    again, unknown = running.sml("rollback", MODEL), running.sml("rollback", "nobody")
    assert (again.code, again.err) == (1, f"sml: {MODEL}: there is no earlier version to go back to\n")
    assert (unknown.code, f"there are: {MODEL}, file_type" in unknown.err) == (1, True)
