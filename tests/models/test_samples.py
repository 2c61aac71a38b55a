"""Each example on real data: what its sample writes is what its contract asks for."""

from __future__ import annotations

import csv
from pathlib import Path
from types import ModuleType

import pytest

from models.contract import Contract
from models.diabetes import sample as diabetes
from models.digits import sample as digits


@pytest.mark.parametrize(("sample", "rows", "answers"), [(diabetes, 442, 214), (digits, 1797, 10)])
def test_every_row_of_a_sample_is_acceptable_to_its_contract(
    sample: ModuleType, rows: int, answers: int, tmp_path: Path
) -> None:
    contract = Contract.load(sample.__name__.split(".")[1])
    columns = (*contract.features, contract.target.as_feature)
    assert sample.write_csv(tmp_path / "all.csv") == rows
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == [feature.name for feature in columns]
    truths = [[feature.encode(cell) for feature, cell in zip(columns, line, strict=True)][-1] for line in lines]
    assert (len(truths), len(set(truths))) == (rows, answers)
