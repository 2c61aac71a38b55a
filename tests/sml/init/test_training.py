"""The proof: what was proposed for a table is prepared, trained, exported and registered as it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from functions.core.dataset import read_here
from sml.init.making import Wish, make
from tests.functions.bench import MODEL, Bench
from tests.sml.init.tables import churn, houses, orders, penguins, staff, titanic


def fewer(contract: Path) -> None:
    """One experiment of each family: the others take long and show nothing more."""
    text = contract.read_text(encoding="utf-8")
    text = text.replace("[0.1, 1.0, 10.0]", "[1.0]").replace("[7, 31]", "[7]").replace("[16, 64]", "[16]")
    text = text.replace("[60]", "[10]").replace("ms: 50", "ms: 600000")
    contract.write_text(text.replace("folds: 5", "folds: 2"), encoding="utf-8")


@pytest.mark.parametrize("table", [penguins, titanic, churn, staff, houses, orders])
def test_what_is_proposed_is_trained_and_registered_without_an_edit(table: Callable[[], bytes], tmp_path: Path) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(table())
    models = tmp_path / "models"
    models.mkdir()
    make(Wish(model=MODEL, table=file), models=models, root=tmp_path, read=read_here.open_rows)
    fewer(models / MODEL / "model.yaml")
    bench = Bench(folder=models)
    run, answer = bench.run_through(file.read_bytes())
    record = bench.record(run)
    assert answer["status"] == "registered", record
    experiments = [
        bench.models.get_json(bench.registry.run_key(run, f"experiments/{name}.json")) for name in ("e0", "e1", "e2")
    ]
    assert [one["status"] for one in experiments] == ["succeeded"] * 3
    assert [one["params"]["family"] for one in experiments][1:] == ["random_forest", "boosting"]
    assert record["checks"][0]["name"] == "serves as trained"
    assert record["checks"][0]["value"] < 1e-5
