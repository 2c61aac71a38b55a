"""Questions with a name. Each has one text, but for the few words that engines do not share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Dialect(StrEnum):
    """Whose SQL a question is written in."""

    DUCKDB = "duckdb"
    ATHENA = "athena"
    BIGQUERY = "bigquery"


PERCENTILES: Mapping[Dialect, str] = MappingProxyType(
    {
        Dialect.DUCKDB: "quantile_cont(ms, 0.{0})",
        Dialect.ATHENA: "approx_percentile(ms, 0.{0})",
        Dialect.BIGQUERY: "approx_quantiles(ms, 100)[offset({0})]",
    }
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question."""

    about: str
    template: str

    def text(self, dialect: Dialect, first: str, last: str) -> str:
        """Return it in the SQL of an engine, asked of the days from the first to the last."""
        words = {f"p{number}": PERCENTILES[dialect].format(number) for number in (50, 95, 99)}
        days = f"day between date '{first}' and date '{last}'"
        return Template(self.template).substitute(words, days=days).strip()


QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        "agreement-by-day": Question(
            about="how often two versions gave the same answer, day by day",
            template="""
select day, model, champion_version, version, sum(row_count) as compared, sum(agreed) as same,
    sum(agreed) * 1e0 / nullif(sum(row_count), 0) as agreement
from captures
where $days and agreed is not null
group by day, model, champion_version, version
order by day, model, champion_version, version
""",
        ),
        "slowest-versions": Question(
            about="how long each version took, in milliseconds, the slowest first",
            template="""
select model, version, count(*) as requests, avg(ms) as mean_ms, $p50 as p50_ms, $p95 as p95_ms, $p99 as p99_ms
from captures
where $days and ms is not null
group by model, version
order by p95_ms desc, model, version
""",
        ),
        "rejected-rows": Question(
            about="why rows of datasets were set aside, the most frequent reason first",
            template="""
select model, field, reason, sum(row_count) as rejected, count(distinct run) as runs
from rejections
where $days
group by model, field, reason
order by rejected desc, model, field, reason
""",
        ),
        "quality-by-version": Question(
            about="how good the answers were, by the truths that came",
            template="""
select model, version, count(*) as labelled,
    avg(case when predicted = truth then 1e0 when predicted <> truth then 0e0 end) as accuracy,
    avg(abs(predicted_number - truth_number)) as mean_absolute_error
from truths
where $days
group by model, version
order by model, version
""",
        ),
        "cost-by-model": Question(
            about="what each model used, in predictions, jobs and training, the dearest first",
            template="""
select model, kind, sum(calls) as calls, sum(gb_seconds) as gb_seconds, sum(usd) as usd, sum(kwh) as kwh,
    sum(grams) as grams
from costs
where $days
group by model, kind
order by usd desc, model, kind
""",
        ),
        "drift-by-column": Question(
            about="which columns moved away from what versions learnt from, the farthest first; checks of enough rows",
            template="""
select model, version, field, count(*) as checks,
    sum(case when state = 'drifted' then 1 else 0 end) as drifted, max(psi) as largest_psi
from drift
where $days and state <> 'few'
group by model, version, field
order by largest_psi desc, model, version, field
""",
        ),
    }
)
