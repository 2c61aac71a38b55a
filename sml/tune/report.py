"""What a tuning found, as a table for people, as JSON, and as a page with two charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.selection.html import Markup, badge, escape, facts, number, page, section, table
from sml.tune.chart import Point, chart
from sml.tune.choice import advice, best, pareto
from sml.tune.measured import Measured

COLUMNS = {
    "memory_mb": "MB",
    "processors": "processors",
    "p50_ms": "p50 ms",
    "p95_ms": "p95 ms",
    "cold_ms": "cold ms",
    "batch_ms": "batch ms",
    "used_mb": "used MB",
    "usd_per_1000": "USD/1,000",
    "grams_per_1000": "g/1,000",
    "mark": "",
}
BILL = (
    "USD and grams are those of 1,000 warm requests of one row, by the list prices and the grid of {region} as read on "
    "{tariff}: the function and its calls, as they are billed; without API, stores, starts, free tiers and discounts."
)
NO_PRICE = "The tables have no price for the region: costs and grams are missing, and seconds stand for them."


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """What was measured of one function, and how."""

    function: str
    model: str
    version: str
    where: str
    proves: str
    measured: Sequence[Measured]
    purpose: str
    calls: int

    @property
    def advice(self) -> str:
        return advice(self.measured, self.purpose)

    @property
    def chosen(self) -> Measured | None:
        return best(self.measured, self.purpose)

    @property
    def bill(self) -> str:
        """What the costs are, and are not."""
        meters = [one.size.meter for one in self.measured if one.size.meter is not None]
        return BILL.format(region=meters[0].region, tariff=meters[0].tariff) if meters else NO_PRICE

    @property
    def batch_rows(self) -> int:
        return max((one.batch_rows for one in self.measured), default=0)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each size, with what it is marked as."""
        good = pareto(self.measured)
        return [_row(one, good=any(one is each for each in good), chosen=one is self.chosen) for one in self.measured]

    def document(self) -> Mapping[str, Any]:
        """Return all of it as JSON has it."""
        chosen = self.chosen
        return {
            "function": self.function,
            "model": self.model,
            "version": self.version,
            "where": self.where,
            "proves": self.proves,
            "bill": self.bill,
            "purpose": self.purpose,
            "calls": self.calls,
            "batch_rows": self.batch_rows,
            "sizes": [
                {**{key: value for key, value in row.items() if key != "mark"}, "pareto": "pareto" in row["mark"]}
                for row in self.rows()
            ],
            "best_mb": None if chosen is None else chosen.size.memory_mb,
            "advice": self.advice,
        }


def _row(one: Measured, *, good: bool, chosen: bool) -> dict[str, Any]:
    known = {"memory_mb": one.size.memory_mb, "processors": round(one.size.processors, 3), "deployed": one.deployed}
    if one.problem:
        return {**known, "problem": one.problem, "mark": one.problem if len(one.problem) < 40 else "refused"}
    marks = [
        ("best", chosen),
        ("pareto", good),
        ("deployed", one.deployed),
        ("hardly any memory left", one.tight),
        (f"batch: {one.batch_problem[:40]}", bool(one.batch_problem)),
    ]
    return {
        **known,
        "p50_ms": one.p50,
        "p95_ms": one.p95,
        "cold_ms": one.cold_ms,
        "batch_ms": one.batch_ms,
        **({"batch_problem": one.batch_problem} if one.batch_problem else {}),
        "used_mb": one.memory_mb,
        "usd_per_1000": one.usd,
        "grams_per_1000": one.grams,
        "mark": ", ".join(name for name, there in marks if there),
    }


def render(tuned: Tuned) -> bytes:
    """Return the page, which needs no other file."""
    body = Markup(
        f"<h1>{escape(tuned.function)}: which memory</h1>\n"
        f'<p class="lead">{escape(tuned.advice)}</p>\n'
        + facts(
            [
                ("model", escape(f"{tuned.model}, version {tuned.version}")),
                ("measured", escape(tuned.where)),
                ("what that shows", escape(tuned.proves)),
                ("USD and grams", escape(tuned.bill)),
            ]
        )
        + section("Latency over what it costs", _charts(tuned))
        + section("Every size", _table(tuned))
    )
    return page(f"{tuned.function}: which memory", body)


def _charts(tuned: Tuned) -> Markup:
    there, good = [one for one in tuned.measured if not one.problem], pareto(tuned.measured)
    if not there:
        return Markup("<p>No size fits.</p>\n")
    drawn = []
    for name, figure in (("USD for 1,000", lambda one: one.usd), ("g CO2e for 1,000", lambda one: one.grams)):
        points = [
            Point(
                x=figure(one),
                y=one.p95,
                name=f"{one.size.memory_mb:,}",
                title=f"{one.size.memory_mb:,} MB: p95 {one.p95:.3g} ms, {figure(one):.3g} {name}",
                good=any(one is each for each in good),
                deployed=one.deployed,
            )
            for one in there
            if figure(one) is not None
        ]
        if points:
            drawn.append(f"<figure>{chart(points, name, 'p95 ms')}</figure>")
    told = "Filled: the Pareto set, which no other size beats in p95, USD and grams at once. Ringed: deployed."
    return Markup(f'<div class="side">{"".join(drawn)}</div>\n<p class="lead">{escape(told)}</p>\n')


def _table(tuned: Tuned) -> Markup:
    keys = [key for key in COLUMNS if key != "mark"]
    rows = []
    for row, one in zip(tuned.rows(), tuned.measured, strict=True):
        cells = [number(row.get(key), 3) for key in keys]
        told = escape(row["mark"])
        if one.problem or one is tuned.chosen:
            told = badge(not one.problem, row["mark"])
        rows.append((*cells, told))
    caption = f"{tuned.calls} requests of a row each, after a start; a batch has {tuned.batch_rows or 'no'} rows."
    return table(caption, [*(f"#{COLUMNS[key]}" for key in keys), ""], rows)
