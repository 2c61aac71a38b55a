"""Which families a proposal tries, and the packages that some of them bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.contract import Contract
from sml.init.families import OFFERED, Size, chosen, linear
from sml.mistake import Mistake
from tests.root import ROOT
from tests.sml.init.tables import houses, made, penguins

RECIPES = ROOT / "examples" / "recipes"
TREES_BYTES = 45
"""What a node of a tree takes in an ONNX file, and what a leaf takes for each class of a forest is a quarter of it."""


@pytest.mark.parametrize(("data", "plain"), [(penguins(), "logistic"), (houses(), "ridge")])
def test_families_with_packages_are_tried_beside_the_others(data: bytes, plain: str, tmp_path: Path) -> None:
    found = made(data, tmp_path, families=("xgboost", "lightgbm", "xgboost"))
    experiments = Contract.load("trial", tmp_path / "models").search.experiments()
    names = [plain, "random_forest", "boosting", "xgboost", "lightgbm"]
    assert list(dict.fromkeys(one["family"] for one in experiments)) == names
    assert len(experiments) == 3 + 4 * 2
    assert found.proposal.document()["families"][1:] == names[1:]
    folder = tmp_path / "models" / "trial"
    lines = [line for line in (folder / "requirements.in").read_text().splitlines() if not line.startswith("#")]
    assert [line.partition("=")[0] for line in lines] == ["xgboost-cpu", "lightgbm", "onnxmltools", "packaging"]
    assert made(data, tmp_path, force=True).files == tuple(
        f"models/trial/{name}" for name in ("__init__.py", "model.yaml", "training.py")
    )


@pytest.mark.parametrize("family", OFFERED, ids=lambda one: one.name)
def test_a_family_that_is_offered_brings_what_its_recipe_was_tried_with(family: object) -> None:
    [one] = [one for one in OFFERED if one == family]
    lines = (RECIPES / one.name / "requirements.in").read_text(encoding="utf-8").splitlines()
    assert list(one.packages) == [line for line in lines if not line.startswith("#")]


def test_an_unknown_family_is_refused_with_those_that_are_offered_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"--with catboost: is no family.*accepted: lightgbm, xgboost \(docs/own-pack"):
        made(penguins(), tmp_path, families=("lightgbm", "catboost"))
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("size", [Size(rows=300, classes=3), Size(rows=10**6, classes=0), Size(rows=9999, classes=100)])
def test_grids_are_small_and_the_files_of_their_trees_below_the_gates_bytes(size: Size) -> None:
    for family in chosen([one.name for one in OFFERED]):
        grid = family.grid(size)
        leaves = max(grid.get("max_leaf_nodes", grid.get("num_leaves", (2 ** max(grid.get("max_depth", (0,))),))))
        trees = 60 if family.name == "random_forest" else 60 * max(1, size.classes)
        of_a_leaf = size.classes * TREES_BYTES / 4 if family.name == "random_forest" else 0
        assert trees * leaves * (2 * TREES_BYTES + of_a_leaf) < 5_000_000
        assert 1 <= len(family.line(size).split("], ")) <= 4
    assert len(linear(size)) < 60


def test_each_tree_of_a_forest_sees_a_part_of_a_large_table() -> None:
    forest, _ = chosen([])
    assert forest.grid(Size(rows=200_000, classes=2))["max_samples"] == (0.25,)
    assert "max_samples" not in forest.grid(Size(rows=50_000, classes=2))
