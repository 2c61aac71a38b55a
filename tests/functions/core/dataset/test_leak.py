from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from functions.core.dataset import leak, read_here
from functions.core.dataset.leak import suspects, told_alone
from functions.core.dataset.profile import profile_of
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import validate_dataset
from models.contract import Contract
from tests.functions.bench import CONTRACT, contract, csv, rows

DRAW = np.random.default_rng(6)


def test_a_column_that_tells_the_classes_apart_is_seen_whatever_it_is() -> None:
    classes = np.arange(200) % 2
    assert told_alone(classes.astype(float), classes) == 1
    assert told_alone(classes * 100 + DRAW.normal(size=200), classes) > 0.95
    assert told_alone(np.where(classes == 1, np.nan, DRAW.normal(size=200)), classes) == 1, "it lacks values of a class"


def test_a_column_that_tells_something_is_no_leak() -> None:
    classes = np.arange(400) % 2
    assert told_alone(classes + DRAW.normal(size=400), classes) < 0.7
    assert told_alone(DRAW.normal(size=400), classes) < 0.3
    assert told_alone(classes[:30].astype(float), classes[:30]) == 0, "too few rows to say"
    assert told_alone(np.full(100, np.nan), classes[:100]) == 0


def test_a_number_that_is_in_the_order_of_the_target_is_seen_though_a_few_rows_are_most_of_how_it_varies() -> None:
    target = np.exp(DRAW.normal(0, 4, 2000))
    assert told_alone(np.log(target), target) > 0.97
    assert told_alone(np.log(target) + DRAW.normal(0, 4, 2000), target) < 0.9


def found(extra: list[tuple[str, list[Any]]], **changes: Any) -> list[dict[str, Any]]:
    """Return the suspects of the table of fruit with more columns of numbers."""
    features = [*CONTRACT["features"], *({"name": name, "missing": "keep"} for name, _ in extra)]
    content = [[*row, *(column[at] for _, column in extra)] for at, row in enumerate(rows())]
    header = ("size", "weight", "colour", "ripe", *(name for name, _ in extra))
    changed = contract(features=features, **changes)
    return validate_dataset(csv(content, header), changed, read_here.open_rows).report["suspects"]


RIPE = [at % 2 == 0 for at in range(90)]
SOLD: list[Any] = [3.5 if ripe else 1 for ripe in RIPE]


def test_what_tells_the_target_is_named_first_and_then_what_tells_nothing() -> None:
    columns: list[tuple[str, list[Any]]] = [
        ("same", [7] * 90),
        ("empty", [""] * 90),
        ("one or none", [7, ""] * 45),
        ("sold", SOLD),
        ("price", [ripe + at / 1000 for at, ripe in enumerate(RIPE)]),
    ]
    told = [one["said"] for one in found(columns)]
    question = "is it known when a prediction is asked for?"
    assert told == [
        "one or none is a copy of ripe",
        "sold is a copy of ripe",
        f"price may be a leak: alone it tells the target for 98% of the rows: {question}",
        "same is 7 in every row, and tells nothing",
        "empty is missing in every row, and tells nothing",
    ]


def test_a_leak_rejects_the_dataset_where_the_contract_says_so() -> None:
    assert found([("same", [7] * 90)], quality={"leaks": "reject"})
    with pytest.raises(RejectedDataset, match="sold is a copy of ripe") as rejection:
        found([("sold", SOLD)], quality={"leaks": "reject"})
    assert str(rejection.value).endswith(". Take it out of features, or set quality.leaks: warn")
    assert [one["kind"] for one in rejection.value.report["suspects"]] == ["copy"]


def test_a_copied_number_and_an_empty_category_are_named() -> None:
    category = {"name": "kind", "kind": "category", "categories": ["a", "b"]}
    asked = {**CONTRACT, "task": "regression", "target": {"name": "price"}, "features": [{"name": "paid"}, category]}
    asked |= {"search": {**CONTRACT["search"], "metric": "mae"}, "gate": {"metric": "mae", "maximum": 1}}
    content = [[at * at / 7, "b", at * at / 7] for at in range(90)]
    report = validate_dataset(
        csv(content, ("paid", "kind", "price")), Contract.parse(asked, ""), read_here.open_rows
    ).report
    assert [one["said"] for one in report["suspects"]] == [
        "paid is a copy of price",
        "kind is b in every row, and tells nothing",
    ]


def test_a_date_or_a_text_that_tells_nothing_is_named_once_and_one_of_its_numbers_is_not() -> None:
    dates = [{"name": name, "kind": "date", "parts": ["year", "month"], "missing": "keep"} for name in ("empty", "day")]
    dates.append({**dates[0], "name": "when"})
    text = {"name": "note", "kind": "text", "words": 4}
    content = [[*row, "", "2026-02-03", f"2026-0{at % 7 + 1}-01", "as ever"] for at, row in enumerate(rows())]
    header = ("size", "weight", "colour", "ripe", "empty", "day", "when", "note")
    changed = contract(features=[*CONTRACT["features"], *dates, text])
    report = validate_dataset(csv(content, header), changed, read_here.open_rows).report
    assert [(one["feature"], one["kind"], one["said"]) for one in report["suspects"]] == [
        ("empty", "missing", "empty is missing in every row, and tells nothing"),
        ("day", "constant", "day becomes the same numbers in every row, and tells nothing"),
        ("note", "constant", "note becomes the same numbers in every row, and tells nothing"),
    ]


def test_of_a_table_in_the_order_of_its_classes_rows_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leak, "MOST_ROWS", 200)
    y = np.repeat([0, 1], 500)
    x = np.stack([y + DRAW.random(1000) / 2, DRAW.random(1000), DRAW.random(1000)], axis=1).astype(np.float32)
    fruit = contract(features=[{"name": name} for name in "abc"], gate={"slices": []})
    profile = profile_of(x, y, np.arange(1000), fruit.features, fruit.target)
    assert [one["feature"] for one in suspects(x, y, profile, fruit)] == ["a"]
