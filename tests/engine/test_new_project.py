"""What a Pulumi user types before his first `pulumi up`: a project of his own, its settings, its secrets."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from localcloud.cli.provider import Symbols, serve
from tests import nimbus
from tests.engine.project import Project
from tests.urns.promise import STACKS

pytestmark = pytest.mark.integration
AUTH = "serverless-ml:settings.api.auth"


def lines(before: str, after: str) -> list[str]:
    """Return the lines that differ."""
    compared = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in compared if line[:1] in "+-" and not line.startswith(("+++", "---"))]


def test_a_project_of_any_name_is_made_of_this_one_and_deployed(project: Callable[[], Project], tmp_path: Path) -> None:
    template, mine = tmp_path / "template", project()
    template.mkdir()
    nimbus.copied(template)
    mine.leave()
    mine.pulumi("new", str(template), "--name", "mine", "--generate-only", "--yes", "--force", "--dir", str(mine.root))
    mine.settle()
    mine.pulumi("stack", "init", "dev")
    with serve("aws", Symbols(), mine.state):
        up = mine.deploying("preview")
    assert {urn.split("::")[1] for urn in up.steps} == {"mine"}


@pytest.mark.parametrize("stack", STACKS)
def test_a_setting_is_one_line_of_a_stacks_file(stack: str, project: Callable[[], Project]) -> None:
    mine = project()
    file = mine.root / f"Pulumi.{stack}.yaml"
    mine.pulumi("stack", "init", stack)
    before = file.read_text(encoding="utf-8")
    mine.pulumi("config", "set", "--path", "serverless-ml:settings.log_days", "9")
    changed = lines(before, file.read_text(encoding="utf-8"))
    assert [line for line in changed if line[0] == "+"] == ["+    log_days: 9"]
    assert len(changed) <= 2


def test_a_secret_setting_decides_the_stack_and_is_shown_nowhere(project: Callable[[], Project]) -> None:
    mine = project()
    mine.pulumi("stack", "init", "dev")
    mine.pulumi("config", "set", "--path", f"{AUTH}.kind", "jwt")
    mine.pulumi("config", "set", "--path", f"{AUTH}.audience[0]", "clients")
    mine.pulumi("config", "set", "--secret", "--path", f"{AUTH}.issuer", "https://hunter2.example.org")
    with serve("aws", Symbols(), mine.state):
        printed = [mine.deploying("preview", "--diff").output, mine.deploying("up", "--diff").output]
    kept = [file.read_text(encoding="utf-8") for file in mine.root.glob("Pulumi.*.yaml")]
    kept += [file.read_text(encoding="utf-8") for file in (mine.state / "backend").rglob("*.json") if file.is_file()]
    assert [text for text in printed + kept if "hunter2" in text] == []
    plain = json.loads(mine.pulumi("stack", "export", "--show-secrets").output)["deployment"]["resources"]
    (authorizer,) = [one for one in plain if one["type"] == "aws:apigatewayv2/authorizer:Authorizer"]
    assert "https://hunter2.example.org" in json.dumps(authorizer["inputs"])


def test_a_secret_that_is_refused_is_not_shown_either(project: Callable[[], Project]) -> None:
    mine = project()
    mine.pulumi("stack", "init", "dev")
    mine.pulumi("config", "set", "--secret", "--path", "serverless-ml:settings.log_days", "hunter2")
    with serve("aws", Symbols(), mine.state):
        refused = mine.deploying("up", code=None)
    assert refused.code != 0
    assert "log_days" in refused.output
    assert "hunter2" not in refused.output
    assert "Traceback" not in refused.output
