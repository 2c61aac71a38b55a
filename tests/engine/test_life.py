"""The whole life of a stack in an embedded cloud by the Pulumi CLI, from the first preview to the last `destroy`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from localcloud.engine.cloud import EmbeddedCloud
from models.breast_cancer import sample
from tests.engine.embedded import STACKS, embedded
from tests.engine.project import Project
from tests.localcloud import on_aws, on_gcp
from tests.root import ROOT
from tests.urns.promise import read

pytestmark = pytest.mark.integration
SCHEMA = json.loads((ROOT / "docs" / "outputs.schema.json").read_text(encoding="utf-8"))
LISTED: Mapping[str, Callable[[Any], Mapping[str, list[Any]]]] = {"aws": on_aws.listed, "gcp": on_gcp.listed}
AGENTS_ROLE = ".serviceAgent'"
"""Google's own services keep their roles in the project: other stacks rely on them, too."""


def present(name: str, cloud: EmbeddedCloud) -> dict[str, list[Any]]:
    """Return what each service has, without the roles of Google's own services."""
    listed = LISTED[name](cloud)
    return {kind: [one for one in found if AGENTS_ROLE not in str(one)] for kind, found in listed.items()}


@pytest.mark.parametrize("name", STACKS)
def test_it_is_deployed_trains_predicts_and_is_gone(name: str, project: Callable[[], Project], tmp_path: Path) -> None:
    with embedded(name, project(), tmp_path) as stack:
        empty = present(name, stack.cloud)
        up = stack.deploy()
        assert set(up.steps.values()) == {"create"}
        assert {urn.split("::", 2)[2] for urn in up.steps} == set(read(STACKS[name])), "run `python -m tests.urns`"
        stack.project.deploying("preview", "--expect-no-changes")
        stack.project.deploying("refresh", "--expect-no-changes")
        jsonschema.validate(dict(stack.outputs()), SCHEMA)

        assert stack.train(tmp_path)["status"] == "promoted"
        cases, labels = sample.instances()
        predicted = [one["label"] for one in stack.predict(cases[:20])]
        assert sum(one == label for one, label in zip(predicted, labels, strict=False)) >= 18

        assert set(stack.project.deploying("destroy").steps) == set(up.steps)
        assert present(name, stack.cloud) == empty
