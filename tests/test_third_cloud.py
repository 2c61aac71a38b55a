"""Adding a cloud is adding a folder, tier by tier: docs/add-a-cloud.md, walked with a cloud of nothing.

At each tier the walk begins with the one line that states it, and does whatever the rules then ask for, until they
ask for nothing more.
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

found = clouds.find(sys.argv[1])
settings = Settings.parse({"cloud": found.name, "models": ["breast_cancer"]}, where="Pulumi.nimbus-dev.yaml")
archives = {spec.name: sample.archive(spec.name) for spec in FUNCTIONS}
graph = deploy(lambda: blueprint.draw(found, settings, sample.PLATFORM, archives))
print(json.dumps({
    "names": clouds.names(),
    "outputs": graph.returned,
    "components": sorted({made.type for made in graph if made.component}),
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


def asked(root: Path) -> dict[str, list[str]]:
    """What each broken rule says, by its name."""
    found = {rule.__name__: rule(root) for rule in RULES}
    return {name: problems for name, problems in found.items() if problems}


def walked(root: Path, tier: Tier) -> list[str]:
    """The third cloud, stating a tier and then built as the rules ask for it; the files that they named, in turn."""
    nimbus.plant(root, nimbus.stated(WORDS, tier, packed=tier is Tier.EMBEDDED))
    named: list[str] = []
    while problems := [problem for told in asked(root).values() for problem in told]:
        wanted = [found[1] for problem in problems if (found := re.match(r"(\S+\.\w+): is missing; ", problem))]
        named += wanted
        nimbus.plant(root, {path: nimbus.written(path, WORDS) for path in wanted})
        if "infra/limits.py: LIMITS has no nimbus" in problems:
            nimbus.add_limits(root)
        if "Pulumi.*.yaml: no stack has cloud: nimbus" in problems:
            nimbus.plant(root, {"Pulumi.nimbus-dev.yaml": nimbus.STACK})
        if any("does not state its packing" in problem for problem in problems):
            nimbus.plant(root, nimbus.stated(WORDS, tier, packed=True))
        assert len(problems) < len(named) + 40, problems
        assert len(named) < 200, problems
    return named


@dataclass(frozen=True, kw_only=True)
class Third:
    root: Path
    named: list[str]
    """The files that the rules asked for at this tier, in turn."""
    made: set[str]
    """The files that are there now and were not at the tier before."""


def there(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> dict[Tier, Third]:
    """This tree with a third cloud in it, as it stands at each tier once the rules ask for nothing more."""
    place, landed = nimbus.copied(tmp_path_factory.mktemp("third") / "nothing"), {}
    for tier in Tier:
        before, place = place, place.with_name(tier.value)
        shutil.copytree(before, place)
        named = walked(place, tier)
        landed[tier] = Third(root=place, named=named, made=there(place) - there(before))
    return landed


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=root,
        env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def python(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(root, sys.executable, *arguments)


@every_tier
def test_the_rules_ask_of_a_tier_for_what_it_promises_and_nothing_more(third: dict[Tier, Third], tier: Tier) -> None:
    assert third[tier].made == NEW[tier]
    assert set(third[tier].named) == NEW[tier] - {"infra/nimbus/__init__.py", "Pulumi.nimbus-dev.yaml"}
    assert asked(third[tier].root) == {}


@every_tier
def test_the_page_says_how_many_files_a_tier_takes(tier: Tier) -> None:
    page = (ROOT / "docs" / "add-a-cloud.md").read_text(encoding="utf-8")
    assert f"| `{tier.value}` | {len(NEW[tier])} |" in page


@every_tier
def test_a_third_cloud_is_previewed_at_every_tier(third: dict[Tier, Third], tier: Tier, tmp_path: Path) -> None:
    done = python(third[tier].root, "-m", "localcloud", "preview", "--stack", "nimbus-dev", "--state", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Function predict" in done.stdout
    assert "limits of nimbus, as read on" in done.stdout
    told = "nimbus is of tier preview: it cannot be deployed" in done.stdout
    assert told is (tier is Tier.PREVIEW)
    types = {one["type"] for one in json.loads((tmp_path / "graph-nimbus-dev.json").read_text("utf-8"))["resources"]}
    assert "serverless-ml:nimbus:Function" in types


def test_a_third_cloud_is_discovered_and_draws_the_blueprint_with_no_line_of_it_changed(
    third: dict[Tier, Third],
) -> None:
    root = third[Tier.PREVIEW].root
    done = python(root, "-c", DRAW, "nimbus")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["names"] == ["aws", "gcp", "nimbus"]
    assert told["components"] == sorted(
        f"serverless-ml:nimbus:{word.title()}" for word in WORDS if word not in ("schedule", "upload")
    )
    assert told["limits"] > 15
    schema = json.loads((root / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(told["outputs"], schema)


def test_a_cloud_that_is_misspelt_is_refused_with_the_third_among_those_there_are(third: dict[Tier, Third]) -> None:
    told = python(third[Tier.PREVIEW].root, "-c", DRAW, "nimbas").stderr
    assert "cloud: nimbas is not known; accepted: aws, gcp, nimbus" in told


def test_a_deployment_to_a_preview_is_refused_with_its_tier_and_what_is_missing(third: dict[Tier, Third]) -> None:
    done = python(third[Tier.PREVIEW].root, "-c", UP)
    missing = ", ".join(f"functions/adapters/nimbus/{module}.py" for module in ADAPTERS)
    assert done.stdout.splitlines() == [
        f"cloud: nimbus is of tier preview, so a stack on it can be previewed and not deployed; missing: {missing}"
    ], done.stderr


def test_a_deployable_cloud_is_deployed_to(third: dict[Tier, Third]) -> None:
    done = python(third[Tier.DEPLOYABLE].root, "-c", UP)
    assert done.stdout.splitlines() == [ENDPOINT], done.stderr


@pytest.mark.parametrize(
    ("tier", "command"),
    [(Tier.PREVIEW, "up"), (Tier.DEPLOYABLE, "up"), (Tier.DEPLOYABLE, "demo"), (Tier.DEPLOYABLE, "soak")],
)
def test_a_cloud_that_is_not_embedded_does_not_run_here(third: dict[Tier, Third], tier: Tier, command: str) -> None:
    done = python(third[tier].root, "-m", "localcloud", command, "--stack", "nimbus-dev")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"Pulumi.nimbus-dev.yaml: cloud: nimbus is of tier {tier.value}, so it does not run on this machine; "
        "embedded: aws, gcp"
    ]


@pytest.mark.parametrize("goal", ["demo", "up"])
def test_make_lists_the_clouds_that_are_embedded(third: dict[Tier, Third], goal: str) -> None:
    asks = ("make", "-n", goal, "CLOUD=nimbus")
    for tier in (Tier.PREVIEW, Tier.DEPLOYABLE):
        told = run(third[tier].root, *asks)
        assert told.returncode != 0
        assert "CLOUD=nimbus is not embedded, so it does not run on this machine; embedded: aws gcp." in told.stderr
    done = run(third[Tier.EMBEDDED].root, *asks)
    assert done.returncode == 0, done.stderr
    assert f"localcloud {goal} --stack nimbus-local" in done.stdout


def test_an_embedded_cloud_runs_here(third: dict[Tier, Third], tmp_path: Path) -> None:
    done = python(third[Tier.EMBEDDED].root, "-c", LOCAL, str(tmp_path))
    assert done.stdout.splitlines() == [ENDPOINT], done.stderr


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
    (Tier.PREVIEW, "infra/nimbus/place.py", "import pulumi\npulumi.Config('x')", "one_reader_of_settings"),
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
"""A tier, a file of it, what stands there instead (None: nothing), and the one rule that refuses it."""


@pytest.mark.parametrize(("tier", "path", "text", "rule"), LACKING)
def test_a_step_short_of_a_tier_is_refused_by_its_rule_and_no_other(
    third: dict[Tier, Third], tier: Tier, path: str, text: str | None, rule: str
) -> None:
    file = third[tier].root / path
    kept = file.read_bytes() if file.exists() else None
    try:
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
        problems = asked(third[tier].root)
        assert list(problems) == [rule], problems
        assert any("nimbus" in problem for problem in problems[rule])
    finally:
        file.unlink(missing_ok=True)
        if kept is not None:
            file.write_bytes(kept)


@pytest.mark.parametrize("path", ["infra/nimbus/quotas.py", "functions/adapters/nimbus/tokens.py"])
def test_what_helps_a_cloud_is_asked_of_no_other(third: dict[Tier, Third], path: str) -> None:
    file = third[Tier.EMBEDDED].root / path
    file.write_text("", encoding="utf-8")
    try:
        assert asked(third[Tier.EMBEDDED].root) == {}
    finally:
        file.unlink()
