"""`sml tune` on a stack that is up: a copy of its predict function, held to its size, that goes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from localcloud.commands.up import facts
from localcloud.support.size_limits import available
from sml import clouds
from tests.loop import versions
from tests.loop.running import MODEL, Running


@pytest.mark.skipif(not available(), reason="Linux alone tells what another process has used")
def test_the_real_function_is_run_at_a_size_and_nothing_of_that_stays(running: Running, tmp_path: Path) -> None:
    running.put_live(running.register(versions.right()))
    captures = running.stack.store(running.stack.outputs["captures_url"])
    captured = captures.keys(f"{MODEL}/")
    page = tmp_path / "tune.html"
    told = running.sml("tune", MODEL, "--sizes", "1024", "--calls", "5", "--batch", "2000", "--json", "-o", str(page))
    assert told.code == 0, told.err
    [found] = told.document["sizes"]
    assert (found["memory_mb"], found["deployed"], found.get("problem"), found["pareto"]) == (1024, True, None, True)
    assert 0 <= found["p50_ms"] <= found["p95_ms"] < found["cold_ms"]
    assert min(found["usd_per_1000"], found["grams_per_1000"], found["batch_ms"]) > 0
    assert told.document["advice"] == "1,024 MB, as it is deployed, is best for balanced"
    assert page.read_bytes().startswith(b"<!doctype html>")
    # The copy is gone, and no judge may count what it was asked.
    assert captures.keys(f"{MODEL}/") == captured
    told_here = facts("here", running.stack.cloud.entrance, running.stack.outputs)
    certificate = told_here["certificate"] or ""
    way = clouds.Way(endpoint=told_here["endpoint"], options=told_here["options"], certificate=certificate)
    scheme = str(running.stack.outputs["data_url"]).partition("://")[0]
    assert clouds.trials(scheme, running.stack.outputs, "predict", way).leftovers() == []
