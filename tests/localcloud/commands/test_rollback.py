from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from localcloud.commands import rollback
from localcloud.commands.rollback import roll_back
from localcloud.engine.cloud import CloudFailed, State
from localcloud.support.http_server import HttpServer, Request, Response, json_response
from tests.localcloud.staged import Staged

LIVE = "m/live.json"


def entry(event: str, version: str, run: str) -> dict[str, str]:
    return {"event": event, "version": version, "run": run}


@pytest.fixture
def staged() -> Iterator[Staged]:
    """`new` is live and `old` was before; the API answers by the live version."""

    def answered(_: Request) -> Response:
        return json_response(200, {"versions": [running.objects.document(LIVE)["champion"]]})

    with HttpServer(answered, limit=1000) as server:
        running = Staged({"models_url": "memory://", "models": {"m": {"metadata": f"{server.url}/v2/models/m"}}})
        point(running, "new", "old")
        yield running


def point(staged: Staged, champion: str, previous: str | None, *history: Mapping[str, str]) -> None:
    document = {"champion": champion, "previous": previous, "history": history}
    staged.objects.put(LIVE, json.dumps(document).encode())


@pytest.mark.parametrize("execution", ["id-7", "arn:aws:states:eu-west-1:000000000000:execution:training:id-7"])
def test_a_release_that_promotes_meanwhile_is_not_taken_for_the_rollback(staged: Staged, execution: str) -> None:
    promoted, other = entry("promoted", "newest", "run"), entry("rolled_back", "newer", "id-6")
    looked = []

    def executions() -> dict[str, State]:
        looked.append(1)
        if len(looked) == 2:
            back = entry("rolled_back", "newest", "id-7")
            point(staged, "new", None, other, promoted, back)
        return {}

    def started(_: Mapping[str, Any]) -> str:
        point(staged, "newest", "new", other, promoted)
        return execution

    staged.started = started
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staged, "executions", executions)
        result = roll_back(staged.stack, "m", "complaints")
    assert (result["version"], result["before"]) == ("new", "newest")


def test_a_rollback_that_fails_or_times_out_is_reported_in_a_sentence(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged.states = {"one": State.FAILED}
    with pytest.raises(CloudFailed, match=r"^m: the rollback failed; the cloud's log: cloud\.log$"):
        roll_back(staged.stack, "m", "x")
    staged.states = {"one": State.RUNNING}
    monkeypatch.setattr(rollback, "PATIENCE_SECONDS", 0)
    with pytest.raises(CloudFailed, match=r"^m: waited 0 s for the rollback to be in the history; the cloud's log"):
        roll_back(staged.stack, "m", "x")


def test_without_anything_to_go_back_to_nothing_is_started(staged: Staged) -> None:
    def started(_: Mapping[str, Any]) -> str:
        raise AssertionError("it was started")

    staged.started = started
    point(staged, "new", None)
    with pytest.raises(CloudFailed, match="m: there is no earlier version"):
        roll_back(staged.stack, "m", "x")
    with pytest.raises(CloudFailed, match="there is no model n; served here: m"):
        roll_back(staged.stack, "n", "x")
    staged.outputs = {}
    with pytest.raises(CloudFailed, match="nothing is deployed yet in the stack local"):
        roll_back(staged.stack, "m", "x")
