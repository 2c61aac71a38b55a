"""What the Pulumi CLI says when something is missing or wrong: a sentence, and nothing half made."""

from __future__ import annotations

import re
from collections.abc import Callable

import pulumi
import pytest

from infra import settings_file
from localcloud.cli.provider import EveryType, Symbols, serve
from localcloud.engine.program import Registered, evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.resource_handler import Order, ResourceHandler
from localcloud.engine.stack_file import StackFile
from tests.engine.project import Project
from tests.root import ROOT

pytestmark = pytest.mark.integration
FUNCTION = "aws:lambda/function:Function"


@pytest.fixture(scope="module")
def dev(project: Callable[[], Project]) -> Project:
    mine = project()
    mine.pulumi("stack", "init", "dev")
    return mine


def test_without_a_running_cloud_it_says_how_to_start_one(dev: Project) -> None:
    refused = dev.deploying("preview", code=None)
    assert refused.code != 0
    assert "no embedded cloud serves aws here: start one with `python -m localcloud engine" in refused.output
    assert "Traceback" not in refused.output


def test_a_cloud_of_another_kind_is_none(dev: Project) -> None:
    with serve("gcp", Symbols(), dev.state):
        assert "no embedded cloud serves aws here" in dev.deploying("preview", code=None).output


@pytest.mark.parametrize(
    ("path", "before", "after", "sentence"),
    [
        (
            "Pulumi.dev.yaml",
            "cloud: aws",
            "cloud: azure\n    modles: []",
            "serverless-ml:settings -> modles: there is no such setting; did you mean models?",
        ),
        (
            "Pulumi.dev.yaml",
            "log_days: 7",
            "log_days: 7.5",
            "serverless-ml:settings -> log_days: found 7.5; accepted: 1, 3, 5, 7, 14, 30, 60, 90, 180, 365",
        ),
        ("Pulumi.dev.yaml", "aws:region: eu-west-1", "aws:region: cn-north-1", "aws:region: cn-north-1 is no region"),
        (
            "Pulumi.dev.yaml",
            "aws:region: eu-west-1",
            "aws:region: eu-west-1\n  pulumi:autonaming: {pattern: '${stack}-${name}'}",
            "pulumi:autonaming.pattern: ${stack}-${name}: what is replaced would be deleted before it is made anew",
        ),
        (
            "Pulumi.dev.yaml",
            "aws:region: eu-west-1",
            "aws:region: eu-west-1\n  pulumi:autonaming: {pattern: '${name}-${project}-${hex(40)}'}",
            "pulumi:autonaming.pattern: aws:iam/role:Role: supervise-on-time-role-serverless-ml-",
        ),
        (
            "models/breast_cancer/model.yaml",
            "seed:",
            "sead:",
            "models/breast_cancer/model.yaml: ",
        ),
    ],
)
def test_a_mistake_of_the_user_is_a_sentence_before_the_first_resource(
    dev: Project, path: str, before: str, after: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One about the stack's file is the same, word for word, by the CLI and by a preview without it."""
    dev.edit(path, before, after)
    with serve("aws", Symbols(), dev.state):
        refused = dev.deploying("preview", code=None)
    if path.startswith("Pulumi."):
        monkeypatch.setattr(settings_file, "ROOT", dev.root)
        with pytest.raises(pulumi.RunError) as previewed:
            evaluate(StackFile.read("dev", dev.root), Recorder(), ROOT / "infra", dry_run=True)
        assert re.match(r"Pulumi\.dev\.yaml: line \d+: ", str(previewed.value))
        for line in str(previewed.value).splitlines():
            assert line.strip() in refused.output
    dev.edit(path, after, before)
    assert refused.code != 0
    assert sentence in refused.output
    assert "Traceback" not in refused.output
    assert set(refused.steps.values()) <= {"same"}


def _refuse(_order: Order) -> Registered:
    raise ValueError("the quota of this account is 10")


class Refusing(Symbols):
    """A cloud that makes no function."""

    handlers = EveryType({FUNCTION: ResourceHandler(create=_refuse)})


def test_what_the_cloud_refuses_is_its_own_sentence_and_the_next_up_goes_on(project: Callable[[], Project]) -> None:
    mine = project()
    mine.pulumi("stack", "init", "dev")
    with serve("aws", Refusing(), mine.state):
        refused = mine.deploying("up", code=None)
    assert refused.code != 0
    assert "the quota of this account is 10" in refused.output
    assert "Traceback" not in refused.output
    made = {resource.declared.urn for resource in mine.resources()}
    assert made
    with serve("aws", Symbols(), mine.state):
        up = mine.deploying("up")
    assert FUNCTION in {urn.split("::")[2].split("$")[-1] for urn in up.steps}
    assert not made & set(up.steps)
