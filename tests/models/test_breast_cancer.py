from __future__ import annotations

from pathlib import Path

from models.breast_cancer.sample import TARGET, header, instances, write_csv
from models.contract import Contract

CONTRACT = Contract.load("breast_cancer")


def test_the_contract_names_the_columns_of_the_data_in_their_order() -> None:
    assert [*(feature.name for feature in CONTRACT.features), CONTRACT.target.name] == header()
    assert header()[-1] == TARGET


def test_every_case_is_acceptable_to_the_contract() -> None:
    cases, labels = instances()
    assert len(cases) == len(labels) == 569
    assert {*labels} == {*CONTRACT.target.classes}
    for feature in CONTRACT.features:
        assert all(feature.encode(case[feature.name]) >= 0 for case in cases)


def test_the_search_has_eight_experiments_over_two_families() -> None:
    experiments = CONTRACT.search.experiments()
    assert len(experiments) >= 8
    assert len({point["family"] for point in experiments}) >= 2


def test_the_file_has_a_header_and_a_line_for_each_case(tmp_path: Path) -> None:
    assert write_csv(tmp_path / "all.csv") == 569
    assert write_csv(tmp_path / "some.csv", rows=10) == 10
    lines = (tmp_path / "some.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 11
    assert lines == (tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()[:11]
