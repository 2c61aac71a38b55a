"""Each recipe is trained with the packages of its own lock, and its ONNX file answers as its estimator does.

The steps before and after have the packages of this project; the experiments run in an environment that is made of
the recipe's lock alone. Where packages cannot be fetched, the test fails and says so.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from functions.core.dataset import read_here
from functions.core.dataset.prepare import Preparation
from functions.core.registry.versions import Registry
from functions.core.selection.select import Selection
from functions.core.storage.objects import Objects
from infra.processor import arithmetic, here
from localcloud.engine.environment import environment
from models.contract import Contract
from tests.recipes.apart import read, write
from tests.root import ROOT
from tests.sml.init.tables import made

RECIPES = ROOT / "examples" / "recipes"
TABLE = ROOT / "examples" / "penguins.csv"
ENVIRONMENTS = ROOT / ".local" / "recipes"
AT = "2026-01-02T03:04:05+00:00"
HEAVY = sorted({path.parent.name for path in RECIPES.glob("*/requirements.txt")} - {"lightgbm"})

pytestmark = pytest.mark.integration


def trained(recipe: str, folder: Path, model: str, models: Path) -> tuple[str, dict[str, Objects]]:
    """Prepare the table for a model of a folder, run its experiments apart, with the packages of a recipe.

    Return the run and the stores.
    """
    stores = {name: Objects.in_memory() for name in ("data", "models")}
    stores["data"].put(f"{model}/incoming/penguins.csv", TABLE.read_bytes())
    step = Preparation(
        data=stores["data"],
        models=stores["models"],
        execution="first",
        at=AT,
        folder=models,
        read_rows=read_here.open_rows,
    )
    answer = step({"source": f"{model}/incoming/penguins.csv"})
    assert answer["status"] == "accepted", answer
    file = folder / "stores.zip"
    write(file, stores)
    python = environment(f"examples/recipes/{recipe}", RECIPES / recipe / "requirements.txt", ENVIRONMENTS)
    command = [str(python), "-m", "tests.recipes.apart", str(models), model, answer["run"], str(file)]
    variables = {**os.environ, **arithmetic(here()), "HOME": str(folder)}
    done = subprocess.run(
        [*command, *answer["experiments"]], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return answer["run"], read(file)


def require_served_as_trained(
    recipe: str, folder: Path, model: str = "", models: Path = RECIPES, experiments: Sequence[str] = ("e0", "e1")
) -> None:
    model = model or recipe
    run, stores = trained(recipe, folder, model, models)
    for name in experiments:
        record = stores["models"].get_json(f"{model}/runs/{run}/experiments/{name}.json")
        assert record["status"] == "succeeded", record["error"]
    answer = Selection(**stores, at=AT, folder=models)(model, run)
    registry = Registry(stores["models"], model)
    record = registry.read_run(run) or {}
    assert answer["status"] == "registered", record
    card = registry.card(record["version"]) or {}
    assert tuple(card["target"]["classes"]) == Contract.load(model, models).target.classes
    leaderboard = stores["models"].get_json(f"{model}/runs/{run}/leaderboard.json")["experiments"]
    # None is passed over because its file answers otherwise than its estimator.
    assert leaderboard[0]["id"] == card["experiment"]


def test_lightgbm_is_trained_with_its_own_packages_and_serves_as_trained(tmp_path: Path) -> None:
    require_served_as_trained("lightgbm", tmp_path)


def test_what_sml_init_writes_for_lightgbm_is_trained_with_the_packages_of_its_recipe(tmp_path: Path) -> None:
    made(TABLE.read_bytes(), tmp_path, families=("lightgbm",))
    contract = tmp_path / "models" / "trial" / "model.yaml"
    kept = [line for line in contract.read_text(encoding="utf-8").splitlines() if "family: [" not in line]
    kept.insert(kept.index("  families:") + 1, "    - {family: [lightgbm], n_estimators: [20], num_leaves: [7]}")
    contract.write_text("\n".join(kept), encoding="utf-8")
    require_served_as_trained("lightgbm", tmp_path, "trial", tmp_path / "models", experiments=("e0",))


@pytest.mark.recipes
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("recipe", HEAVY)
def test_a_recipe_is_trained_with_its_own_packages_and_serves_as_trained(recipe: str, tmp_path: Path) -> None:
    require_served_as_trained(recipe, tmp_path)
