"""A function more is a row of the table and a core module, on every cloud: seen in a copy of this project."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import nimbus
from tests.architecture import RULES
from tests.docs.console import commands
from tests.docs.page import blocks
from tests.functions import sales
from tests.functions.bench import csv
from tests.root import ROOT

pytestmark = pytest.mark.integration
STACKS = {"aws": "local", "gcp": "gcp-local"}
COUNTER = '''
"""Keep what each message says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.runtime.consumer import Consumer, Delivery
from interface import variables

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def counter(environment: Environment) -> Consumer[dict[str, Any]]:
    jobs = environment.store(variables.JOBS_URL)

    def work(message: dict[str, Any], delivery: Delivery) -> None:
        jobs.put_json(f"{message['model']}/counter/{message['id']}.json", message)

    return Consumer(work=work, log=environment.log())
'''
BEAT = '''
"""Note that it was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.runtime.step import Step
from interface import variables

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def beat(environment: Environment) -> Step:
    jobs = environment.store(variables.JOBS_URL)

    def act(payload: dict[str, str]) -> dict[str, str]:
        jobs.put_json(f"{payload['model']}/beats/last.json", payload)
        return {"status": "noted"}

    return Step(name="beat", act=act, log=environment.log())
'''
ROWS = """
    FunctionSpec(
        name="counter",
        entry="functions.core.jobs.counter:counter",
        trigger=Messages(),
        size=Size(memory_mb=128, timeout_seconds=10),
        copies=2,
        needs=(writes("jobs", "counter/"),),
        environment=(variables.JOBS_URL,),
        requirements="jobs",
    ),
    FunctionSpec(
        name="beat",
        entry="functions.core.registry.beat:beat",
        trigger=OnSchedule(cron="* * * * *", input={"model": "breast_cancer"}),
        size=Size(memory_mb=128, timeout_seconds=10),
        copies=1,
        needs=(writes("jobs", "beats/"),),
        environment=(variables.JOBS_URL,),
        requirements="jobs",
    ),
)
"""
TO_COME = 7
"""Days of each store that have no number yet."""
ROW = "island=Dream,bill_length_mm=50.7,bill_depth_mm=18.6,flipper_length_mm=193,body_mass_g=3650,sex=male"
USE = (
    f"ROW = {ROW!r}"
    + """
import json
import sys
import time
from pathlib import Path

from localcloud.commands.control import FILE, Control
from localcloud.commands.up import stack_commands
from localcloud.engine.stack import LocalStack
from tests.sml.called import called


def written(key):
    until = time.monotonic() + 120
    while True:
        try:
            return json.loads(jobs.get(key))
        except FileNotFoundError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def sml(*arguments):
    said = called(*arguments, state=state)
    assert said.code == 0, said
    told.append([" ".join(arguments), said.err + said.out])


state, told = Path(sys.argv[2]), []
with LocalStack(sys.argv[1], state=state, port=0) as stack, Control(state / FILE, stack_commands(stack)):
    stack.deploy()
    jobs = stack.store(stack.outputs["jobs_url"])
    stack.send("counter", [])
    sml("send", "counter", '{"model": "breast_cancer", "id": "m1"}')
    file = state / "note.txt"
    file.write_text("a note", encoding="utf-8")
    sml("put", "jobs", "breast_cancer/notes/1.txt", str(file))
    sml("upload", "penguins", "examples/penguins.csv", "--wait")
    sml("predict", "penguins", "examples/penguins.csv", "--limit", "3")
    sml("predict", "penguins", "--row", ROW)
    sml("upload", "sales", "sales.csv", "--wait")
    sml("predict", "sales", "sales.csv", "--json")
    found = {
        "message": written("breast_cancer/counter/m1.json"),
        "beat": written("breast_cancer/beats/last.json"),
        "put": jobs.get("breast_cancer/notes/1.txt").decode(),
        "waiting": stack.dead_letters("counter"),
        "refused": [line for line in stack.logs("counter") if "message failed" in line],
    }
    sml("logs", "counter", "--lines", "20")
print(json.dumps({**found, "told": told}))
"""
)
"""Deploy, send two messages of which one is no JSON object, train new models, and wait for the next full minute."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with two functions more: for each a row, and a module."""
    root = nimbus.copied(tmp_path_factory.mktemp("more"), compiled=True)
    (root / "functions/core/jobs/counter.py").write_text(COUNTER, encoding="utf-8")
    (root / "functions/core/registry/beat.py").write_text(BEAT, encoding="utf-8")
    table = root / "infra" / "function_table.py"
    text = table.read_text(encoding="utf-8")
    end = text.index("\n)\n", text.index("\nFUNCTIONS"))
    table.write_text(text[:end] + ROWS + text[end + len("\n)\n") :], encoding="utf-8")
    (root / ".local").mkdir()
    (root / "sales.csv").write_bytes(csv([*sales.rows(), *sales.to_come(TO_COME)], sales.HEADER))
    (root / "told.txt").write_text(_proposed(root, "penguins", "examples/penguins.csv"), encoding="utf-8")
    _proposed(root, "sales", "sales.csv", "--target", "sales", "--task", "forecasting")
    for kept in ("bundles", "gcp"):
        (ROOT / ".local" / kept).mkdir(exist_ok=True)
        (root / ".local" / kept).symlink_to(ROOT / ".local" / kept)
    return root


def _proposed(root: Path, model: str, table: str, *options: str) -> str:
    """Turn a table into a model of the copy, and return what is printed."""
    command = [sys.executable, "-m", "sml", "init", model, "--from", table, *options]
    environment = {**os.environ, "PYTHONPATH": str(root), "SML_TYPED": ".venv/bin/sml"}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def seen(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, dict[str, Any]]:
    """What came of it on each cloud; all of them at once, since each waits for a full minute."""
    emulators = {f"SERVERLESS_ML_EMULATOR_{name.upper()}": str(ROOT / ".local" / f"emulator-{name}") for name in STACKS}

    def use(cloud: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-c", USE, STACKS[cloud], str(tmp_path_factory.mktemp(cloud))],
            cwd=project,
            env={**os.environ, **emulators, "PYTHONPATH": str(project)},
            capture_output=True,
            text=True,
            check=False,
            timeout=420,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    with ThreadPoolExecutor() as pool:
        return dict(zip(STACKS, pool.map(use, STACKS), strict=True))


@pytest.mark.parametrize("cloud", STACKS)
def test_a_queue_function_and_a_scheduled_one_are_a_row_and_a_module_each(
    cloud: str, seen: Mapping[str, dict[str, Any]]
) -> None:
    assert seen[cloud]["message"] == {"model": "breast_cancer", "id": "m1"}
    assert seen[cloud]["beat"] == {"model": "breast_cancer"}
    assert "the message is not a JSON object" in seen[cloud]["refused"][0]
    assert seen[cloud]["put"] == "a note"
    # The message that is no JSON object becomes a dead letter once its attempts are used up, which may be by then.
    assert seen[cloud]["waiting"] in (0, 1)
    assert "the message is not a JSON object" in dict(seen[cloud]["told"])["logs counter --lines 20"]


@pytest.mark.parametrize("cloud", STACKS)
def test_a_table_becomes_a_model_that_predicts_as_the_first_page_shows_it(
    cloud: str, project: Path, seen: Mapping[str, dict[str, Any]]
) -> None:
    said = {"init penguins --from examples/penguins.csv": (project / "told.txt").read_text(encoding="utf-8")}
    said |= dict(seen[cloud]["told"])
    page = [block.text for block in blocks(ROOT / "docs" / "first-model.md") if block.language == "console"]
    shown = [one for text in page for one in commands(text) if one.output]
    assert len(shown) == 4
    for one in shown:
        assert alike(one.output) == alike(said[one.text.removeprefix(".venv/bin/sml ")]), one.text


@pytest.mark.parametrize("cloud", STACKS)
def test_a_table_of_series_becomes_a_model_that_forecasts_the_rows_to_come(
    cloud: str, seen: Mapping[str, dict[str, Any]]
) -> None:
    answers = json.loads(dict(seen[cloud]["told"])["predict sales sales.csv --json"])
    assert [(answer["day"], answer["store"]) for answer in answers] == [
        (day, store) for day, store, *_ in sales.to_come(TO_COME)
    ]
    assert all(20 < answer["value"] < 140 for answer in answers)


def alike(text: str) -> list[str]:
    """The lines without what differs by run and cloud: numbers, names, what is told only of what takes long."""
    lines = [re.sub(r"(s3|gs)://[\w-]+|\b(?=\w*\d)\w+(\.\d+)?\b", "#", line) for line in text.splitlines()]
    words = [" ".join(line.split()) for line in lines]
    passing = re.compile(r"experiments # of #$|prepare .* arrived and is being read")
    return [line for line in words if line and not passing.match(line)]


def test_the_settings_know_a_function_more_by_its_row(project: Path) -> None:
    code = (
        "from infra.settings import Settings\n"
        "found = {'cloud': 'aws', 'models': ['breast_cancer'], 'functions': {'counter': {'memory_mb': 512}}}\n"
        "size = Settings.parse(found, where='x').size('counter')\n"
        "print(size.memory_mb, size.timeout_seconds)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(project)},
    )  # fmt: skip
    assert done.stdout.split() == ["512", "10"]


def test_the_copy_breaks_no_rule_of_the_house(project: Path) -> None:
    assert {rule.__name__: problems for rule in RULES if (problems := rule(project))} == {}


def test_the_graph_of_the_copy_breaks_no_rule_on_any_cloud(project: Path) -> None:
    # That a new project has processors enough is promised of this table; with more functions a preview says what lacks.
    rules = "(keeps_every_rule or keeps_every_promise) and not processors_are_what_a_new_project_has"
    tests = ["tests/infra/test_rules.py", "tests/infra/test_every_cloud.py", "-k", rules]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", *tests], cwd=project, capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": str(project)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
