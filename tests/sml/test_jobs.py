"""Jobs from the command line: what a script is told by the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.sml.staged import MODEL, Staged

LINES = [{"label": "a"}, {"error": {"status": 400}}]


@pytest.fixture
def job(staged: Staged) -> Iterator[dict[str, Any]]:
    """What the API says of the job `j1`, whatever is asked of it."""
    said: dict[str, Any] = {"id": "j1", "model": MODEL, "status": "done"}

    def answered(request: Request) -> Response:
        return json_response(200, said)

    with HttpServer(answered, limit=1_000_000) as server:
        staged.outputs["models"][MODEL]["jobs"] = f"{server.url}/jobs"
        yield said


@pytest.mark.integration
@pytest.mark.parametrize(
    ("facts", "code", "told"),
    [
        ({"rows": 2, "refused": 0}, 0, ""),
        ({}, 0, ""),
        ({"rows": 2, "refused": 1}, 5, "1 of 2 rows got an error"),
        ({"rows": 2, "refused": 2}, 6, "2 of 2 rows got an error"),
        ({"status": "failed", "error": {"detail": "no rows"}}, 1, ""),
        ({"status": "cancelled"}, 7, ""),
    ],
    ids=["all answered", "one request", "some refused", "all refused", "failed", "cancelled"],
)
def test_a_script_is_told_what_became_of_a_job_by_the_code(
    facts: dict[str, Any], code: int, told: str, staged: Staged, job: dict[str, Any]
) -> None:
    job |= facts
    said = staged.sml("job", "wait", MODEL, "j1")
    assert (said.code, said.err.strip()) == (code, told)


@pytest.mark.integration
def test_a_result_is_written_though_rows_of_it_were_refused(
    staged: Staged, job: dict[str, Any], tmp_path: Path
) -> None:
    job |= {"rows": 2, "refused": 1, "result": {"predictions": LINES}}
    for command in ("wait", "get"):
        said = staged.sml("job", command, MODEL, "j1", "-o", str(tmp_path / command))
        assert (said.code, len((tmp_path / command).read_bytes().splitlines())) == (5, 2)


@pytest.mark.integration
def test_a_job_is_shown_whatever_became_of_it_and_a_result_that_is_not_there_is_no_success(
    staged: Staged, job: dict[str, Any], tmp_path: Path
) -> None:
    job |= {"status": "running"}
    assert staged.sml("job", "get", MODEL, "j1").code == 0
    said = staged.sml("job", "get", MODEL, "j1", "-o", str(tmp_path / "none"))
    assert (said.code, said.err, (tmp_path / "none").exists()) == (
        1,
        "job j1 is running: it has no result yet\n",
        False,
    )


@pytest.mark.integration
def test_what_had_ended_was_not_cancelled(staged: Staged, job: dict[str, Any]) -> None:
    said = staged.sml("job", "cancel", MODEL, "j1")
    assert (said.code, said.err) == (1, "job j1 was done before it could be cancelled\n")
    job["status"] = "cancelled"
    assert staged.sml("job", "cancel", MODEL, "j1").code == 0
