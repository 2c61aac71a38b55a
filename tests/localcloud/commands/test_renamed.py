"""A project that `pulumi new --name` made: the same files, under another name in Pulumi.yaml."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from localcloud.engine.fingerprint import fingerprint
from localcloud.engine.program import evaluate
from localcloud.engine.recorder import Recorder
from localcloud.engine.stack_file import StackFile
from tests.root import ROOT


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    for path in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(path, tmp_path)
    project = tmp_path / "Pulumi.yaml"
    project.write_text(re.sub(r"^name: .*", "name: mine", project.read_text("utf-8")), encoding="utf-8")
    return tmp_path


def relabelled(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with the other project's name where they say whose a resource is."""
    changed = dict(renaming(inputs))
    for name in {"tags", "labels", "userLabels"} & changed.keys():
        changed[name] = {**changed[name], "project": "mine"}
    if changed.get("description", "").startswith("project "):
        changed["description"] = changed["description"].replace("project serverless-ml,", "project mine,")
    return changed


def renaming(value: Any) -> Any:
    """Return a value with the other project's name where a text says both, the project and its stack."""
    match value:
        case str():
            return re.sub(r"serverless-ml(?=[/-](local|gcp-local|gcp-dev)\b)", "mine", value)
        case Mapping():
            return {key: renaming(inner) for key, inner in value.items()}
        case list():
            return [renaming(inner) for inner in value]
        case _:
            return value


@pytest.mark.integration
@pytest.mark.parametrize("stack", ["local", "gcp-local", "gcp-dev"])
def test_a_project_of_another_name_is_the_same_stack_with_its_name_in_urns_and_labels(
    renamed: Path, stack: str
) -> None:
    mine, ours = Recorder(), Recorder()
    file = StackFile.read(stack, renamed)
    outputs = evaluate(file, mine, ROOT / "infra", dry_run=True)
    assert outputs == renaming(evaluate(StackFile.read(stack), ours, ROOT / "infra", dry_run=True))
    assert file.project == "mine"
    assert [declared.urn for declared in mine.declared] == [
        declared.urn.replace("::serverless-ml::", "::mine::") for declared in ours.declared
    ]
    assert [fingerprint(declared.inputs) for declared in mine.declared] == [
        fingerprint(relabelled(declared.inputs)) for declared in ours.declared
    ]
