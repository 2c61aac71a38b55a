"""A function more is a row of the table and a core module, on every cloud: seen in a copy of this project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import nimbus
from tests.architecture import RULES
from tests.root import ROOT

pytestmark = pytest.mark.integration
STACKS = {"aws": "local", "gcp": "gcp-local"}
TALLY = '''
"""Keep what each message says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.runtime.consumer import Consumer, Delivery
from interface import variables

if TYPE_CHECKING:
    from functions.core.runtime.environment import Environment


def tally(environment: Environment) -> Consumer[dict[str, Any]]:
    jobs = environment.store(variables.JOBS_URL)

    def work(message: dict[str, Any], delivery: Delivery) -> None:
        jobs.put_json(f"{message['model']}/tally/{message['id']}.json", message)

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
        name="tally",
        entry="functions.core.jobs.tally:tally",
        trigger=Messages(),
        size=Size(memory_mb=128, timeout_seconds=10),
        copies=2,
        needs=(writes("jobs", "tally/"),),
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
USE = """
import json
import sys
import time
from pathlib import Path

from localcloud.commands import logs, put, send
from localcloud.commands.control import FILE, Control
from localcloud.commands.progress import Progress
from localcloud.commands.up import stack_commands
from localcloud.engine.stack import LocalStack


def written(key):
    until = time.monotonic() + 120
    while True:
        try:
            return json.loads(jobs.get(key))
        except FileNotFoundError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


state, progress = Path(sys.argv[2]), Progress()
with LocalStack(sys.argv[1], state=state, port=0) as stack, Control(state / FILE, stack_commands(stack)):
    stack.deploy()
    jobs = stack.store(stack.outputs["jobs_url"])
    stack.send("tally", [])
    send.main(progress, state, "tally", '{"model": "breast_cancer", "id": "m1"}')
    file = state / "note.txt"
    file.write_text("a note", encoding="utf-8")
    put.main(progress, state, stack.outputs["jobs_url"], "breast_cancer/notes/1.txt", file)
    found = {
        "message": written("breast_cancer/tally/m1.json"),
        "beat": written("breast_cancer/beats/last.json"),
        "put": jobs.get("breast_cancer/notes/1.txt").decode(),
        "waiting": stack.dead_letters("tally"),
        "refused": [line for line in stack.logs("tally") if "message failed" in line],
    }
    logs.main(progress, state, "tally", 20)
print(json.dumps(found))
"""
"""Deploy, send two messages of which one is no JSON object, and wait for the next full minute."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with two functions more: for each a row, and a module."""
    root = nimbus.copied(tmp_path_factory.mktemp("more"))
    (root / "functions/core/jobs/tally.py").write_text(TALLY, encoding="utf-8")
    (root / "functions/core/registry/beat.py").write_text(BEAT, encoding="utf-8")
    table = root / "infra" / "function_table.py"
    text = table.read_text(encoding="utf-8")
    end = text.index("\n)\n", text.index("\nFUNCTIONS"))
    table.write_text(text[:end] + ROWS + text[end + len("\n)\n") :], encoding="utf-8")
    (root / ".local").mkdir()
    for kept in ("bundles", "gcp"):
        (ROOT / ".local" / kept).mkdir(exist_ok=True)
        (root / ".local" / kept).symlink_to(ROOT / ".local" / kept)
    return root


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
            timeout=280,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return {**json.loads(done.stdout.splitlines()[-1]), "printed": done.stdout.rpartition("\n{")[0]}

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
    assert "the message is not a JSON object" in seen[cloud]["printed"]


def test_the_settings_know_a_function_more_by_its_row(project: Path) -> None:
    code = (
        "from infra.settings import Settings\n"
        "found = {'cloud': 'aws', 'models': ['breast_cancer'], 'functions': {'tally': {'memory_mb': 512}}}\n"
        "size = Settings.parse(found, where='x').size('tally')\n"
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
    rules = "keeps_every_rule or keep_every_rule or keeps_every_promise or bring_your_own"
    tests = ["tests/infra", "-k", f"({rules}) and not processors_are_what_a_new_project_has"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", *tests], cwd=project, capture_output=True,
        text=True, check=False, env={**os.environ, "PYTHONPATH": str(project)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
