"""Every question that has a name is asked, and what each cloud would be asked is the same question."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot

from sml.query.questions import QUESTIONS, Dialect
from tests.functions.core.watching.rows import VERSION, named
from tests.sml.query.stocked import CHALLENGER, DAYS, Stocked, whole

MS = pytest.approx
ANSWERS: dict[str, Any] = {
    "agreement-by-day": [(named(0), "tumour", VERSION, CHALLENGER, 4, 3, 0.75)],
    "slowest-versions": [
        ("tumour", CHALLENGER, 4, 100.0, 100.0, 100.0, 100.0),
        ("tumour", VERSION, 15, MS(55 / 15), MS(3.0, abs=0.5), MS(8.3, abs=0.8), MS(8.86, abs=0.5)),
    ],
    "rejected-rows": [("tumour", "age", "is no number", 45, 2), ("tumour", "", "is twice", 2, 1)],
    "quality-by-version": [("tumour", VERSION, 4, 0.75, None)],
    "cost-by-model": [
        ("tumour", "jobs", 10, 1.0, 0.25, 0.5, 4.0),
        ("tumour", "predictions", 10, 1.0, 0.25, 0.5, 4.0),
        ("tumour", "training", 10, 1.0, 0.25, 0.5, 4.0),
    ],
    "drift-by-column": [("tumour", VERSION, "size", 1, 1, 0.75)],
}


@pytest.fixture(scope="module")
def stack() -> Stocked:
    return whole()


@pytest.mark.parametrize("dialect", Dialect)
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_has_the_same_answer_in_the_words_of_each_engine(
    stack: Stocked, name: str, dialect: Dialect
) -> None:
    asked = QUESTIONS[name].text(dialect, DAYS.first, DAYS.last)
    if dialect is not Dialect.DUCKDB:
        # What the cloud's own parser would make of it, in words that can be run here.
        asked = sqlglot.transpile(asked, read=str(dialect), write="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)[
            0
        ]
    found = [tuple(str(cell) if at == 0 else cell for at, cell in enumerate(row)) for row in stack.rows(asked)]
    assert found == ANSWERS[name]


def test_questions_differ_between_engines_in_percentiles_alone() -> None:
    texts = {dialect: QUESTIONS["slowest-versions"].text(dialect, "2026-11-01", "2026-11-30") for dialect in Dialect}
    percentiles = {dialect: text.partition("mean_ms, ")[2].partition(" as p50")[0] for dialect, text in texts.items()}
    assert percentiles == {
        "duckdb": "quantile_cont(ms, 0.50)",
        "athena": "approx_percentile(ms, 0.50)",
        "bigquery": "approx_quantiles(ms, 100)[offset(50)]",
    }
    for name, question in QUESTIONS.items():
        if name != "slowest-versions":
            assert len({question.text(dialect, DAYS.first, DAYS.last) for dialect in Dialect}) == 1
        assert f"day between date '{DAYS.first}' and date '{DAYS.last}'" in question.text(
            Dialect.ATHENA, DAYS.first, DAYS.last
        )
