"""A release that waits for a person's word, by the commands that a person types, on a stack that is up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.core.storage import store_url
from functions.core.storage.objects import Objects
from tests.loop import versions
from tests.loop.running import MODEL, Running


@pytest.fixture
def dev(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Objects, Path]:
    """A stack of another cloud than the one that is up: the registry of its versions, and the file of its outputs."""
    scheme = {"s3": "gs", "gs": "s3"}[str(running.stack.outputs["data_url"]).partition("://")[0]]
    url, registry, known = f"{scheme}://dev-models", Objects.in_memory(), store_url.open_store
    outputs: Mapping[str, Any] = {**running.stack.outputs, "data_url": f"{scheme}://dev-data", "models_url": url}
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(outputs), encoding="utf-8")

    def opened(asked: str, **options: Any) -> Objects:
        return registry if asked == url else known(asked, **options)

    monkeypatch.setattr(store_url, "open_store", opened)
    return registry, file


def test_a_version_of_another_stack_waits_for_a_persons_word_and_is_released_or_ends_by_it(
    running: Running, dev: tuple[Objects, Path]
) -> None:
    champion = running.live()["champion"]
    good, bad = versions.register(dev[0].put, versions.right(c=0.6)), running.register(versions.right(c=0.7))
    with running.with_settings({"rollout": {"models": {MODEL: {"approval": True}}}}):
        to = ("--from-outputs", str(dev[1]), "--to-state", str(running.state), "--wait", "--json")
        promoted = running.sml("promote", f"{MODEL}@{good}", *to)
        waiting = promoted.document
        assert (promoted.code, waiting["status"], waiting["version"]) == (1, "awaiting_approval", good)
        assert waiting["origin"]["stack"] == "dev"
        rejected = running.release(bad)
        assert running.over(rejected)["status"] == "awaiting_approval"
        live = running.live()
        assert (live["champion"], live["challenger"]) == (champion, None)
        listed = [(one["version"], one["run"]) for one in running.sml("approvals", "--json").document]
        assert listed == [(good, waiting["run"]), (bad, rejected)]

        assert running.sml("reject", f"{MODEL}@{bad}", "--reason", "unfair").code == 0
        assert became(running, rejected, "refused")["cause"].endswith("unfair")
        said = running.sml("approve", f"{MODEL}@{good}", "--reason", "seen", "--json")
        assert (said.code, said.document["decision"], said.document["known_by"]) == (0, "approved", "login name")
        assert became(running, waiting["run"], "canary")["approval"]["reason"] == "seen"
        assert running.sml("withdraw", MODEL).code == 0
        became(running, waiting["run"], "rolled_back")
    told = [(entry["event"], entry["version"]) for entry in running.sml("history", MODEL, "--json").document]
    assert [("rolled_back", good), ("canary", good), ("approved", good), ("rejected", bad)] == told[:4]


def became(running: Running, run: str, state: str) -> Any:
    """Wait until a run is in a state, which may come after one in which it waited, and return its record."""

    def look() -> Any:
        record = json.loads(running.models.get(f"{MODEL}/runs/{run}/run.json"))
        return record if record["status"] == state else None

    return running.wait(look, f"run {run} to be {state}")
