"""A column that may say what rows weigh: a hint in model.yaml, which trains once it is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from functions.core.dataset import read_here
from models.contract import Contract
from sml.init.making import Wish, make
from sml.init.table import Column
from sml.init.weight_guess import guess_weights
from sml.init.written import contract_of, contract_text
from tests.functions.bench import MODEL, Bench
from tests.sml.init.tables import csv_of, proposal
from tests.sml.init.test_training import fewer


def claims(count: int = 240) -> bytes:
    """Policies of drivers, of whom the young ones claim, each in force for a part of a year."""
    rows = []
    for at in range(count):
        age = 20 + at * 7 % 60
        claimed = "yes" if age < 46 + at % 5 else "no"
        rows.append([age, "town" if at % 3 else "land", f"{0.1 + at % 9 / 10:.1f}", claimed])
    return csv_of(["driver_age", "region", "exposure", "claim"], rows)


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("exposure", ["0.5", "1", "0"], True),
        ("SampleWeight", ["1", "2", "3"], True),
        ("survey weight", ["1,5", "2,25", "0,5"], True),
        ("weight", ["1", "2", "-3"], False),
        ("weight", ["1", None, "3"], False),
        ("weight", ["light", "heavy", "light"], False),
        ("body_weight", ["60", "70", "80"], False),
    ],
)
def test_a_column_may_weigh_by_its_name_and_its_values(name: str, values: list[str | None], *, found: bool) -> None:
    assert guess_weights([Column(name="size", values=["1", "2", "3"]), Column(name=name, values=values)]) == (
        (name,) if found else ()
    )


def test_it_is_a_hint_and_stays_a_feature(tmp_path: Path) -> None:
    found = proposal(claims(), tmp_path)
    assert found.weights == ("exposure",)
    assert found.document()["weights"] == ["exposure"]
    hint = "# weights: {column: exposure}  # a row counts as much as it says, in fit and in every figure"
    assert f"\n{hint}; it is no feature then\n" in contract_text(found)
    assert any(told.startswith("exposure: is it a feature, or does it say how much a row") for told in found.warnings)
    contract = contract_of(found)
    assert contract.weights is None
    assert "exposure" in [feature.name for feature in contract.features]


def test_who_takes_the_hint_changes_nothing_else(tmp_path: Path) -> None:
    file, models = tmp_path / "data.csv", tmp_path / "models"
    file.write_bytes(claims())
    models.mkdir()
    make(Wish(model=MODEL, table=file), models=models, root=tmp_path, read=read_here.open_rows)
    contract = models / MODEL / "model.yaml"
    fewer(contract)
    lines = contract.read_text(encoding="utf-8").replace("# weights:", "weights:").splitlines()
    contract.write_text("\n".join(line for line in lines if "name: exposure" not in line), encoding="utf-8")
    assert Contract.load(MODEL, models).weight_column == "exposure"
    bench = Bench(folder=models)
    run, answer = bench.run_through(file.read_bytes())
    record = bench.record(run)
    assert answer["status"] == "registered", record
    board = bench.models.get_json(bench.registry.run_key(run, "leaderboard.json"))["experiments"]
    assert {line["status"] for line in board} == {"succeeded"}
    assert record["weights"]["column"] == "exposure"
