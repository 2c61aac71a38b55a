from __future__ import annotations

from typing import Any

import pytest

from functions.core.dataset import read_here
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from tests.functions.bench import contract, csv, rows

HEADER = ("size", "weight", "colour", "ripe")
LEARNING: dict[str, Any] = {
    "features": [{"name": "size"}, {"name": "weight"}, {"name": "colour", "kind": "category", "learn": True}],
    "gate": {"slices": []},
}


def joined(*tables: bytes, **changes: Any) -> ValidatedDataset:
    first, *further = tables
    named = {f"labelled/{at}": [table] for at, table in enumerate(further)}
    return validate_dataset(first, contract(**changes), read_here.open_rows, further=named)


def coloured(count: int, *colours: str) -> list[list[Any]]:
    return [[*row[:2], colours[at % len(colours)], row[3]] for at, row in enumerate(rows(count))]


@pytest.mark.parametrize(
    "changes", [{}, LEARNING, {**LEARNING, "search": {"group": "weight"}}], ids=["plain", "learning", "groups"]
)
def test_rows_of_several_tables_are_those_of_one(changes: dict[str, Any]) -> None:
    whole = [*coloured(60, "red", "green"), *coloured(90, "green", "red")[60:]]
    one, several = joined(csv(whole), **changes), joined(csv(whole[:60]), csv(whole[60:70]), csv(whole[70:]), **changes)
    assert several.digest == one.digest
    assert several.dataset.to_bytes() == one.dataset.to_bytes()
    assert several.report["further"] == {
        "tables": ["labelled/0", "labelled/1"], "rows": 30, "rejected_rows": 0, "reasons": []
    }  # fmt: skip
    assert "further" not in one.report


def test_categories_that_only_a_further_table_has_are_learnt_too() -> None:
    first, more = coloured(60, "red", "green"), coloured(90, "blue", "green", "red")[60:]
    together = joined(csv([*first, *more]), **LEARNING)
    assert joined(csv(first), csv(more), **LEARNING).digest == together.digest
    assert joined(csv(first), csv(more), **LEARNING).dataset.learnt == {"colour": ("blue", "green", "red")}


def test_a_further_table_may_be_written_in_another_way() -> None:
    whole = rows()
    later = csv([[row[3], row[0], row[1], row[2]] for row in whole[60:]], ("ripe", "size", "weight", "colour"))
    assert joined(csv(whole[:60], delimiter=";"), later).digest == joined(csv(whole)).digest


def test_rows_of_a_further_table_that_the_contract_refuses_are_passed_over_and_counted() -> None:
    whole = rows()
    later = [*whole[60:], [500, 1, "red", "yes"], [50, 1, "mauve", "perhaps"]]
    found = joined(csv(whole[:60]), csv(later))
    assert found.digest == joined(csv(whole)).digest
    told = found.report["further"]
    assert (told["rows"], told["rejected_rows"]) == (32, 2)
    assert len(told["reasons"]) == 3
    assert found.report["rejected_rows"] == 0


def test_a_further_table_without_the_columns_is_named() -> None:
    with pytest.raises(RejectedDataset, match=r"^labelled/0: colour is missing"):
        joined(csv(), csv([[1, 2, "yes"]], ("size", "weight", "ripe")))


def test_a_further_file_that_is_no_table_is_named() -> None:
    with pytest.raises(RejectedDataset, match=r"^labelled/0: the file is empty; accepted: CSV"):
        joined(csv(), b" ")
