"""A model of the sales of stores, day by day, for `Bench`: a forecast, fitted and exported as the prices are."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from tests.functions.bench import CONTRACT, NO_LATENCY

SALES: dict[str, Any] = {
    **{key: value for key, value in CONTRACT.items() if key != "gate"},
    "task": "forecasting",
    "features": [{"name": "promotion", "kind": "boolean"}],
    "target": {"name": "sales", "minimum": 0, "unit": "pieces"},
    "series": {"time": "day", "group": "store", "lags": [7, 14], "means": [7]},
    "search": {"families": [{"ridge": [0.1, 10.0]}], "folds": 3, "metric": "mae"},
    "gate": {"metric": "skill", "minimum": 0.0, **NO_LATENCY},
}
HEADER = ("day", "store", "promotion", "sales")
FIRST = date(2025, 1, 1)
STORES = ("north", "south", "west")
Row = list[Any]


def rows(days: int = 120, stores: tuple[str, ...] = STORES, seed: int = 7) -> list[Row]:
    """Return a row for each store and day: a week's shape, a slow rise, more in a promotion, and chance."""
    rng = random.Random(seed)  # noqa: S311 - made-up sales
    found: list[Row] = []
    for at in range(days):
        for number, store in enumerate(stores):
            promotion = rng.random() < 0.2
            level = 40 + 15 * number + 0.1 * at + (12 if at % 7 in (4, 5) else 0) + 20 * promotion
            day = (FIRST + timedelta(days=at)).isoformat()
            found.append([day, store, promotion, max(0, round(level + rng.gauss(0, 5)))])
    return found


def to_come(days: int, after: int = 120, stores: tuple[str, ...] = STORES) -> list[Row]:
    """Return rows whose sales are not known yet."""
    dates = [(FIRST + timedelta(days=after + at)).isoformat() for at in range(days)]
    return [[day, store, False, ""] for day in dates for store in stores]
