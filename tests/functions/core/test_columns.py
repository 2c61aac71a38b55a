"""Every kind of column means the same wherever its raw value is read: in a dataset, a request or a job."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from arro3.core import Array, DataType
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.dataset import read_apart
from functions.core.dataset.dataset import Dataset
from functions.core.dataset.read_here import open_rows
from functions.core.dataset.rejected_dataset import RejectedDataset
from functions.core.dataset.validation import validate_dataset
from functions.core.dataset.wanted import Wanted
from functions.core.http.problem import Problem
from functions.core.onnx.tensor import Tensor
from functions.core.registry.live_pointer import Live
from functions.core.registry.pointer import promote_first
from functions.core.registry.versions import Version, features_of
from functions.core.selection.retold import Untold, retold
from functions.core.serving.opening import open_trained
from functions.core.serving.tabular import Tabular
from models.feature import OTHER, Feature
from models.light import replace
from models.terms import terms_of
from tests.functions import bench as training
from tests.functions.core.dataset.tables import csv_file, json_lines, parquet_file
from tests.functions.jobbing import Mortal, Queue
from tests.functions.serving import MODEL, Bench, said

FEATURES: list[dict[str, Any]] = [
    {"name": "size", "maximum": 1000, "missing": "keep"},
    {"name": "count", "kind": "integer"},
    {"name": "new", "kind": "boolean", "missing": False},
    {"name": "plan", "kind": "category", "categories": ["basic", "pro"]},
    {"name": "colour", "kind": "category", "categories": ["green", "red"], "unseen": "other", "missing": "keep"},
    {"name": "city", "kind": "category", "learn": True, "unseen": "other", "rare_below": 2},
    {"name": "ordered", "kind": "date", "parts": ["year", "month"], "cyclic": True},
    {"name": "born", "kind": "date", "format": "%d.%m.%Y", "missing": "01.01.1970"},
    {
        "name": "seen", "kind": "datetime", "parts": ["weekday", "hour", "day_of_year", "week"], "since": "ordered",
        "missing": "keep",
    },
    {"name": "age", "kind": "date", "since": "born"},
    {"name": "note", "kind": "text", "words": 5, "missing": ""},
]  # fmt: skip
NAMES = [feature["name"] for feature in FEATURES]
WIDTH = 6 + 3 + 0 + 5 + 1 + 5
DAYS = st.dates(datetime(1900, 1, 1).date(), datetime(2100, 1, 1).date())
WORDS = st.sampled_from(["late", "Late", "very late!", "Zu\u0308rich Zürich", "na", "", "a b c", "ça 3.5"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)
OFFSETS = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=OFFSETS)
ROWS = st.tuples(
    st.none() | st.floats(-1000, 1000, width=32),
    st.integers(-(2**24), 2**24),
    st.none() | st.booleans(),
    st.sampled_from(["basic", "pro"]),
    st.none() | st.sampled_from(["green", "red", "(other)", " red "]) | TEXTS,
    st.sampled_from(["Bern", "Oslo", "Rome", "Atlantis"]),
    DAYS.map(str),
    st.none() | DAYS.map(lambda day: day.strftime("%d.%m.%Y").rjust(10, "0")),
    st.none() | MOMENTS.map(lambda moment: moment.isoformat()),
    DAYS.map(str),
    st.none() | WORDS | TEXTS,
)


def table(count: int = 60) -> list[list[Any]]:
    """Return rows whose city, month and words tell the target."""
    rows = []
    for at in range(count):
        yes = at % 2 == 0
        rows.append([
            at / 7, at, at % 3 == 0, "pro" if yes else "basic", "red" if at % 4 else "pink",
            "Rome" if at == 7 else "Bern" if yes else "Oslo", f"20{20 + at % 5}-{6 + 6 * yes:02}-{1 + at % 28:02}",
            f"{1 + at % 28:02}.03.2001", f"2026-06-{1 + at % 28:02}T{at % 24:02}:15:00Z", f"2026-01-{1 + at % 28:02}",
            "all well" if yes else "too late", "yes" if yes else "no",
        ])  # fmt: skip
    return rows


def trained(folder: Path) -> training.Bench:
    """Return a bench that has trained a version of a model of every kind of column."""
    bench = training.Bench(folder=folder)
    slices = [
        {"feature": "city", "category": "Bern", "at_most": 5.0},
        {"feature": "ordered.month_sin", "minimum": -1, "at_most": 5.0},
    ]
    gate = {"minimum": None, "metric": "log_loss", "maximum": 5.0, "margin": -5.0, "slices": slices}
    bench.write_model(features=FEATURES, gate=gate, quality={"minimum_rows": 20})
    run, answer = bench.run_through(csv_file([*NAMES, "ripe"], table()))
    assert answer["status"] == "registered", bench.record(run)
    return bench


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> training.Bench:
    return trained(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def version(made: training.Bench) -> Version:
    [name] = made.registry.versions()
    return made.registry.load(name)


@pytest.fixture(scope="module")
def served(version: Version) -> Tabular:
    return open_trained(version)


def numbers_of(file: bytes, version: Version) -> np.ndarray:
    """Return the rows of a file as the reader of datasets and of jobs gives them."""
    wanted = Wanted(features=features_of(version.card), lists=True)
    with open_rows(iter([file]), Wanted.parse(json.loads(json.dumps(wanted.document())))) as rows:
        parts = list(rows)
    assert not any(part.refused for part in parts)
    return np.concatenate([part.numbers for part in parts])


def parquet(rows: list[tuple[Any, ...]]) -> bytes:
    kinds = {"size": DataType.float64(), "count": DataType.int64(), "new": DataType.bool()}
    columns = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
    return parquet_file({name: Array(values, kinds.get(name, DataType.string())) for name, values in columns.items()})


@settings(deadline=None, max_examples=25)
@given(st.lists(ROWS, min_size=1, max_size=8))
def test_a_row_of_raw_values_is_the_same_numbers_in_a_dataset_a_request_and_a_job(
    served: Tabular, version: Version, rows: list[tuple[Any, ...]]
) -> None:
    objects = [dict(zip(NAMES, row, strict=True)) for row in rows]
    lists = [list(row) for row in rows]
    encoded = served.encode(objects)[served.input]
    expected = np.array(encoded.values(), dtype=np.float32).reshape(-1, WIDTH)
    served.admit({served.input: encoded})
    by_lists = np.array(served.encode(lists)[served.input].values(), dtype=np.float32).reshape(-1, WIDTH)
    files = [csv_file(NAMES, rows), json_lines(NAMES, rows), parquet(rows)]
    for other in [by_lists, *(numbers_of(file, version) for file in files)]:
        np.testing.assert_array_equal(expected, other)


def test_a_job_answers_the_rows_of_every_format_as_requests_are_answered(version: Version) -> None:
    bench = Bench()
    name = bench.registry.register(version.onnx, version.card, version.golden, {})
    bench.live.change(lambda pointer: promote_first(pointer, name, "first", bench.clock()))
    rows = [tuple(row[:-1]) for row in table(6)]
    expected = said(bench.predict(*[dict(zip(NAMES, row, strict=True)) for row in rows]))["predictions"]
    for file, content in {
        "a.csv": csv_file(NAMES, rows), "a.jsonl": json_lines(NAMES, rows), "a.parquet": parquet(rows),
    }.items():  # fmt: skip
        store = Mortal(Bench().jobs)
        store.put(f"{MODEL}/in/{file}", content)
        Queue(bench, store).run()
        lines = list(map(json.loads, store.objects.get(f"{MODEL}/out/{file}.jsonl").splitlines()))
        assert lines == expected, file


def test_categories_that_are_learnt_are_in_the_dataset_its_record_and_the_card(
    made: training.Bench, version: Version
) -> None:
    card = {feature["name"]: feature for feature in version.card["features"]}
    assert card["city"]["categories"] == ["Bern", "Oslo"]
    folder = f"{training.MODEL}/datasets/{made.record(version.card['run'])['dataset']}"
    assert Dataset.from_bytes(made.data.get(f"{folder}/data.npz")).learnt == {"city": ("Bern", "Oslo")}
    assert made.data.get_json(f"{folder}/report.json")["learnt"] == [
        {"column": "city", "categories": 2, "rare": 1, "rare_rows": 1}
    ]
    profile = made.data.get_json(f"{folder}/profile.json")["features"]
    assert (profile["city"]["categories"], profile["city"]["counts"]) == (["Bern", "Oslo", "(other)"], [30, 29, 1])
    assert list(profile) == sorted(term.name for term in terms_of(features_of(version.card)))


def test_a_champion_is_asked_though_another_dataset_has_other_categories(tmp_path: Path) -> None:
    bench = trained(tmp_path)
    [champion] = bench.registry.versions()
    Live(bench.models, training.MODEL).change(lambda pointer: promote_first(pointer, champion, "first", 0.0))
    rows = [[*row[:5], "Aarau" if row[1] > 40 else row[5], *row[6:]] for row in table()]
    run, answer = bench.run_through(csv_file([*NAMES, "ripe"], rows))
    assert answer["status"] == "registered"
    margin = next(check for check in bench.record(run)["checks"] if check["name"] == "margin over the champion")
    assert (margin["detail"], margin["value"] is None) == ("", False)


def test_rows_are_told_to_a_champion_by_the_names_of_its_categories() -> None:
    ours = [Feature(name="size"), Feature(name="city", kind="category", learn=True, categories=("Aarau", "Bern"))]
    theirs = [ours[0], replace(ours[1], categories=("Bern", "Oslo"))]
    x = np.array([[1, 1], [0, np.nan]], dtype=np.float32)
    np.testing.assert_array_equal(retold(x, ours, theirs), [[1, 0], [0, np.nan]])
    with pytest.raises(Untold, match="the champion refuses 1 rows: it does not know city = Aarau"):
        retold(np.array([[1, 0]], dtype=np.float32), ours, theirs)
    opened = [[ours[0], replace(one[1], unseen="other")] for one in (ours, theirs)]
    np.testing.assert_array_equal(retold(np.array([[1, 0], [1, 2]], dtype=np.float32), *opened), [[1, 2], [1, 2]])


def test_every_fault_of_a_row_is_told_once_by_its_column(served: Tabular) -> None:
    row = dict(zip(NAMES, table(1)[0], strict=False)) | {
        "plan": "gold", "ordered": "30.11.2026", "seen": "2026-02-30T08:15:00Z", "note": 7, "born": "2001-03-01",
    }  # fmt: skip
    with pytest.raises(Problem) as refused:
        served.encode([row])
    assert {fault.field.removeprefix("instances[0]."): fault.message for fault in refused.value.faults} == {
        "plan": "is not one of basic, pro",
        "ordered": "is written otherwise than ISO 8601 says, and a column is written in one way;"
        " accepted: a date such as 2026-11-30",
        "born": "is written otherwise than its format says, and a column is written in one way;"
        " accepted: a date written as %d.%m.%Y",
        "seen": "is no day or time that there is; accepted: a date and time such as 2026-11-30T08:15:00Z",
        "note": "is not a text",
    }


def test_a_tensor_holds_terms_and_the_position_after_the_last_category(served: Tabular) -> None:
    numbers = list(served.encode([dict(zip(NAMES, table(1)[0], strict=False))])[served.input].values())
    city, month = NAMES.index("city"), NAMES.index("city") + 2
    for at, value, sentence in ((city, 2.0, ""), (city, 3.0, "0 to 2"), (month, 1.5, "from -1 to 1")):
        changed = Tensor.of("FP32", (1, WIDTH), [*numbers[:at], value, *numbers[at + 1 :]])
        if not sentence:
            served.admit({served.input: changed})
            continue
        with pytest.raises(Problem) as refused:
            served.admit({served.input: changed})
        assert sentence in refused.value.faults[0].message
        assert "city" in refused.value.faults[0].field or "ordered.month_sin" in refused.value.faults[0].field


def test_the_schema_of_a_row_has_the_columns_and_that_of_a_tensor_the_terms(served: Tabular) -> None:
    schemas = served.schemas()
    named = schemas.instance["anyOf"][0]["properties"]
    assert named["colour"]["anyOf"][0] == {"type": "string", "examples": ["green", "red"]}
    assert named["ordered"] == {"type": "string", "format": "date"}
    assert named["seen"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert len(schemas.inputs[0]["properties"]["data"]["anyOf"][0]["items"]["prefixItems"]) == WIDTH


def test_dates_of_a_parquet_file_mean_what_their_texts_mean() -> None:
    features = tuple(map(Feature.parse, [
        {"name": "day", "kind": "date", "parts": ["year", "day_of_year"], "format": "%d.%m.%Y"},
        {"name": "moment", "kind": "datetime", "parts": ["hour", "minute"], "since": "day"},
        {"name": "local", "kind": "datetime", "parts": ["hour"]},
    ]))  # fmt: skip
    seconds = Array([1_796_026_500, 0, None], DataType.int64())
    file = parquet_file({
        "day": Array([20_787, 0, 1], DataType.int32()).cast(DataType.date32()),
        "moment": seconds.cast(DataType.timestamp("s")),
        "local": Array([1_796_026_500_000_000, 0, 3], DataType.int64()).cast(
            DataType.timestamp("us", tz="Europe/Berlin")
        ),
    })  # fmt: skip
    with open_rows(iter([file]), Wanted(features=features)) as rows:
        [some] = rows
    assert some.numbers[:2].tolist() == [[2026, 334, 8, 15, pytest.approx(0.34375), 8], [1970, 1, 0, 0, 0, 0]]
    assert [row.faults for row in some.refused.values()] == [
        [("moment", "is missing; accepted: a date and time such as 2026-11-30T08:15:00Z")]
    ]


def test_lines_that_are_no_rows_and_a_file_without_rows_are_read_beside_dates_and_texts(version: Version) -> None:
    columns = features_of(version.card)
    whole = csv_file(NAMES, [row[:-1] for row in table(2)])
    with open_rows(iter([whole.replace(b"\n", b"\nno row\n", 1)]), Wanted(features=columns)) as rows:
        [some] = rows
    assert (list(some.refused), some.numbers.shape) == ([0], (3, WIDTH))
    np.testing.assert_array_equal(some.numbers[1:], numbers_of(whole, version))
    with open_rows(iter([csv_file(NAMES, []), b"no row\n"]), Wanted(features=columns)) as rows:
        assert [len(some.refused) for some in rows if len(some.numbers)] == [1]


@pytest.mark.parametrize(
    ("values", "declared", "cause"),
    [
        ([f"user {at}" for at in range(1500)], {}, "more than 1,000 different values, too many to learn categories of"),
        (["Bern"] * 1500, {"rare_below": 1600, "unseen": "other"}, "none that is in 1600 rows or more"),
    ],
)
def test_a_column_that_has_no_categories_to_be_learnt_is_named(
    values: list[str], declared: dict[str, Any], cause: str
) -> None:
    features = [{"name": "city", "kind": "category", "learn": True, **declared}, {"name": "size"}]
    contract = training.contract(features=features, gate={"slices": []})
    file = csv_file(["city", "size", "ripe"], [[text, at, "yes" if at % 2 else "no"] for at, text in enumerate(values)])
    with pytest.raises(RejectedDataset) as rejection:
        validate_dataset(file, contract, open_rows)
    assert cause in str(rejection.value)
    assert "city" in str(rejection.value)


@pytest.mark.integration
def test_neither_the_order_of_the_rows_nor_the_process_that_reads_them_decides_what_is_learnt() -> None:
    features = [{"name": "city", "kind": "category", "learn": True}, {"name": "size"}]
    contract = training.contract(features=features, gate={"slices": []}, quality={"minimum_rows": 20})
    rows = [[("Bern", "Oslo", 7)[at % 3], at, "yes" if at % 2 else "no"] for at in range(60)]
    found = [
        validate_dataset(csv_file(["city", "size", "ripe"], some), contract, read)
        for some, read in ((rows, open_rows), ([*rows[1:], rows[0]], read_apart.open_rows))
    ]
    assert [one.dataset.learnt["city"] for one in found] == [("7", "Bern", "Oslo")] * 2
    assert {tuple(row) for row in found[0].dataset.x.tolist()} == {tuple(row) for row in found[1].dataset.x.tolist()}


def test_a_value_that_is_called_as_any_other_is_no_category_of_its_own() -> None:
    features = [{"name": "city", "kind": "category", "learn": True, "unseen": "other"}, {"name": "size"}]
    contract = training.contract(features=features, gate={"slices": []})
    rows = [[("Bern", OTHER, "Oslo")[at % 3], at, "yes" if at % 2 else "no"] for at in range(60)]
    found = validate_dataset(training.csv(rows, ("city", "size", "ripe")), contract, open_rows)
    assert found.dataset.learnt["city"] == ("Bern", "Oslo")
    assert found.dataset.x[:3, 0].tolist() == [0, 2, 1]
