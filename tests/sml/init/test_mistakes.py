"""Tables of which no model can be made: each is answered with one sentence that says what to do."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sml.mistake import Mistake
from tests.sml.init.tables import classes, csv_of, json_lines, made, penguins, proposal, staff

DRAW = random.Random(5)  # noqa: S311
NUMBERS = [(at * 1.5, at % 2) for at in range(60)]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the file is empty"),
        (b"a,b,c\n", "has a header and no rows"),
        (b"a\n1\n2\n", "has one column, 'a', and at least two are needed"),
        (b",\n1,2\n", "has no column with a name and at least two are needed"),
        (csv_of(("a", "a", "b"), NUMBERS), "the header names a twice; give each column a name of its own"),
        (b"a,b\n1,x\n2,y\n3,x\n", "has 3 rows; at least 10 are needed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "the file is an image"),
        (DRAW.randbytes(4000), "the file holds binary data"),
        (b"PK\x03\x04" + bytes(90), "a zip archive or an Excel workbook; save the sheet as CSV"),
        (b"5.1,3.5,a\n" * 20, "the first line, 5.1, 3.5, a, looks like a row; write the names"),
        (staff(encoding="cp1252"), "rows cannot be read; the first is line 2: is not UTF-8; save the file as UTF-8"),
        (csv_of(("a", "target"), [(at, "x") for at in range(60)]), "target: is x in every row"),
        (csv_of(("a", "target"), [(at, "") for at in range(60)]), "target: is empty in every row"),
        (csv_of(("a", "target"), [(at, f"k{at % 500}") for at in range(1500)]), "500 different values in 1,500 rows"),
        (csv_of(("a", "target"), [(at % 7, at if at % 4 else f"n{at}") for at in range(90)]), "among them, n0; write"),
        (csv_of(("a", "target"), [(at % 7, 2.5) for at in range(60)]), "target: is 2.5 in every row"),
        (csv_of(("a", "target"), [(at, "xy"[at == 3]) for at in range(60)]), "too few rows of y (1); each class"),
        (csv_of(("a", "b"), [(at * 0.7, at / 3) for at in range(60)]), "no column looks like classes"),
        (csv_of(("a", "b", "c"), [(at % 3, "uv"[at % 2], at / 7) for at in range(60)]), "name it, as --target b"),
        (csv_of(("class", "label_1", "Class"), [(0, 1, at % 2) for at in range(60)]), "name it, as --target class"),
        (
            csv_of(("energy_class", "sale_price"), [("ABC"[at % 3], at * 1.5) for at in range(60)]),
            "energy_class, sale_price may each be what is to be predicted; name it, as --target sale_price",
        ),
        (
            csv_of(("when", "b", "label"), [(f"0{at % 9 + 1}/02/2025", at % 2, "yn"[at % 2]) for at in range(60)]),
            "not used are when (dates or times, in several ways of writing",
        ),
        (csv_of(("id", "target"), NUMBERS), "nothing is left to predict target from: id: tells rows apart"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_table_of_which_no_model_can_be_made_is_answered_with_a_sentence(
    data: bytes, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(Mistake) as told:
        proposal(data, tmp_path)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


def test_a_path_that_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(Mistake, match=r"nowhere\.csv: there is no such file"):
        made(penguins(), tmp_path, table=tmp_path / "nowhere.csv")
    with pytest.raises(Mistake, match=r"is a folder; name one file, such as .*/models/data.csv"):
        made(penguins(), tmp_path, table=tmp_path / "models")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("Species", "has no column 'Species'; did you mean species?"),
        ("nothing", "has no column 'nothing'; the columns are rowid, species"),
    ],
)
def test_a_target_that_cannot_be_one_is_answered_with_the_columns(target: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(Mistake) as told:
        proposal(penguins(), tmp_path, target)
    assert sentence in str(told.value)


def test_a_target_may_be_named(tmp_path: Path) -> None:
    found = proposal(penguins(), tmp_path, "sex")
    assert (classes(found), found.target.why) == (("female", "male"), "named by --target")
    assert any(warning.startswith("sex is missing in") for warning in found.warnings)


@pytest.mark.parametrize("labels", [(0, 1), (True, False), ("0", "1")], ids=["numbers", "truths", "texts"])
def test_classes_of_json_lines_are_texts_numbers_or_truths(labels: tuple[object, ...], tmp_path: Path) -> None:
    found = proposal(json_lines([{"x": at / 7, "label": labels[at % 2]} for at in range(60)]), tmp_path)
    assert sorted(classes(found)) == sorted(str(one).lower() for one in labels)
