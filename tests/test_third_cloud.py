"""Adding a cloud is adding a folder and one adapter: docs/add-a-cloud.md, walked with a cloud of nothing.

The walk begins with one file, and does whatever the rules then ask for, until they ask for nothing more.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from tests import nimbus
from tests.architecture import RULES, WORDS

pytestmark = pytest.mark.integration

DRAW = """
import json
import sys

from infra import blueprint, clouds
from infra.limits import verdicts
from infra.settings import Settings
from tests.graph import deploy
from tests.infra import sample

found = clouds.find(sys.argv[1])
settings = Settings.parse({"cloud": found.name, "models": ["breast_cancer"]}, where="Pulumi.nimbus-dev.yaml")
archives = {entry: sample.archive(entry) for entry in blueprint.ENTRIES}
graph = deploy(lambda: blueprint.draw(found, settings, sample.PLATFORM, archives))
print(json.dumps({
    "names": clouds.names(),
    "outputs": graph.returned,
    "components": sorted({made.type for made in graph if made.component}),
    "limits": len(verdicts(settings, archives)),
}))
"""
STACK = "config:\n  serverless-ml:settings:\n    cloud: nimbus\n    models: [breast_cancer]\n"


def asked(root: Path) -> list[str]:
    return [problem for rule in RULES for problem in rule(root)]


def walked(root: Path) -> list[str]:
    """The third cloud, built as the rules ask for it; the files that they named, in turn."""
    nimbus.plant(root, nimbus.first(WORDS))
    named: list[str] = []
    while problems := asked(root):
        wanted = [
            found[1] for problem in problems if (found := re.match(r"(\S+\.\w+): is missing; every cloud", problem))
        ]
        wanted += [
            f"{found[1]}/{found[2]}" for problem in problems if (found := re.match(r"(\S+): has no (\S+)$", problem))
        ]
        named += wanted
        nimbus.plant(root, {path: nimbus.written(path, WORDS) for path in wanted})
        if "infra/limits.py: LIMITS has no nimbus" in problems:
            nimbus.add_limits(root)
        if "Pulumi.*.yaml: no stack has cloud: nimbus" in problems:
            nimbus.plant(root, {"Pulumi.nimbus-dev.yaml": STACK})
        assert len(problems) < len(named) + 40, problems
        assert len(named) < 200, problems
    return named


@dataclass(frozen=True, kw_only=True)
class Third:
    root: Path
    named: list[str]
    """The files that the rules asked for, in turn."""
    made: set[str]
    """The files that are there now and were not before."""


def there(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> Third:
    """This tree with a third cloud in it, as it stands once the rules ask for nothing more."""
    place = nimbus.copied(tmp_path_factory.mktemp("third"))
    before = there(place)
    named = walked(place)
    return Third(root=place, named=named, made=there(place) - before)


def draw(root: Path, cloud: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", DRAW, cloud],
        cwd=root,
        env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_rules_ask_for_everything_from_the_first_file_on(third: Third) -> None:
    assert third.made == {*third.named, "infra/nimbus/__init__.py", "Pulumi.nimbus-dev.yaml"}
    folder = (*WORDS.values(), "access", "lint", "routes")
    assert {f"infra/nimbus/{file}.py" for file in folder} <= third.made
    assert {f"functions/adapters/nimbus/{entry}.py" for entry in ("predict", "jobs", "train")} <= third.made
    assert asked(third.root) == []


def test_a_third_cloud_is_discovered_and_draws_the_blueprint_with_no_line_of_it_changed(third: Third) -> None:
    done = draw(third.root, "nimbus")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["names"] == ["aws", "gcp", "nimbus"]
    assert told["components"] == sorted(
        f"serverless-ml:nimbus:{word.title()}" for word in WORDS if word not in ("schedule", "upload")
    )
    assert told["limits"] > 15
    jsonschema.validate(
        told["outputs"], json.loads((third.root / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))
    )


def test_a_cloud_that_is_misspelt_is_refused_with_the_third_among_those_there_are(third: Third) -> None:
    assert "cloud: nimbas is not known; accepted: aws, gcp, nimbus" in draw(third.root, "nimbas").stderr


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("infra/nimbus/queue.py", None, "infra/nimbus/queue.py: is missing; every cloud has the same files"),
        ("infra/nimbus/more.py", "", "infra/aws/more.py: is missing; every cloud has the same files"),
        ("infra/nimbus/lint.py", "from infra.aws import lint", "infra/nimbus may not import infra.aws.lint"),
        ("infra/nimbus/lint.py", "from infra import blueprint", "infra/nimbus may not import infra.blueprint"),
        ("infra/aws/place.py", "import infra.nimbus.place", "infra/aws may not import infra.nimbus.place"),
        ("functions/adapters/nimbus/predict.py", None, "functions/adapters/nimbus: has no predict.py"),
        (
            "functions/adapters/nimbus/train.py",
            "from functions.adapters.gcp import train\ndef handle(): ...",
            "functions/adapters/nimbus may not import functions.adapters.gcp",
        ),
        ("infra/limits.py", "LIMITS = {'aws': 1, 'gcp': 2}", "infra/limits.py: LIMITS has no nimbus"),
        ("infra/bundle.py", "def f(cloud): return cloud == 'nimbus'", "asks for the cloud nimbus"),
        ("tests/graph_nimbus.py", None, "tests/graph_nimbus.py: is missing"),
        ("Pulumi.nimbus-dev.yaml", None, "no stack has cloud: nimbus"),
        ("infra/nimbus/storage.py", "import pulumi\npulumi.Config('x')", "only settings.py reads pulumi.Config"),
    ],
)
def test_what_a_new_cloud_forgets_is_named(third: Third, path: str, text: str | None, told: str) -> None:
    file = third.root / path
    kept = file.read_bytes() if file.exists() else None
    try:
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text, encoding="utf-8")
        problems = asked(third.root)
        assert any(told in problem for problem in problems), problems
    finally:
        file.unlink(missing_ok=True)
        if kept is not None:
            file.write_bytes(kept)
