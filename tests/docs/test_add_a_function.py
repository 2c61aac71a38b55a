"""docs/add-a-function.md, walked: its modules and rows are all that every cloud needs to draw its functions."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.runtime.environment import Environment
from functions.core.runtime.log import Log
from functions.core.storage.store_url import open_store
from infra import clouds
from tests import nimbus
from tests.architecture import RULES
from tests.docs import added

DAY = 86_400
DRAW = """
import json
import sys

from infra import blueprint, clouds
from infra.function_table import FUNCTIONS
from infra.limits import verdicts
from infra.settings import Settings
from tests.graph import deploy
from tests.infra import sample

settings = Settings.parse({"cloud": sys.argv[1], "models": ["breast_cancer"]}, where="Pulumi.example.yaml")
archives = {spec.name: sample.archive(spec.name) for spec in FUNCTIONS}
graph = deploy(lambda: blueprint.draw(clouds.find(sys.argv[1]), settings, sample.PLATFORM, archives))
print(json.dumps({
    "places": graph.returned["functions"]["labels"] if graph.returned else None,
    "components": [f"{made.type.rpartition(':')[2]} {made.name}" for made in graph if made.component],
    "refused": [verdict.where for verdict in verdicts(settings, archives) if not verdict.passed],
}))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = nimbus.copied(tmp_path_factory.mktemp("added"), compiled=True)
    added.plant(root)
    return root


def test_the_page_keeps_every_rule(project: Path) -> None:
    assert [problem for rule in RULES for problem in rule(project)] == []


@pytest.mark.integration
@pytest.mark.parametrize("cloud", clouds.names())
def test_rows_and_modules_are_all_that_a_cloud_needs(project: Path, cloud: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRAW, cloud],
        cwd=project,
        env={"PYTHONPATH": str(project), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    drawn = json.loads(done.stdout.splitlines()[-1])
    assert {"Function labels", "Queue labels", "Function stale", "Schedule stale-on-time"} <= set(drawn["components"])
    assert drawn["refused"] == []
    assert set(drawn["places"]) == {"name", "logs", "queue", "dead_letters"}
    assert "labels" in drawn["places"]["queue"]


def composed(name: str, **values: str) -> Any:
    """What an entry of the page returns for these variables. Its log is discarded."""
    specs = [added.row(block) for block in added.python() if added.path_of(block) == added.TABLE]
    (spec,) = [spec for spec in specs if spec.name == name]
    with added.importable():
        made = added.entry(spec)(Environment(values))
    return dataclasses.replace(made, log=Log(stream=io.StringIO()))


def test_a_message_without_a_label_is_delivered_again(tmp_path: Path) -> None:
    consumer = composed("labels", CAPTURES_URL=f"file://{tmp_path}")
    assert not consumer.take("1", {"model": "breast_cancer", "request_id": "7f3a"}, dict)
    assert list(tmp_path.rglob("*.json")) == []


def test_only_models_that_nothing_has_changed_for_long_are_stale(tmp_path: Path) -> None:
    url, now = f"file://{tmp_path}", datetime.now(UTC).timestamp()
    store = open_store(url)
    for model, at in (("old", now - 31 * DAY), ("new", now)):
        Live(store, model).change(lambda pointer, at=at: promote_first(pointer, "v", "run", at))
    step = composed("stale", MODELS_URL=url, MODELS="old,new,never")
    assert step.run({"days": "30"}, None) == {"stale": ["old"]}
    assert step.run({"days": "32"}, None) == {"stale": []}
