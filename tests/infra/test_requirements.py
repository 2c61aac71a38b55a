"""A lock holds what its code imports: what is missing there fails only once it runs.

The functions have theirs, and the program has the one that `pulumi install` installs.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from infra import clouds
from infra.bundle import modules
from infra.function_spec import FunctionSpec
from infra.function_table import FUNCTIONS
from infra.sources import ROOT, closure
from infra.tier import Tier
from tests.syntax import imports, tree_of

LOCKS = ROOT / "functions" / "requirements"
OURS = {"functions", "infra", "interface", "models"}
FOLDER = ROOT / "infra"
PROGRAM, TESTED = FOLDER / "requirements.txt", ROOT / "requirements" / "dev.txt"
CARRIED = {"onnxruntime"}
"""Opened as a library, never imported."""
OF_THE_RUNTIME = {"snapshot_restore_py"}
"""Part of Lambda's own runtimes, and of no registry's package that we would lock."""
OF_A_MODEL = {"onnxmltools"}
"""Brought by a model whose estimators it converts, and looked for where these are imported alone."""


def imported(files: set[Path]) -> dict[str, str]:
    """Return the packages that the files import when they run, each with a file that does."""
    packages: dict[str, str] = {}
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        tree = tree_of(file.read_text(encoding="utf-8"))
        packages |= {name.split(".")[0]: path for _, name in imports(path, tree, typing=False)}
    return {name: where for name, where in packages.items() if name not in sys.stdlib_module_names and name not in OURS}


def locked(lock: Path) -> set[str]:
    """Return the distributions of a lock, by their normal names."""
    return {
        _normal(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("cloud", clouds.of(Tier.DEPLOYABLE))
@pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)
def test_everything_that_a_function_imports_is_in_its_lock(cloud: str, spec: FunctionSpec) -> None:
    own = LOCKS / cloud / f"{spec.lock}.txt"
    pinned = locked(own if own.exists() else LOCKS / f"{spec.lock}.txt")
    providers = packages_distributions()
    missing = {
        name: where
        for name, where in imported(closure(modules(spec, cloud))).items()
        if name not in CARRIED | OF_THE_RUNTIME | OF_A_MODEL
        and not {_normal(provider) for provider in providers.get(name, [name])} & pinned
    }
    assert not missing


def test_an_import_is_seen_wherever_it_stands_and_a_type_checkers_is_not(tmp_path: Path) -> None:
    file = ROOT / "functions" / "core" / "registry" / "versions.py"
    assert imported({file}) == {}
    found = set(imported(closure(["functions.core.training.export"])))
    assert found == {"google", "numpy", "onnx", "onnxmltools", "skl2onnx"}


def versions(lock: Path) -> dict[str, str]:
    """Return the pinned versions of a lock, by the normal names."""
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {_normal(name): version for name, version in pins}


def needed(names: set[str]) -> set[str]:
    """Return the distributions, and all that they need on this machine, as their installed metadata say."""
    found: set[str] = set()
    while more := names - found:
        found |= more
        wanted = [Requirement(line) for name in more for line in requires(name) or ()]
        names = {_normal(one.name) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})}
    return found


def test_pulumi_install_gets_what_the_program_imports_and_what_that_needs_and_nothing_else() -> None:
    program = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in FOLDER.rglob("*.py")}
    providers = packages_distributions()
    own = {_normal(providers[name][0]) for name in imported(closure(sorted(program)))}
    assert own == locked(FOLDER / "requirements.in")
    assert set(versions(PROGRAM)) == needed(own)


def test_pulumi_install_gets_the_versions_that_tests_run_with() -> None:
    assert versions(PROGRAM).items() <= versions(TESTED).items()


def test_pulumi_install_finds_a_lock_with_hashes_in_the_folder_of_the_program() -> None:
    """The CLI's host installs requirements.txt of the folder that `main` names, by pip, into `virtualenv`."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    assert (ROOT / project["main"] / "requirements.txt") == PROGRAM
    assert project["runtime"] == {"name": "python", "options": {"virtualenv": ".venv"}}
    text = PROGRAM.read_text(encoding="utf-8")
    assert all("--hash=sha256:" in pin for pin in re.split(r"\n(?=\S)", text.strip()))
    assert "://" not in text
    assert "index" not in text
