from __future__ import annotations

import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from localcloud.commands import swaps as module
from localcloud.commands.swaps import Figures, Load, Swaps, alike
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.localcloud.staged import Staged

TWO = ("one", "other")


def answer(version: str, x: float) -> list[Any]:
    """Return the prediction of a version: the two differ for an x over 1."""
    return [version if x > 1 else "same"]


@pytest.fixture
def staged() -> Iterator[Staged]:
    """A model whose API answers by the live version."""

    def answered(request: Request) -> Response:
        version = running.objects.document("m/live.json")["champion"]
        x = json.loads(request.body)["instances"][0]["x"]
        return json_response(
            200, {"predictions": answer(version, x)}, ("x-model-version", version), ("x-request-id", "r")
        )

    with HttpServer(answered, limit=10_000) as server:
        running = Staged({"models_url": "memory://", "models": {"m": {"predict": f"{server.url}/predict"}}})
        document = {"revision": 1, "champion": "before", "previous": None, "history": []}
        running.objects.put("m/live.json", json.dumps(document).encode())
        yield running


def swaps(staged: Staged, cases: int) -> Swaps:
    instances = [{"x": float(case)} for case in range(cases)]
    return Swaps(staged.stack, "m", instances, TWO, pointer_seconds=0, load=Load(clients=2), every_seconds=0.2)


def test_only_cases_that_both_versions_were_asked_about_are_compared(staged: Staged) -> None:
    swapping = swaps(staged, 5)
    for version, case in [("one", 0), ("other", 0), ("one", 2), ("other", 2), ("one", 3), ("other", 4)]:
        swapping._record(version, case, {"predictions": answer(version, case)}, 0.0)
    assert swapping._result().distinct == 1


@pytest.mark.integration
def test_swaps_end_with_what_the_clients_saw_and_a_worker_killed(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapping = swaps(staged, 4)

    def sleep(seconds: float) -> None:
        """Wait until 40 more answers came, however slow the machine is."""
        enough = swapping._figures.answers.total() + (40 if seconds else 0)
        while swapping._figures.answers.total() < enough:
            time.sleep(0.001)

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=sleep, monotonic=time.monotonic))
    with subprocess.Popen(["/bin/sleep", "60"]) as worker:
        staged.pids = [worker.pid]
        figures = swapping.run(0.6)
    assert (figures.swaps, figures.killed, figures.wrong, figures.failed) == (2, 1, [], {})
    assert set(figures.answers) == set(TWO)
    assert figures.distinct == 2
    assert figures.convincing


def test_a_store_that_fails_ends_the_clients_too(staged: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    before, swapping = set(threading.enumerate()), swaps(staged, 2)
    monkeypatch.setattr(swapping, "_kill", lambda: setattr(staged.objects, "broken", ConnectionError("away")))
    with pytest.raises(ConnectionError, match="away"):
        swapping.run(1)
    assert not [one for one in set(threading.enumerate()) - before if "_client" in one.name]


@pytest.mark.parametrize(
    "lacks",
    [
        {"killed": 0},
        {"distinct": 0},
        {"answers": Counter(one=2)},
        {"wrong": ["one about case 3: 4"]},
        {"failed": Counter({"HTTP 500": 1})},
    ],
)
def test_a_soak_that_shows_nothing_is_not_convincing(lacks: dict[str, Any]) -> None:
    whole: dict[str, Any] = {"answers": Counter(one=1, other=1), "distinct": 1, "killed": 1}
    assert Figures(**whole).convincing
    assert not Figures(**whole | lacks).convincing


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ([{"label": "a", "probabilities": {"a": 0.9000001}}], True),
        ([{"label": "b", "probabilities": {"a": 0.9}}], False),
        ([{"label": "a", "probabilities": {"a": 0.900002}}], False),
        ([{"label": "a", "probabilities": {"b": 0.9}}], False),
        ([], False),
    ],
)
def test_an_answer_is_the_same_to_within_what_other_callers_rows_change(other: list[Any], same: bool) -> None:
    assert alike([{"label": "a", "probabilities": {"a": 0.9}}], other) is same
