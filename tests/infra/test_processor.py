"""The variables of training make the same experiment the same file, whatever its processor would choose."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from functions.core.training.processor import processor
from infra import blueprint, clouds
from infra.function_table import FUNCTIONS
from infra.processor import VECTORS, arithmetic, here, kernel
from models.section import FOLDER
from tests.experiment import EXPERIMENT, FLEET, OTHERS, OWN
from tests.graph import deploy
from tests.infra import sample


@cache
def declared(cloud: str, architecture: str) -> dict[str, Any]:
    """Return the variables of the train function, as the blueprint's graph of that cloud has them."""
    w = importlib.import_module(f"tests.infra.{cloud}.whole")
    settings, platform = w.settings(), replace(sample.PLATFORM, architecture=architecture)
    archives = {spec.name: sample.archive(spec.name) for spec in FUNCTIONS}
    graph = deploy(lambda: blueprint.draw(w.CLOUD, settings, platform, archives, sample.files(settings)))
    return w.variables(graph.one(w.FUNCTION, "train-function"))


def trained(variables: Mapping[str, str]) -> dict[str, Any]:
    """Run the experiment in a process with those variables alone; return what it reports."""
    return _trained(tuple(sorted(variables.items())))


@cache
def _trained(variables: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Two clouds that set the same variables have the same process."""
    process = subprocess.run(
        [sys.executable, "-c", f"{EXPERIMENT}\nprint(json.dumps(train()))"],
        env={"PYTHONPATH": str(FOLDER.parent), **dict(variables)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


@pytest.mark.parametrize(("cloud", "architecture"), [("aws", "x86_64"), ("aws", "arm64"), ("gcp", "x86_64")])
def test_training_computes_with_the_kernel_of_its_architecture(cloud: str, architecture: str) -> None:
    assert arithmetic(architecture).items() <= declared(cloud, architecture).items()


@pytest.mark.integration
@pytest.mark.parametrize("cloud", clouds.names())
def test_an_experiment_is_one_file_whatever_kernel_the_processor_would_choose(cloud: str) -> None:
    """GCP has no other processors than x86-64; its stack on a laptop is told of these, whatever the laptop has."""
    variables = declared(cloud, here() if cloud == "aws" else "x86_64")
    fixed = {name: value for name, value in variables.items() if name.startswith(("OMP_", "OPENBLAS_", "NPY_"))}
    first, second = (trained({**processor, **fixed}) for processor in FLEET)
    assert first == second
    assert set(first["kernels"]) <= {OWN}
    assert not set(first["numpy"]) & set(VECTORS[here()].split())


@pytest.mark.integration
@pytest.mark.skipif((sys.platform, here()) != ("linux", "x86_64"), reason="that its kernels differ was measured there")
def test_without_the_fixed_kernel_each_kernel_trains_another_file() -> None:
    first, second = (trained({"OPENBLAS_CORETYPE": chosen}) for chosen in OTHERS)
    assert [first["kernels"], second["kernels"]] == [[chosen.casefold()] for chosen in OTHERS]
    assert first["sha256"] != second["sha256"]


@pytest.mark.integration
def test_without_fixed_instruction_sets_numpy_trains_another_file_on_a_processor_with_avx_512() -> None:
    newer, older = (
        trained({**arithmetic(here()), "NPY_DISABLE_CPU_FEATURES": lacking}) for lacking in ("", VECTORS[here()])
    )
    if "X86_V4" not in newer["numpy"]:
        pytest.skip("this processor has no AVX-512")
    assert newer["kernels"] == older["kernels"] == [OWN]
    assert newer["sha256"] != older["sha256"]


def test_numpy_is_told_of_instruction_sets_by_the_names_that_it_has() -> None:
    """A name that it does not know would change nothing, and one that it is built for would end the process."""
    import numpy as np

    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    chosen = {*extensions.get("found", []), *extensions.get("not found", [])}
    named = set(VECTORS[here()].split())
    assert not named & set(extensions["baseline"])
    assert chosen - named <= {"X86_V3"}


def test_the_tests_compute_as_training_does() -> None:
    """Although another plugin loads numpy before any file of theirs is read."""
    import numpy  # noqa: F401 - so that there is something to ask

    assert {name.casefold() for name in processor()["kernels"].values()} <= {OWN}


def test_an_architecture_that_no_cloud_offers_is_left_alone() -> None:
    assert kernel("riscv64") == {}
