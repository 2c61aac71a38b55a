"""Adding a cloud is adding a folder, tier by tier: the steps of docs/add-a-cloud.md, for a cloud that makes nothing.

At each tier the test writes the one line that states it, and then does whatever the rules ask
for, until they ask for nothing more.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from infra.function_table import FUNCTIONS
from infra.tier import Tier
from tests import nimbus
from tests.architecture import HANDLED, NOUNS, RULES, WORDS
from tests.root import ROOT

pytestmark = pytest.mark.integration

DRAW = """
import json
import sys

from infra import blueprint, clouds
from infra.limits import verdicts
from infra.function_table import FUNCTIONS
from infra.settings import Settings
from tests.graph import deploy
from tests.infra import sample

cloud = clouds.find(sys.argv[1])
stated = {"cloud": cloud.name, "models": ["breast_cancer"], "budget": {"usd_a_month": 50}}
settings = Settings.parse(stated, where="Pulumi.nimbus-dev.yaml")
archives = {spec.name: sample.archive(spec.name) for spec in FUNCTIONS}
graph = deploy(lambda: blueprint.draw(cloud, settings, sample.PLATFORM, archives))
print(json.dumps({
    "names": clouds.names(),
    "outputs": graph.returned,
    "components": sorted({resource.type for resource in graph if resource.component}),
    "limits": len(verdicts(settings, archives)),
}))
"""
UP = """
import pulumi

from localcloud.engine.program import evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import ROOT, StackFile

try:
    print(evaluate(StackFile.read("nimbus-dev"), Recorder(), ROOT / "infra")["endpoint"])
except pulumi.RunError as refusal:
    print(refusal)
"""
"""The program, evaluated as `pulumi up` does: not as a dry run."""
LOCAL = """
import sys
from pathlib import Path

from localcloud.engine.stack import LocalStack

with LocalStack("nimbus-dev", state=Path(sys.argv[1])) as stack:
    stack.deploy()
    print(stack.outputs["endpoint"])
"""
SAYS = """
import contextlib, io, json, sys

from localcloud.__main__ import main

said = []
for command in json.loads(sys.argv[1]):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(command)
    said.append([code, out.getvalue(), err.getvalue()])
print(json.dumps(said))
"""
"""Several commands of `python -m localcloud` by their own entrance, one after the other: it imports once."""
ADAPTERS = sorted({spec.trigger.adapter.partition(".")[0] for spec in FUNCTIONS})
NEW: Mapping[Tier, set[str]] = {
    Tier.PREVIEW: {
        "Pulumi.nimbus-dev.yaml",
        "infra/nimbus/__init__.py",
        *(f"infra/nimbus/{noun}.py" for noun in NOUNS),
        "tests/graph_nimbus.py",
        "tests/infra/nimbus_facts.py",
        "tests/infra/nimbus_breakages.py",
        "tests/infra/nimbus/whole.py",
        "tests/infra/nimbus/broken.py",
    },
    Tier.DEPLOYABLE: {
        "infra/nimbus/quotas.py",
        "functions/adapters/nimbus/__init__.py",
        *(f"functions/adapters/nimbus/{module}.py" for module in ADAPTERS),
        "functions/requirements/nimbus/framework.in",
        *(f"functions/requirements/nimbus/{spec.lock}.txt" for spec in FUNCTIONS),
    },
    Tier.EMBEDDED: {
        "localcloud/nimbus/__init__.py",
        "localcloud/nimbus/resources/__init__.py",
        *(f"localcloud/nimbus/resources/{noun}.py" for noun in HANDLED),
        "localcloud/requirements/nimbus.in",
        "localcloud/requirements/nimbus.txt",
        "tests/localcloud/on_nimbus.py",
    },
}
"""The files that each tier adds to the one before it."""
ENDPOINT = "https://api.nimbus.example.org"
every_tier = pytest.mark.parametrize("tier", list(Tier), ids=lambda tier: tier.value)


def broken_rules(root: Path) -> dict[str, list[str]]:
    """Return what each broken rule says, by its name."""
    problems_of = {rule.__name__: rule(root) for rule in RULES}
    return {name: problems for name, problems in problems_of.items() if problems}


def walked(root: Path, tier: Tier) -> list[str]:
    """Add the third cloud at a tier, as the rules ask for it; return the files that they named, in turn."""
    nimbus.plant(root, nimbus.stated(WORDS, tier, packed=tier is Tier.EMBEDDED))
    named: list[str] = []
    before: list[str] = []
    while problems := [problem for sentences in broken_rules(root).values() for problem in sentences]:
        missing = [match[1] for problem in problems if (match := re.match(r"(\S+\.\w+): is missing; ", problem))]
        named += missing
        nimbus.plant(root, {path: nimbus.new_file(path, WORDS) for path in missing})
        if "infra/limits.py: LIMITS has no nimbus" in problems:
            nimbus.add_limits(root)
        if "Pulumi.*.yaml: no stack has cloud: nimbus" in problems:
            nimbus.plant(root, {"Pulumi.nimbus-dev.yaml": nimbus.STACK})
        if any("does not state its packing" in problem for problem in problems):
            nimbus.plant(root, nimbus.stated(WORDS, tier, packed=True))
        assert problems != before, problems
        before = problems
        assert len(problems) < len(named) + 40, problems
        assert len(named) < 200, problems
    return named


@dataclass(frozen=True, kw_only=True)
class Third:
    """The tree with the third cloud at one tier."""

    root: Path
    named: list[str]
    """The files that the rules broken_rules for at this tier, in turn."""
    added: set[str]
    """The files that were not there at the tier before."""


def files_in(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> dict[Tier, Third]:
    """Return this tree with a third cloud in it, by the tier at which the rules ask for nothing more."""
    folder, states = nimbus.copied(tmp_path_factory.mktemp("third") / "nothing", compiled=True), {}
    for tier in Tier:
        before, folder = folder, folder.with_name(tier.value)
        shutil.copytree(before, folder)
        named = walked(folder, tier)
        states[tier] = Third(root=folder, named=named, added=files_in(folder) - files_in(before))
    return states


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the tree. What Python compiles stays there for the next one."""
    return subprocess.run(
        command,
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(root, sys.executable, *arguments)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


COMMANDS: Mapping[Tier, tuple[str, ...]] = {
    Tier.PREVIEW: ("preview", "doctor", "up"),
    Tier.DEPLOYABLE: ("preview", "doctor", "up", "demo", "soak"),
    Tier.EMBEDDED: ("preview", "doctor"),
}
"""What is asked of each tier here."""


Says = Mapping[Tier, tuple[Path, Mapping[str, Said]]]
"""By tier, a folder for state, and what each command says."""


@pytest.fixture(scope="module")
def says(third: dict[Tier, Third], tmp_path_factory: pytest.TempPathFactory) -> Says:
    """Run the commands of every tier, each with a folder of its own for state."""
    found = {}
    for tier, commands in COMMANDS.items():
        state = tmp_path_factory.mktemp("state")
        typed = [[command, "--stack", "nimbus-dev", "--state", str(state)] for command in commands]
        process = python(third[tier].root, "-c", SAYS, json.dumps(typed))
        assert process.returncode == 0, process.stderr
        said = [Said(code=code, out=out, err=err) for code, out, err in json.loads(process.stdout)]
        found[tier] = (state, dict(zip(commands, said, strict=True)))
    return found


@every_tier
def test_the_rules_ask_of_a_tier_for_what_it_promises_and_nothing_more(third: dict[Tier, Third], tier: Tier) -> None:
    assert third[tier].added == NEW[tier]
    assert set(third[tier].named) == NEW[tier] - {"infra/nimbus/__init__.py", "Pulumi.nimbus-dev.yaml"}
    assert broken_rules(third[tier].root) == {}


@every_tier
def test_the_page_says_how_many_files_a_tier_takes(tier: Tier) -> None:
    page = (ROOT / "docs" / "add-a-cloud.md").read_text(encoding="utf-8")
    assert f"| `{tier.value}` | {len(NEW[tier])} |" in page


@every_tier
def test_a_third_cloud_is_previewed_at_every_tier(says: Says, tier: Tier) -> None:
    state, said = says[tier]
    preview = said["preview"]
    assert preview.code == 0, preview.err
    assert "Function predict" in preview.out
    assert "limits of nimbus, as read on" in preview.out
    warned = "nimbus is of tier preview: it cannot be deployed" in preview.out
    assert warned is (tier is Tier.PREVIEW)
    unknown = "what an account of nimbus needs is not known" in preview.out
    assert unknown is (tier is Tier.PREVIEW)
    assert unknown or "quotas: a new account of nimbus suffices" in preview.out
    types = {
        resource["type"] for resource in json.loads((state / "graph-nimbus-dev.json").read_text("utf-8"))["resources"]
    }
    assert "serverless-ml:nimbus:Function" in types


@every_tier
def test_an_account_of_a_third_cloud_is_asked_nothing_and_what_is_known_without_one_is_told(
    says: Says, tier: Tier
) -> None:
    doctor = says[tier][1]["doctor"]
    assert (doctor.code, doctor.err) == (2, "")
    *_, said, offline = doctor.out.splitlines()
    assert said == "an account of nimbus cannot be asked: it has no checks; what is known without one:"
    assert "nimbus" in offline


def test_a_third_cloud_is_discovered_and_draws_the_blueprint_with_no_line_of_it_changed(
    third: dict[Tier, Third],
) -> None:
    root = third[Tier.PREVIEW].root
    process = python(root, "-c", DRAW, "nimbus")
    assert process.returncode == 0, process.stderr
    report = json.loads(process.stdout.splitlines()[-1])
    assert report["names"] == ["aws", "gcp", "nimbus"]
    words = {f"serverless-ml:nimbus:{word.title()}" for word in WORDS if word != "upload"}
    assert report["components"] == sorted({*words, "serverless-ml:stack:Protection"})
    assert report["limits"] > 15
    schema = json.loads((root / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(report["outputs"], schema)


def test_a_cloud_that_is_misspelt_is_refused_with_the_third_among_those_there_are(third: dict[Tier, Third]) -> None:
    errors = python(third[Tier.PREVIEW].root, "-c", DRAW, "nimbas").stderr
    assert "cloud: nimbas is not known; accepted: aws, gcp, nimbus" in errors


def test_a_deployment_to_a_preview_is_refused_with_its_tier_and_what_is_missing(third: dict[Tier, Third]) -> None:
    process = python(third[Tier.PREVIEW].root, "-c", UP)
    missing = ", ".join(f"functions/adapters/nimbus/{module}.py" for module in ADAPTERS)
    assert process.stdout.splitlines() == [
        f"cloud: nimbus is of tier preview, so a stack on it can be previewed and not deployed; missing: {missing}"
    ], process.stderr


def test_a_deployable_cloud_is_deployed_to(third: dict[Tier, Third]) -> None:
    process = python(third[Tier.DEPLOYABLE].root, "-c", UP)
    assert process.stdout.splitlines() == [ENDPOINT], process.stderr


@pytest.mark.parametrize(
    ("tier", "command"),
    [(Tier.PREVIEW, "up"), (Tier.DEPLOYABLE, "up"), (Tier.DEPLOYABLE, "demo"), (Tier.DEPLOYABLE, "soak")],
)
def test_a_cloud_that_is_not_embedded_does_not_run_here(says: Says, tier: Tier, command: str) -> None:
    refused = says[tier][1][command]
    assert refused.code == 1
    assert refused.err.splitlines() == [
        f"Pulumi.nimbus-dev.yaml: cloud: nimbus is of tier {tier.value}, so it does not run on this machine; "
        "embedded: aws, gcp"
    ]


@pytest.mark.parametrize("goal", ["demo", "up"])
def test_make_lists_the_clouds_that_are_embedded(third: dict[Tier, Third], goal: str) -> None:
    command = ("make", "-n", goal, "CLOUD=nimbus")
    for tier in (Tier.PREVIEW, Tier.DEPLOYABLE):
        refused = run(third[tier].root, *command)
        assert refused.returncode != 0
        assert "CLOUD=nimbus is not embedded, so it does not run on this machine; embedded: aws gcp." in refused.stderr
    process = run(third[Tier.EMBEDDED].root, *command)
    assert process.returncode == 0, process.stderr
    assert f"localcloud {goal} --stack nimbus-local" in process.stdout


def test_an_embedded_cloud_runs_here(third: dict[Tier, Third], tmp_path: Path) -> None:
    process = python(third[Tier.EMBEDDED].root, "-c", LOCAL, str(tmp_path))
    assert process.stdout.splitlines() == [ENDPOINT], process.stderr


LACKING = [
    (Tier.PREVIEW, "infra/nimbus/queue.py", None, "clouds_mirror_each_other"),
    (Tier.PREVIEW, "infra/nimbus/access.py", None, "clouds_mirror_each_other"),
    (Tier.PREVIEW, "infra/limits.py", "LIMITS = {'aws': 1, 'gcp': 2}", "clouds_are_whole"),
    (Tier.PREVIEW, "tests/graph_nimbus.py", None, "clouds_are_whole"),
    (Tier.PREVIEW, "tests/infra/nimbus/broken.py", None, "clouds_are_whole"),
    (Tier.PREVIEW, "Pulumi.nimbus-dev.yaml", None, "clouds_are_whole"),
    (Tier.PREVIEW, "infra/nimbus/lint.py", "from infra.aws import lint", "directions"),
    (Tier.PREVIEW, "infra/nimbus/lint.py", "from infra import blueprint", "directions"),
    (Tier.PREVIEW, "infra/aws/account.py", "import infra.nimbus.account", "directions"),
    (Tier.PREVIEW, "infra/bundle.py", "def f(cloud): return cloud == 'nimbus'", "no_case_for_a_cloud"),
    (Tier.PREVIEW, "infra/nimbus/region.py", "import pulumi\npulumi.Config('x')", "one_reader_of_settings"),
    (Tier.DEPLOYABLE, "infra/nimbus/quotas.py", None, "clouds_are_whole"),
    (Tier.DEPLOYABLE, "functions/adapters/nimbus/http.py", None, "adapters_answer_every_trigger"),
    (Tier.DEPLOYABLE, "functions/adapters/nimbus/queue.py", "", "adapters_answer_every_trigger"),
    (
        Tier.DEPLOYABLE,
        "functions/adapters/nimbus/step.py",
        "from functions.adapters.gcp import step\ndef handler(entry): ...",
        "directions",
    ),
    (Tier.DEPLOYABLE, "functions/requirements/nimbus/train.txt", None, "clouds_are_whole"),
    (Tier.EMBEDDED, "localcloud/nimbus/resources/queue.py", None, "resource_handlers_mirror_each_other"),
    (Tier.EMBEDDED, "localcloud/nimbus/__init__.py", None, "clouds_are_whole"),
    (Tier.EMBEDDED, "localcloud/requirements/nimbus.txt", None, "clouds_are_whole"),
    (Tier.EMBEDDED, "tests/localcloud/on_nimbus.py", None, "clouds_are_whole"),
]
"""A tier, a file of it, what is written there instead (None: nothing), and the one rule that refuses it."""


@pytest.mark.parametrize(("tier", "path", "text", "rule"), LACKING)
def test_a_step_short_of_a_tier_is_refused_by_its_rule_and_no_other(
    third: dict[Tier, Third], tier: Tier, path: str, text: str | None, rule: str
) -> None:
    file = third[tier].root / path
    before = file.read_bytes() if file.exists() else None
    try:
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
        problems = broken_rules(third[tier].root)
        assert list(problems) == [rule], problems
        assert any("nimbus" in problem for problem in problems[rule])
    finally:
        file.unlink(missing_ok=True)
        if before is not None:
            file.write_bytes(before)


@pytest.mark.parametrize("path", ["infra/nimbus/tags.py", "functions/adapters/nimbus/tokens.py"])
def test_what_helps_a_cloud_is_asked_of_no_other(third: dict[Tier, Third], path: str) -> None:
    file = third[Tier.EMBEDDED].root / path
    file.write_text("", encoding="utf-8")
    try:
        assert broken_rules(third[Tier.EMBEDDED].root) == {}
    finally:
        file.unlink()
