"""Whatever a small table holds: a folder whose contract the project reads, or one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.contract import Contract
from models.document import Document
from models.feature import Feature
from sml.init.written import declaration, scalar
from sml.mistake import Mistake
from tests.sml.init.tables import csv_of, json_lines, made

CELLS = st.one_of(
    st.sampled_from(
        ["yes", "no", "0", "1", "", "NA", "a", "b", "1.5", "1,5", "?", "2020-01-01", "007", "true", "None"]
    ),
    st.integers(-5, 5).map(str),
    st.floats(-1e9, 1e9).map(str),
    st.text(max_size=6),
)
NAMES = st.one_of(
    st.sampled_from(["target", "y", "id", "class", "a b", "größe", "x,y", "", "import", "1", 'say "x"', "a#b", "{a}"]),
    st.text(max_size=8),
)


@st.composite
def strange_tables(draw: st.DrawFn) -> bytes:
    """Any header, and rows of any cells."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=12))
    return csv_of(names, rows * draw(st.integers(1, 4)), draw(st.sampled_from([",", ";", "\t", "|"])))


@st.composite
def likely_tables(draw: st.DrawFn) -> bytes:
    """Two or three classes, and columns of several kinds, with mistakes and gaps among their cells."""
    chance = draw(st.randoms(use_true_random=False))
    names = [
        "target",
        *draw(
            st.lists(NAMES.filter(lambda name: name.strip() != "target"), min_size=1, max_size=4, unique_by=str.strip)
        ),
    ]
    few = draw(st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=len(names), max_size=len(names)))
    kinds = draw(st.lists(st.sampled_from(["few", "number", "whole", "row"]), min_size=len(names), max_size=len(names)))
    classes = draw(st.sampled_from([["u", "v"], ["0", "1"], ["no", "yes"], ["a", "b", "c"], ["True", "False"]]))
    made_of = {"number": lambda: str(chance.gauss(0, 9)), "whole": lambda: str(chance.randrange(99))}
    rows = [
        [chance.choice(classes)]
        + [made_of.get(kind, lambda at=at: str(at))() if kind != "few" else chance.choice(some)
           for kind, some in zip(kinds[1:], few[1:], strict=True)]
        for at in range(draw(st.integers(30, 90)))
    ]  # fmt: skip
    for _ in range(draw(st.integers(0, 4))):
        chance.choice(rows)[-1] = draw(CELLS)
    return csv_of(names, rows, draw(st.sampled_from([",", ";"])))


def holds(data: bytes, folder: Path) -> None:
    models = folder / "models"
    shutil.rmtree(models, ignore_errors=True)
    try:
        made(data, folder)
    except Mistake:
        assert not models.exists()
    else:
        assert Contract.load("trial", models).features


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(strange_tables(), likely_tables()))
def test_a_csv_becomes_a_model_or_a_sentence(data: bytes, tmp_path: Path) -> None:
    holds(data, tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.dictionaries(
            NAMES, st.one_of(CELLS, st.booleans(), st.integers(0, 3), st.none(), st.lists(st.integers())), max_size=4
        ),
        max_size=3,
    )
)
def test_json_lines_become_a_model_or_a_sentence(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    holds(json_lines(rows * 12), tmp_path)


@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_written_as_yaml_reads_it(text: str) -> None:
    line = declaration(Feature(name=text, kind="category", categories=(text, f"{text}!")))
    document = Document.read(f"- {line}\n- {scalar(text)}\n".encode(), "model.yaml")
    assert document.value == [{"name": text, "kind": "category", "categories": [text, f"{text}!"]}, text]
    assert not any(plain.surprising for plain in document.plain.values())
