"""Every stack by the Pulumi CLI, with symbols for what a cloud would answer: the whole graph, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from localcloud.cli.provider import Symbols, serve
from tests.engine.embedded import STACKS as EMBEDDED
from tests.engine.project import Project
from tests.urns.promise import STACKS, read

pytestmark = pytest.mark.integration


ELSEWHERE = tuple(stack for stack in STACKS if stack not in EMBEDDED.values())
"""test_life.py deploys the others, and a cloud answers."""
PRODUCTION = ("prod", "gcp-prod")
"""The others have the same resources but for those that their sizes leave out: `make engine` deploys them, too."""


WAYS: Final = (
    (),
    ("--exclude-protected",),
    ("--target", "{urn}"),
    ("--target", "{urn}", "--target-dependents"),
)
"""The ways to destroy without a look at what would be destroyed."""


@pytest.mark.parametrize(
    "stack", [pytest.param(one, marks=() if one in PRODUCTION else pytest.mark.sizes) for one in ELSEWHERE]
)
def test_a_stack_is_previewed_deployed_refreshed_and_destroyed(stack: str, project: Callable[[], Project]) -> None:
    mine = project()
    with serve("gcp" if stack.startswith("gcp") else "aws", Symbols(), mine.state):
        mine.pulumi("stack", "init", stack)
        preview = mine.deploying("preview")
        up = mine.deploying("up")
        assert up.steps == preview.steps
        assert set(up.steps.values()) == {"create"}
        assert {urn.split("::", 2)[2] for urn in up.steps} == set(read(stack)), "run `python -m tests.urns`"
        mine.deploying("preview", "--refresh", "--expect-no-changes")
        if any(entry.get("protect") for entry in read(stack).values()):
            anything = next(urn for urn in up.steps if urn.endswith("::predict-function"))
            for arguments in WAYS:
                tried = mine.deploying(
                    "destroy", "--skip-preview", *(one.format(urn=anything) for one in arguments), code=None
                )
                assert {urn.split("::")[-1] for urn in tried.steps} <= {"protection"}, tried.output
            assert mine.deploying("destroy", code=None).code != 0
            mine.deploying("refresh", "--expect-no-changes")
            mine.pulumi("config", "set", "--path", "serverless-ml:settings.protect", "false")
            mine.deploying("up")
        assert set(mine.deploying("destroy").steps) == set(up.steps)
