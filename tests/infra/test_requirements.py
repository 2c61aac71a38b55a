"""A function's lock holds what its code imports: what is missing there fails only once it runs."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from infra import clouds
from infra.bundle import modules
from infra.function_table import FUNCTIONS, FunctionSpec
from infra.sources import ROOT, closure
from infra.tier import Tier
from tests.syntax import imports, tree_of

LOCKS = ROOT / "functions" / "requirements"
OURS = {"functions", "interface", "models"}
CARRIED = {"onnxruntime"}
"""Opened as a library, never imported."""


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
        if name not in CARRIED and not {_normal(provider) for provider in providers.get(name, [name])} & pinned
    }
    assert not missing


def test_an_import_is_seen_wherever_it_stands_and_a_type_checkers_is_not(tmp_path: Path) -> None:
    file = ROOT / "functions" / "core" / "registry" / "versions.py"
    assert imported({file}) == {}
    assert set(imported(closure(["functions.core.training.export"]))) == {"skl2onnx"}
