"""A mistake in the function table is refused in one sentence, before anything is built or declared."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra import blueprint, clouds, function_checks, sources
from infra.deployable import require_adapters
from infra.findings import Findings
from infra.function_checks import require
from infra.function_spec import (
    LONGEST_NAME,
    FunctionSpec,
    Http,
    Messages,
    Needs,
    NewObjects,
    OnSchedule,
    Size,
    WorkflowStep,
    reads,
    writes,
)
from infra.function_table import FUNCTIONS, named
from infra.keys import Access, Keys
from infra.settings import Settings
from infra.tier import Tier
from infra.vocabulary import ArrivalArgs, Cloud, FunctionArgs, QueueArgs, ScheduleArgs, StoreArgs
from tests import nimbus
from tests.graph import deploy
from tests.infra import sample
from tests.root import ROOT

SIZE = Size(memory_mb=256, timeout_seconds=10)
ROW = FunctionSpec(
    name="labels",
    entry="functions.core.labels:labels",
    trigger=Messages(),
    size=SIZE,
    copies=2,
    needs=(writes("captures", "labels/"),),
    environment=("CAPTURES_URL",),
    requirements="rollout",
)
MODULE = """
def labels(environment) -> Consumer[dict[str, Any]]: ...
def keys(environment) -> "Consumer[str]": ...
def either(environment) -> consumer.Consumer: ...
def step(environment) -> Step: ...
def untold(environment): ...
def ours(environment) -> Labels: ...
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with the module of the row, the entries and the locks."""
    tree = tmp_path_factory.mktemp("tree")
    for spec in FUNCTIONS:
        path = sources.ROOT.joinpath(*spec.entry.partition(":")[0].split(".")).with_suffix(".py")
        nimbus.plant(tree, {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")})
        nimbus.plant(
            tree, {f"functions/requirements/{spec.lock}.txt": "", f"functions/requirements/gcp/{spec.lock}.txt": ""}
        )
    nimbus.plant(tree, {"functions/core/labels.py": MODULE, "functions/core/half.py": "x = 1\ndef labels(:\n"})
    return tree


def refusal(root: Path, *rows: FunctionSpec) -> str:
    with pytest.raises(pulumi.RunError) as refused:
        require((*FUNCTIONS, *rows), root)
    return str(refused.value)


def arrival(**changes: Any) -> NewObjects:
    fields: dict[str, Any] = {"store": "jobs", "prefixes": ("notes/",), "arrival": "notes", **changes}
    return NewObjects(**fields)


def needs(**changes: Any) -> tuple[Needs, ...]:
    fields: dict[str, Any] = {"store": "captures", "access": Access.READ, "prefixes": ("notes/",), **changes}
    return (Needs(**fields),)


def sized(**changes: Any) -> Any:
    return {**SIZE, **changes}


def on_time(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"cron": "0 6 * * *", "input": {"days": "30"}, **changes}
    return {"entry": "functions.core.labels:step", "trigger": OnSchedule(**fields)}


KEYS = "functions.core.labels:keys"
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown store": (
        {"needs": needs(store="model")},
        "needs[0].store: 'model' is not a store; accepted: data, models, jobs, captures",
    ),
    "store of the code": (
        {"needs": (*ROW.needs, *needs(store="code"))},
        "needs[1].store: 'code' is not a store; accepted: data, ",
    ),
    **{
        f"{store} announces nothing": (
            {"entry": KEYS, "trigger": arrival(store=store)},
            f"trigger.store: {store!r} is not a store that announces objects; accepted: data, jobs",
        )
        for store in ("captures", "models", "code", "bucket")
    },
    "unknown access": (
        {"needs": needs(access="delete")},
        "needs[0].access: 'delete' is not known; accepted: read, write",
    ),
    "needs without a comma": (
        {"needs": needs()[0]},
        "needs: Needs(store='captures', access=<Access.READ: 'read'>, prefixes=('notes/',)) is not a"
        " tuple of needs; accepted: as in (reads(...), writes(...))",
    ),
    "prefix without a comma": (
        {"needs": needs(prefixes="notes/")},
        "needs[0].prefixes: 'notes/' is not a tuple; accepted: as in ('notes/',)",
    ),
    "no prefix": (
        {"needs": (reads("models"),)},
        'needs[0].prefixes: there is none; accepted: one or more as in "labels/", or "" for everything of a model',
    ),
    "prefix twice": (
        {"needs": needs(prefixes=("a/", "a/"))},
        "needs[0].prefixes: 'a/' is there twice; accepted: each prefix once",
    ),
    "prefix below another": (
        {"needs": needs(prefixes=("a/", "a/b/"))},
        "needs[0].prefixes: 'a/b/' lies below 'a/'; accepted: prefixes none of which holds another",
    ),
    "prefix below all": (
        {"needs": needs(prefixes=("", "a/"))},
        "needs[0].prefixes: 'a/' lies below ''; accepted: ",
    ),
    "prefix without a slash": (
        {"needs": needs(prefixes=("notes",))},
        "needs[0].prefixes: 'notes' holds for every key that begins so, as 'notesx/'; accepted:"
        " 'notes/', or an object's name with its suffix",
    ),
    **{
        f"prefix {prefix!r}": (
            {"entry": KEYS, "trigger": arrival(prefixes=(prefix,))},
            f"trigger.prefixes: {prefix!r} is not a prefix; accepted: letters, digits and _ . - between single slashes",
        )
        for prefix in ("in/*", "my notes/", "/notes/", "a//b/", " ", None)
    },
    "arrival without a prefix": (
        {"entry": KEYS, "trigger": arrival(prefixes=())},
        "trigger.prefixes: there is none; accepted: ",
    ),
    "arrival's prefixes as a text": (
        {"entry": KEYS, "trigger": arrival(prefixes="notes/")},
        "trigger.prefixes: 'notes/' is not a tuple; accepted: as in ('notes/',)",
    ),
    "arrival of the workflow": (
        {"entry": KEYS, "trigger": arrival(arrival="datasets")},
        "trigger.arrival: the training workflow has 'datasets'; accepted: another name",
    ),
    "arrival of another row": (
        {"entry": KEYS, "trigger": arrival(arrival="submissions")},
        "trigger.arrival: jobs has 'submissions'; accepted: another name",
    ),
    "arrival without a name": (
        {"entry": KEYS, "trigger": arrival(arrival="")},
        "trigger.arrival: '' is not a name that every cloud takes; accepted: lower-case ",
    ),
    "cron of four fields": (on_time(cron="0 6 * *"), "trigger.cron: five fields are needed, found 4: "),
    "cron out of range": (
        on_time(cron="60 6 * * *"),
        "trigger.cron: minute: 60 is not a number from 0 to 59; accepted: five fields, UTC",
    ),
    "cron that is never due": (
        on_time(cron="0 6 31 2 *"),
        "trigger.cron: day of month: 31 is in no month of 2: it would never be due; accepted: ",
    ),
    "cron that is no text": (on_time(cron=6), "trigger.cron: 6 is not a text; accepted: "),
    "input that JSON has not": (
        on_time(input={"days": {1}}),
        "trigger.input: Object of type set is not JSON serializable; accepted: what a JSON object can hold",
    ),
    "input that is no object": (
        on_time(input=["days"]),
        'trigger.input: [\'days\'] is not a JSON object; accepted: as in {"days": "30"}',
    ),
    "input with a number as key": (
        on_time(input={1: "a"}),
        "trigger.input: {1: 'a'} is not a JSON object; accepted: ",
    ),
    "lock that is not there": (
        {"requirements": "rolout"},
        "requirements: functions/requirements/rolout.txt is no lock of every cloud; accepted: jobs,"
        " predict, prepare, rollout, select, supervise, train, or another one that `make lock` has written",
    ),
    "lock of one cloud": (
        {"requirements": "gcp/rollout"},
        "requirements: functions/requirements/gcp/rollout.txt is no lock of every cloud; accepted: jobs, ",
    ),
    "lock of its own": (
        {"requirements": ""},
        "requirements (by the row's own name): functions/requirements/labels.txt is no lock",
    ),
    "memory out of range": (
        {"size": sized(memory_mb=64)},
        "size.memory_mb: 64 is not accepted; accepted: a whole number from 128 to 10,240",
    ),
    "timeout out of range": (
        {"size": sized(timeout_seconds=901)},
        "size.timeout_seconds: 901 is not accepted; accepted: a whole number from 3 to 900",
    ),
    "no copies": (
        {"size": sized(concurrency=0)},
        "size.concurrency: 0 is not accepted; accepted: a whole number from 1 to 1,000",
    ),
    "copies that are none": ({"copies": 0}, "copies: 0 is not accepted; accepted: a whole number from 1 to 1,000"),
    "memory as a text": ({"size": sized(memory_mb="512")}, "size.memory_mb: '512' is not accepted; "),
    "unknown figure": (
        {"size": sized(timeout=3)},
        "size.timeout: there is no such figure; did you mean timeout_seconds?; accepted: memory_mb,"
        " timeout_seconds, concurrency",
    ),
    "missing figure": (
        {"size": {"memory_mb": 512}},
        "size.timeout_seconds: is missing; accepted: a whole number from 3 to 900",
    ),
    "no size": (
        {"size": None},
        "size: None is not a size; accepted: Size(memory_mb=..., timeout_seconds=..., concurrency=...)",
    ),
    "no trigger": (
        {"trigger": None},
        "trigger: None is not a trigger; accepted: one of Http(...), WorkflowStep(...),"
        " NewObjects(...), Messages(...), OnSchedule(...)",
    ),
    "trigger in a tuple": (
        {"trigger": (Messages(),)},
        "trigger: (Messages(),) is not a trigger; accepted: one of Http(...), ",
    ),
    "trigger without brackets": (
        {"trigger": Messages},
        "trigger: the class Messages is not a trigger; accepted: one of Http(...), ",
    ),
    "second function of the API": (
        {"trigger": Http(), "entry": "functions.core.labels:untold"},
        "trigger: Http() is for the row predict alone, which has no other trigger",
    ),
    **{
        f"entry {entry!r}": (
            {"entry": entry},
            f"entry: {entry!r} does not name a function; accepted: module:function of a module in functions/, ",
        )
        for entry in (
            "functions.core.labels",
            "",
            "../x:y",
            "infra.bundle:main",
            "os:getenv",
            "functions.core.labels:",
            None,
        )
    },
    "entry in no file": (
        {"entry": "functions.core.lables:labels"},
        "entry: 'functions.core.lables:labels': functions/core/lables.py does not exist; accepted: ",
    ),
    "entry that the file has not": (
        {"entry": "functions.core.labels:lables"},
        "entry: 'functions.core.labels:lables': functions/core/labels.py has no function lables; there"
        " are: labels, keys, either, step, untold, ours",
    ),
    "step for messages": (
        {"entry": "functions.core.labels:step"},
        "entry: 'functions.core.labels:step' composes a Step, and Messages() calls a Consumer[dict[str,"
        " Any]]; accepted: an entry that returns one, or another trigger",
    ),
    "keys for messages": (
        {"entry": KEYS},
        "entry: 'functions.core.labels:keys' composes a Consumer[str], and Messages() calls a"
        " Consumer[dict[str, Any]]; ",
    ),
    "messages for new objects": (
        {"trigger": arrival()},
        "entry: 'functions.core.labels:labels' composes a Consumer[dict[str, Any]], and NewObjects()"
        " calls a Consumer[str]; ",
    ),
    "messages for a schedule": (
        {"trigger": OnSchedule(cron="0 6 * * *")},
        "entry: 'functions.core.labels:labels' composes a Consumer[dict[str, Any]], and OnSchedule() calls a Step; ",
    ),
    "step that nothing calls": (
        {"entry": "functions.core.labels:step", "trigger": WorkflowStep()},
        "trigger: no step of infra/workflow.py calls it; accepted: such a step, or another trigger",
    ),
    "variable twice": (
        {"environment": ("JOBS_URL", "JOBS_URL")},
        "environment: JOBS_URL is there twice; accepted: each variable once",
    ),
    "variable without a value": (
        {"environment": ("JOBS_URLS",)},
        "environment: JOBS_URLS has no value in infra/environment.py; accepted: APPROVAL, ATTEMPTS, ",
    ),
    "variables as a text": (
        {"environment": "JOBS_URL"},
        "environment: 'JOBS_URL' is not a tuple; accepted: as in (variables.DATA_URL,)",
    ),
    **{
        f"variable {name}": ({"environment": (name,)}, f"environment: {name} is kept by a cloud for itself; accepted: ")
        for name in ("AWS_REGION", "LAMBDA_TASK_ROOT", "_HANDLER", "K_SERVICE", "PORT", "PYTHONPATH", "FUNCTION_TARGET")
    },
    **{
        f"variable {name}": ({"environment": (name,)}, f"environment: {name} is set by the program itself; accepted: ")
        for name in ("LOG_LEVEL", "OMP_NUM_THREADS", "OPENBLAS_CORETYPE")
    },
}


@pytest.mark.parametrize(("changes", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_row_is_refused_in_one_sentence(changes: dict[str, Any], expected: str, root: Path) -> None:
    message = refusal(root, replace(ROW, **changes))
    assert message.startswith(f"infra/function_table.py: labels: {expected}")
    assert "\n" not in message


@pytest.mark.parametrize(
    "name", ["", "Labels", "my_labels", "1st", "-a", "a-", "a--b", "a b", "ä", None, "x" * (LONGEST_NAME + 1)]
)
def test_a_name_that_a_cloud_does_not_take_is_refused(name: Any, root: Path) -> None:
    expected = f"name: {name!r} is not a name that every cloud takes; accepted: lower-case letters, digits and single "
    assert expected in refusal(root, replace(ROW, name=name, requirements="rollout"))


def test_a_name_that_a_model_may_get_is_refused(root: Path) -> None:
    assert "labels" not in (message := refusal(root, replace(ROW, name="predict-one")))
    assert "predict-one: name: predict-... is kept for models" in message


def test_two_rows_of_one_name_are_refused(root: Path) -> None:
    expected = "infra/function_table.py: labels: name: 2 rows have it; accepted: a name of its own for each"
    assert refusal(root, ROW, ROW) == expected


@pytest.mark.parametrize("name", ["predict", "jobs"])
def test_the_rows_that_the_api_needs_are_not_left_out(name: str) -> None:
    left = [spec for spec in FUNCTIONS if spec.name != name]
    with pytest.raises(pulumi.RunError, match=f"function_table.py: {name}: the row is missing, which the API needs"):
        require(left)


def test_the_queue_of_jobs_is_not_given_up() -> None:
    rows = [replace(spec, trigger=WorkflowStep()) if spec.name == "jobs" else spec for spec in FUNCTIONS]
    found = list(function_checks.problems(rows))
    assert "jobs: trigger: the jobs of the API wait in its queue; accepted: NewObjects(...)" in found


def test_a_step_that_calls_no_row_is_named() -> None:
    with pytest.raises(pulumi.RunError) as refused:
        require([spec for spec in FUNCTIONS if spec.name != "train"])
    assert str(refused.value) == (
        "infra/function_table.py: infra/workflow.py: step experiments: no row with WorkflowStep() is called train;"
        " accepted: prepare, select, rollout"
    )


def test_what_a_row_may_say_is_accepted(root: Path) -> None:
    whole = needs(store="captures", prefixes=("",))
    for changes in (
        {},
        {"name": "x" * LONGEST_NAME},
        {"size": sized(concurrency=2)},
        {"name": "label-report-2"},
        {"needs": whole},
        {"needs": (reads("models", "live.json", "versions/"),)},
        {"entry": KEYS, "trigger": arrival()},
        {"entry": "functions.core.labels:either", "trigger": arrival()},
        {"entry": "functions.core.labels:either"},
        {"entry": "functions.core.labels:untold"},
        {"entry": "functions.core.labels:ours"},
        on_time(cron="0 6 29 2 *"),
        on_time(input={}),
        on_time(input={"days": 30, "deep": {"er": [None, 1.5, True]}}),
    ):
        require((*FUNCTIONS, replace(ROW, **changes)), root)


def test_an_entry_that_is_no_python_is_named_with_its_line(root: Path) -> None:
    message = refusal(root, replace(ROW, entry="functions.core.half:labels"))
    assert message.endswith("functions/core/half.py:2: invalid syntax")


# The longest name -------------------------------------------------------------------------------

ADDED_BY_PULUMI = len("-1234567")
NAMED: dict[str, int] = {
    "aws:lambda/function:Function": 64,
    "aws:iam/role:Role": 64,
    "aws:sqs/queue:Queue": 80,
    "aws:scheduler/schedule:Schedule": 64,
    "gcp:cloudfunctionsv2/function:Function": 49,
    "gcp:serviceaccount/account:Account": 30,
    "gcp:pubsub/topic:Topic": 255,
    "gcp:pubsub/subscription:Subscription": 255,
    "gcp:cloudscheduler/job:Job": 500,
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": 100,
    "gcp:logging/projectSink:ProjectSink": 100,
    "gcp:logging/projectExclusion:ProjectExclusion": 100,
}
"""The most characters of a name, by type, where Pulumi makes the name up."""


@pytest.mark.parametrize("cloud", clouds.names())
def test_the_longest_name_fits_with_all_that_a_cloud_adds(cloud: str) -> None:
    name, words = "x" * LONGEST_NAME, clouds.find(cloud)
    graph = deploy(lambda: _declared(words, name))
    checked = [resource for resource in graph if resource.type in NAMED]
    assert {"Function", "Queue" if cloud == "aws" else "Topic"} <= {one.type.rpartition(":")[2] for one in checked}
    long = {
        f"{resource.type} {resource.name}"
        for resource in checked
        if len(resource.name) + ADDED_BY_PULUMI > NAMED[resource.type]
    }
    assert long == set()
    assert all(len(rule.inputs.get("name", "")) <= 64 for rule in graph.of("aws:cloudwatch/eventRule:EventRule"))


def _declared(cloud: Cloud, name: str) -> None:
    """Declare a queue function and a scheduled one of a name, as the blueprint does."""
    code = cloud.store("code", StoreArgs())
    data = cloud.store("data", StoreArgs(announces=True))
    keys = Keys(models=("a",), prefixes=("in/",))
    queue = cloud.queue(name, QueueArgs(consumer_timeout_seconds=60, attempts=5, keys=keys))
    args = FunctionArgs(
        archive=sample.archive("jobs"), code=code, platform=sample.PLATFORM, memory_mb=512, timeout_seconds=60,
        concurrency=2, environment={}, grants=(), log_days=30, signs=True,
    )  # fmt: skip
    called = cloud.function(name, args)
    cloud.function(f"{name[:-1]}y", replace(args, consumes=queue))
    cloud.arrival(name, ArrivalArgs(store=data, keys=keys, target=queue))
    cloud.schedule(f"{name}-on-time", ScheduleArgs(cron="0 6 * * *", target=called, input={}))


# Adapters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cloud", clouds.of(Tier.DEPLOYABLE))
def test_a_trigger_without_an_adapter_is_refused_whatever_the_tier_promises(cloud: str, tmp_path: Path) -> None:
    words, adapters = clouds.find(cloud), f"functions/adapters/{cloud}"
    require_adapters(words, FUNCTIONS)
    names = {"http": "handler", "step": "handler", "queue": "new_objects", "stop": "demands"}
    nimbus.plant(tmp_path, {f"{adapters}/{name}.py": f"def {adapt}(): ...\n" for name, adapt in names.items()})
    require_adapters(words, FUNCTIONS, tmp_path)
    with pytest.raises(pulumi.RunError) as refused:
        require_adapters(words, (*FUNCTIONS, ROW), tmp_path)
    assert str(refused.value).startswith(
        f"infra/function_table.py: labels: trigger: Messages has no adapter on {cloud}:"
        f" {adapters}/queue.py has no function messages; accepted: "
    )
    (tmp_path / adapters / "queue.py").unlink()
    with pytest.raises(pulumi.RunError, match=r"labels: trigger: Messages has no adapter .*queue\.py is missing;"):
        require_adapters(words, (ROW,), tmp_path)


def test_the_program_refuses_it_before_an_archive_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a preview, too: the archive would be packed without its adapter."""
    monkeypatch.setattr(Messages, "adapter", "stream.handler")
    monkeypatch.setattr(blueprint, "FUNCTIONS", (ROW,))
    monkeypatch.setattr(blueprint.pulumi.runtime, "is_dry_run", lambda: True)
    parsed = Settings.parse({"cloud": "gcp", "models": ["breast_cancer"]}, where="")
    with pytest.raises(pulumi.RunError, match=r"Messages has no adapter on gcp: .*/gcp/stream\.py is missing"):
        blueprint.build(clouds.find("gcp"), parsed)


# Everywhere it is read --------------------------------------------------------------------------

UP = (
    "import pulumi\n"
    "from localcloud.engine.program import evaluate\n"
    "from localcloud.engine.recorder import Recorder\n"
    "from localcloud.engine.stack_file import ROOT, StackFile\n"
    "try:\n"
    "    evaluate(StackFile.read('dev'), Recorder(), ROOT / 'infra')\n"
    "except pulumi.RunError as refusal:\n"
    "    raise SystemExit(str(refusal))\n"
)


@pytest.mark.integration
def test_every_command_refuses_the_table_in_the_same_sentence(tmp_path: Path) -> None:
    root = nimbus.copied(tmp_path / "copy", compiled=True)
    table = root / "infra" / "function_table.py"
    text = table.read_text(encoding="utf-8")
    assert text.count("memory_mb=3008") == 1
    table.write_text(text.replace("memory_mb=3008", "memory_mb=99_999"), encoding="utf-8")
    expected = (
        "infra/function_table.py: train: size.memory_mb: 99999 is not accepted;"
        " accepted: a whole number from 128 to 10,240\n"
    )
    for command in (
        ["-m", "tests.urns"],
        ["-m", "localcloud", "preview", "--stack", "dev"],
        ["-m", "localcloud", "up", "--stack", "local", "--state", str(tmp_path / "state")],
        ["-c", UP],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=root, capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (1, expected), command
    assert not (root / ".local" / "bundles").exists()


def test_only_one_place_parses_and_it_holds_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.11 fails at random when two threads parse at once: archives are built in two."""
    parsers = [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "infra").rglob("*.py"))
        if any(call in path.read_text(encoding="utf-8") for call in ("ast.parse(", "compile(tree"))
    ]
    assert parsers == ["infra/sources.py"]
    parse, held = ast.parse, []

    def parsing(text: str) -> ast.Module:
        held.append(sources.PARSING.locked())
        return parse(text)

    sources._module.cache_clear()
    monkeypatch.setattr(sources, "FINDINGS", Findings(sources.EVERY, ()))
    monkeypatch.setattr(sources.ast, "parse", parsing)
    require(FUNCTIONS)
    sources.closure([named("predict").entry.partition(":")[0]])
    assert held
    assert all(held)
