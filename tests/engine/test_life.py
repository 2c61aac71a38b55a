"""The whole life of a stack in an embedded cloud by the Pulumi CLI, from the first preview to the last `destroy`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.engine.cloud import EmbeddedCloud
from tests.docs.deployment import deployments, upload
from tests.engine.embedded import STACKS, embedded
from tests.engine.project import Project
from tests.engine.reader import Reader
from tests.localcloud import on_aws, on_gcp
from tests.loop.conftest import CHANGED, changed
from tests.root import ROOT
from tests.urns.promise import read

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
LISTED: Mapping[str, Callable[[Any], Mapping[str, list[Any]]]] = {"aws": on_aws.listed, "gcp": on_gcp.listed}
AGENTS_ROLE = ".serviceAgent'"
"""Google's own services keep their roles in the project: other stacks rely on them, too."""


def present(name: str, cloud: EmbeddedCloud) -> dict[str, list[Any]]:
    """Return what each service has, without the roles of Google's own services."""
    listed = LISTED[name](cloud)
    return {kind: [one for one in found if AGENTS_ROLE not in str(one)] for kind, found in listed.items()}


def shorten(root: Path) -> None:
    """Have a copy of this project train as the stacks of the loop do: four experiments in place of eight."""
    for file in CHANGED:
        (root / file.relative_to(ROOT)).write_bytes(changed(file))


@pytest.mark.parametrize("name", STACKS)
def test_what_the_readme_says_deploys_trains_answers_and_leaves(
    name: str, project: Callable[[], Project], tmp_path: Path
) -> None:
    (block,) = [block for block in deployments() if upload(block).cloud == name]
    mine = project()
    shorten(mine.root)
    with embedded(name, mine, tmp_path) as stack, mine.plain():
        reader, empty = Reader(stack, tmp_path), present(name, stack.cloud)
        reader.type(block)
        up, destroyed = reader.up, reader.destroyed
        assert up is not None
        assert destroyed is not None
        assert set(up.steps.values()) == {"create"}
        assert {urn.split("::", 2)[2] for urn in up.steps} == set(read(STACKS[name])), "run `python -m tests.urns`"
        assert reader.trained["status"] == "promoted"
        assert reader.right >= 18
        assert set(destroyed.steps) == set(up.steps)
        assert present(name, stack.cloud) == empty
