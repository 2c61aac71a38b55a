"""How rows are split by a column: by the group of each, or by its time."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from arro3.core import Array, DataType

from functions.core.dataset import read_apart, read_here
from functions.core.dataset.dataset import BEFORE, HOLDOUT, Dataset
from functions.core.dataset.group_split import MOST_WEIGHED, assign_groups, tied
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import ValidatedDataset, validate_dataset
from tests.functions.bench import contract, rows
from tests.functions.core.dataset.tables import csv_file, json_lines, parquet_file, parquet_of

HEADER = ("size", "weight", "colour", "ripe", "key")
TYPES = (DataType.float64(), DataType.int64(), DataType.string(), DataType.string())
DAY = 86_400


def table(keys: list[Any]) -> list[list[Any]]:
    return [[*row, key] for row, key in zip(rows(len(keys)), keys, strict=True)]


def days(count: int = 90) -> list[str]:
    """Return days in an order that is not theirs, each for two rows."""
    first = datetime.date(2026, 1, 1)
    return [str(first + datetime.timedelta(days=at * 7 % count // 2)) for at in range(count)]


def read(keys: list[Any], reader: Any = read_here.open_rows, **search: Any) -> ValidatedDataset:
    return validate_dataset(csv_file(HEADER, table(keys)), contract(search=search), reader)


def cause(keys: list[Any], **search: Any) -> str:
    with pytest.raises(RejectedDataset) as rejection:
        read(keys, **search)
    return str(rejection.value)


def test_all_rows_of_a_group_are_on_one_side_and_each_side_has_its_share_of_the_classes() -> None:
    groups = [f"tree {at % 30 // 2}" for at in range(90)]
    found = read(groups, group="key")
    fold = found.dataset.fold
    for group in set(groups):
        assert len(set(fold[np.array(groups) == group].tolist())) == 1
    for part in (HOLDOUT, 0, 1, 2):
        assert found.dataset.y[fold == part].mean() == pytest.approx(0.5)
    assert found.report["split"] == {
        "by": "group",
        "column": "key",
        "groups": 15,
        "holdout_groups": 3,
        "largest_group": 6,
        "rows": {"holdout": 18, "folds": [24, 24, 24]},
        "equal_rows": 0,
        "equal_rows_apart": 0,
        "said": "by key: 18 of 90 rows kept out, 3 of 15 groups, the largest of 6 rows; 3 folds of 24 rows",
    }


def test_groups_of_mixed_classes_and_sizes_are_dealt_out_so_that_parts_come_near_to_their_shares() -> None:
    random = np.random.default_rng(3)
    groups = np.repeat(np.arange(60), random.integers(1, 40, 60))
    y = (random.random(len(groups)) < random.beta(0.3, 1.5, 60)[groups]).astype(np.int64)
    fold = assign_groups(y, groups, holdout=0.2, folds=4, seed=1)
    assert [np.mean(fold == part) for part in (HOLDOUT, 0, 1, 2, 3)] == pytest.approx([0.2] * 5, abs=0.01)
    assert [y[fold == part].mean() for part in (HOLDOUT, 0, 1, 2, 3)] == pytest.approx([y.mean()] * 5, abs=0.02)


def test_a_group_of_most_rows_is_not_kept_out() -> None:
    groups = np.array([0] * 60 + list(range(1, 31)))
    fold = assign_groups(np.arange(90) % 2, groups, holdout=0.2, folds=3, seed=1)
    assert fold[0] != HOLDOUT
    assert set(fold.tolist()) == {HOLDOUT, 0, 1, 2}


def test_many_small_groups_are_split_like_a_few() -> None:
    groups = np.arange(3 * MOST_WEIGHED) // 2
    fold = assign_groups(groups % 2, groups, holdout=0.2, folds=4, seed=1)
    assert (fold[::2] == fold[1::2]).all()
    assert [np.mean(fold == part) for part in (HOLDOUT, 0, 1, 2, 3)] == pytest.approx([0.2] * 5, abs=0.001)


def test_equal_rows_of_two_groups_stay_together_as_long_as_there_are_enough_others() -> None:
    keys = [f"tree {at % 15}" for at in range(90)]
    twice = [*table(keys), [*rows()[0], "tree 7"]]
    found = validate_dataset(csv_file(HEADER, twice), contract(search={"group": "key"}), read_here.open_rows)
    assert found.dataset.fold[0] == found.dataset.fold[90] == found.dataset.fold[7]
    assert found.report["split"]["said"].endswith("; copies of other rows are on the side of these: 1")


def test_where_equal_rows_tie_all_groups_together_the_groups_alone_decide_and_it_is_said() -> None:
    alike = [[40 + at % 2, 1, "red", "yes" if at % 2 else "no", at // 6] for at in range(90)]
    found = validate_dataset(csv_file(HEADER, alike), contract(search={"group": "key"}), read_here.open_rows)
    assert found.report["split"]["said"].endswith("; 18 of the rows kept out equal rows that are trained on")


def test_groups_that_share_a_row_over_others_are_one() -> None:
    assert tied(np.array([0, 1, 1, 2, 3]), np.array([0, 0, 1, 1, 2])).tolist() == [0, 0, 0, 0, 1]


def test_the_latest_rows_are_kept_out_and_folds_go_forward_in_time() -> None:
    found = read(days(), time="key")
    dataset = found.dataset
    assert dataset.time is not None
    parts = [dataset.time[dataset.fold == part] for part in (BEFORE, 0, 1, 2, HOLDOUT)]
    assert [len(part) for part in parts] == [18] * 5
    assert all(earlier.max() < later.min() for earlier, later in pairwise(parts))
    for fold in range(3):
        assert (dataset.trained(fold) == ((dataset.fold < fold) & (dataset.fold != HOLDOUT))).all()
    assert (dataset.fitted == ~dataset.holdout).all()
    assert found.report["split"]["said"] == (
        "by key: 18 of 90 rows kept out, from 2026-02-06 to 2026-02-14; 3 folds of 18 rows; each fold after the rows "
        "that it trains on, the first 18 from 2026-01-01 on"
    )


def test_rows_nearer_than_the_gap_are_left_out_before_each_fold_and_before_the_holdout() -> None:
    found = read(days(), time="key", gap="3d")
    dataset = Dataset.from_bytes(found.dataset.to_bytes())
    assert dataset.time is not None
    for trained, tested in [(dataset.trained(1), dataset.tested(1)), (dataset.fitted, dataset.holdout)]:
        assert dataset.time[tested].min() - dataset.time[trained].max() == 3 * DAY
    assert found.report["split"]["said"].endswith("gap of 3d, for which 4 rows before those kept out are left out")


def test_some_of_the_rows_keep_their_times_and_the_gap() -> None:
    dataset = read(days(), time="key", gap="3d").dataset
    rows = np.flatnonzero(dataset.y)
    assert (dataset.of(rows).trained(1) == dataset.trained(1)[rows]).all()


def test_a_dataset_that_has_no_times_is_written_as_before() -> None:
    dataset = read(list(range(90))).dataset
    assert b"time" not in dataset.to_bytes()
    again = Dataset.from_bytes(dataset.to_bytes())
    assert again.time is None
    assert (again.trained(1) == ((dataset.fold != 1) & (dataset.fold != HOLDOUT))).all()


def test_a_column_means_the_same_however_it_is_written() -> None:
    keys, how = days(), {"time": "key", "gap": "2d"}
    dates = [datetime.datetime.fromisoformat(f"{key}T00:00+00:00") for key in keys]
    files = [csv_file(HEADER, table(keys)), csv_file(HEADER, table([f"{key} 00:00" for key in keys]))]
    # The same moments in another zone.
    files.append(json_lines(HEADER, table([f"{key}T01:00:00+01:00" for key in keys])))
    files.append(parquet_of(HEADER, table(keys), (*TYPES, DataType.string())))
    plain = zip(zip(*rows(), strict=True), TYPES, strict=True)
    arrays = [Array(list(cells), type=kind) for cells, kind in plain]
    seconds = [int(date.timestamp()) for date in dates]
    for kind, unit in (
        (DataType.timestamp("ns", tz="Europe/Berlin"), 10**9),
        (DataType.timestamp("s"), 1),
        (DataType.date64(), 1000),
        (DataType.date32(), 1 / DAY),
    ):
        whole = DataType.int32() if kind == DataType.date32() else DataType.int64()
        key = Array([int(at * unit) for at in seconds], type=whole).cast(kind)
        files.append(parquet_file(dict(zip(HEADER, [*arrays, key], strict=True))))
    found = [validate_dataset(file, contract(search=how), read_here.open_rows) for file in files]
    assert len({one.digest for one in found}) == 1
    assert len({one.dataset.to_bytes() for one in found}) == 1


def test_a_group_means_the_same_as_a_number_or_a_text() -> None:
    numbers = [at // 6 for at in range(90)]
    how = contract(search={"group": "key"})
    files = [csv_file(HEADER, table(numbers)), csv_file(HEADER, table([f"{one}.0" for one in numbers]))]
    files += [json_lines(HEADER, table(numbers)), json_lines(HEADER, table([str(one) for one in numbers]))]
    files += [parquet_of(HEADER, table(numbers), (*TYPES, kind)) for kind in (DataType.int32(), DataType.float64())]
    found = [validate_dataset(file, how, read_here.open_rows) for file in files]
    assert len({one.digest for one in found}) == 1


def test_a_feature_may_be_what_rows_are_split_by() -> None:
    found = validate_dataset(csv_file(HEADER[:4], rows()), contract(search={"time": "weight"}), read_here.open_rows)
    weights = found.dataset.x[:, 1]
    assert weights[found.dataset.holdout].min() > weights[~found.dataset.holdout].max()
    assert found.dataset.x.shape[1] == 3


DAYS = {"name": "key", "kind": "date", "format": "%d/%m/%Y", "parts": ["month"]}


def test_a_time_that_is_a_date_among_the_features_is_read_by_its_format() -> None:
    iso, how = days(), {"time": "key", "gap": "2d"}
    keys = [f"{key[8:]}/{key[5:7]}/{key[:4]}" for key in iso]
    plain = zip(zip(*rows(), strict=True), TYPES, strict=True)
    arrays = [Array(list(cells), type=kind) for cells, kind in plain]
    text = DataType.dictionary(DataType.int32(), DataType.string())
    stamps = [int(datetime.datetime.fromisoformat(f"{key}T00:00+00:00").timestamp()) for key in iso]
    columns = [Array(keys, type=DataType.string()).cast(text), Array(stamps, type=DataType.int64())]
    columns[1] = columns[1].cast(DataType.timestamp("s"))
    files = [csv_file(HEADER, table(keys)), json_lines(HEADER, table(keys))]
    files += [parquet_file(dict(zip(HEADER, [*arrays, column], strict=True))) for column in columns]
    wanted = contract(features=[*contract().model_dump()["features"], DAYS], search=how)
    found = [validate_dataset(file, wanted, read_here.open_rows) for file in files]
    assert len({one.digest for one in found}) == 1
    by_format, by_iso = (one.dataset.time for one in (found[0], read(iso, **how)))
    assert by_format is not None
    assert by_iso is not None
    assert by_format.tolist() == by_iso.tolist()


@pytest.mark.parametrize(
    ("bad", "missing", "reason"),
    [
        ("", "keep", "is missing; accepted: a date written as %d/%m/%Y"),
        ("", "31/12/2026", "is missing; accepted: a date written as %d/%m/%Y"),
        ("2026-01-31", "keep", "is written otherwise than its format says, and a column is written in one way; "),
    ],
)
def test_a_date_that_rows_are_split_by_may_not_be_missing_and_one_reason_is_told(
    bad: str, missing: str, reason: str
) -> None:
    keys = [f"{at % 28 + 1}/{at // 28 + 1}/2026" for at in range(89)]
    day = {**DAYS, "missing": missing}
    wanted = contract(features=[*contract().model_dump()["features"], day], search={"time": "key"})
    found = validate_dataset(csv_file(HEADER, table([*keys, bad])), wanted, read_here.open_rows)
    [told] = found.report["reasons"]
    assert (told["column"], told["count"]) == ("key", 1)
    assert told["reason"].startswith(reason)


@pytest.mark.parametrize(
    ("search", "bad", "reason"),
    [
        ({"time": "key"}, "", "is missing; accepted: dates as in 2026-01-31"),
        ({"time": "key"}, "31.12.2026", "is no time; accepted: dates as in 2026-01-31"),
        ({"time": "key"}, "20260131", "is a number, and the first of the column is a date"),
        ({"group": "key"}, "", "is missing; accepted: a text or a number that all rows of a group have"),
    ],
)
def test_a_row_without_a_readable_key_is_set_aside(search: dict[str, str], bad: str, reason: str) -> None:
    keys = [*days(89)[:40], bad, *days(89)[40:]]
    found = read(keys, **search)
    [told] = found.report["reasons"]
    assert (told["column"], told["count"], told["first_lines"]) == ("key", 1, [42])
    assert told["reason"].startswith(reason)
    assert reason.encode() in found.rejected
    assert len(found.dataset.y) == 89


@pytest.mark.parametrize(
    ("keys", "search", "told"),
    [
        ([1, 2, 3] * 30, {"group": "key"}, "key has 3 different values: 3 folds and the holdout need 4 or more"),
        (
            [at % 2 and at for at in range(90)],
            {"group": "key"},
            "too few groups of key of yes (45): 3 folds and the holdout each need one of every class",
        ),
        (
            [1, 2, 3] * 30,
            {"time": "key"},
            "key has too few different times, or too many rows of one: 3 folds, the rows before them and the holdout "
            "each need some",
        ),
        (days(), {"time": "key", "gap": 3}, "search.gap is 3, and key holds dates; accepted: 7d, say"),
        (list(range(90)), {"time": "key", "gap": "3d"}, "search.gap is 3d, and key holds numbers; accepted: a number"),
        (
            days(),
            {"time": "key", "gap": "5w"},
            "search.gap of 5w leaves no row to train on before the first fold, which begins 2026-01-10; accepted: a "
            "smaller gap, or fewer folds",
        ),
    ],
)
def test_what_cannot_be_split_so_has_its_sentence(keys: list[Any], search: dict[str, Any], told: str) -> None:
    assert cause(keys, **search) == told


def test_a_class_that_came_late_cannot_be_learnt_by_time() -> None:
    told = cause([at + 1000 * (at % 2) for at in range(90)], time="key")
    assert told == (
        "too few rows of no (45), yes (45) in the order of key: 3 folds, the rows before them and the holdout each "
        "need one of every class"
    )


def test_the_column_has_to_be_there_in_every_format() -> None:
    for write in (csv_file, json_lines):
        with pytest.raises(RejectedDataset, match="key is missing"):
            validate_dataset(write(HEADER[:4], rows()), contract(search={"group": "key"}), read_here.open_rows)


@pytest.mark.integration
def test_the_keys_come_whole_from_a_process_of_its_own() -> None:
    for keys, search in ((days(), {"time": "key"}), ([f"tree {at % 15}" for at in range(90)], {"group": "key"})):
        apart, here = read(keys, read_apart.open_rows, **search), read(keys, **search)
        assert (apart.digest, apart.report) == (here.digest, here.report)


def test_another_group_or_time_is_another_dataset() -> None:
    groups = [f"tree {at % 15}" for at in range(90)]
    digests = {read(keys, group="key").digest for keys in (groups, ["tree 2", *groups[1:]])}
    digests |= {read(days(), **how).digest for how in ({}, {"time": "key"}, {"time": "key", "gap": "1d"})}
    assert len(digests) == 5
