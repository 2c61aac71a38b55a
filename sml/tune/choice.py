"""Which sizes are worth having, and which of them is best for a purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sml.tune.measured import Measured

ALIKE = 0.03
"""The share by which latencies may differ that count as the same: what is measured twice differs as much."""
DEFAULT = "balanced"


def pareto(measured: Sequence[Measured]) -> list[Measured]:
    """Return those that no other beats: one that is no worse in p95, USD and grams, and better in one of them."""
    there = [one for one in measured if not one.problem]
    return [one for one in there if not any(_beats(other, one) for other in there)]


def _beats(one: Measured, other: Measured) -> bool:
    mine, theirs = _figures(one), _figures(other)
    return all(a <= b for a, b in zip(mine, theirs, strict=True)) and mine != theirs


def _figures(one: Measured) -> tuple[float, float, float]:
    return one.p95, one.usd or 0.0, one.grams or 0.0


def _cost(one: Measured, among: Sequence[Measured]) -> tuple[float, float]:
    del among
    return one.usd or one.seconds, one.p95


def _latency(one: Measured, among: Sequence[Measured]) -> tuple[float, float]:
    fastest = min(each.p95 for each in among)
    return (0.0 if one.p95 <= fastest * (1 + ALIKE) else one.p95), one.usd or one.seconds


def _balanced(one: Measured, among: Sequence[Measured]) -> tuple[float, float]:
    del among
    return (one.usd or one.seconds) * one.p95, one.p95


PURPOSES: Mapping[str, Callable[[Measured, Sequence[Measured]], tuple[float, float]]] = {
    "balanced": _balanced,
    "cost": _cost,
    "latency": _latency,
}
"""What is smallest of the best size: USD times p95, USD, or p95."""


def best(measured: Sequence[Measured], purpose: str = DEFAULT) -> Measured | None:
    """Return the best size for a purpose, of those with memory to spare, also for a batch; None where no size fits."""
    good = pareto(measured)
    roomy = [one for one in good if not (one.tight or one.batch_problem)] or good
    return min(roomy, key=lambda one: PURPOSES[purpose](one, roomy)) if roomy else None


def advice(measured: Sequence[Measured], purpose: str = DEFAULT) -> str:
    """Return in a sentence which size to take in place of the deployed one, and what that changes."""
    chosen = best(measured, purpose)
    if chosen is None:
        return "no size fits: all were too small, or refused"
    now = next((one for one in measured if one.deployed), None)
    name = f"{chosen.size.memory_mb:,} MB"
    if now is chosen:
        return f"{name}, as it is deployed, is best for {purpose}"
    if now is None or now.problem:
        return f"{name} is best for {purpose}: p95 {_ms(chosen.p95)}{_money(chosen)}"
    changes = [
        _changed(now.usd, chosen.usd, "cheaper", "dearer"),
        _changed(now.grams, chosen.grams, "less CO2e", "more CO2e"),
    ]
    told = ", ".join(part for part in changes if part)
    p95 = f"p95 {now.p95:.3g} -> {_ms(chosen.p95)}"
    return f"{name} instead of {now.size.memory_mb:,}: {told + ', ' if told else ''}{p95}"


def _changed(before: float | None, after: float | None, less: str, more: str) -> str:
    if not before or after is None:
        return ""
    change = after / before - 1
    return "" if abs(change) < 0.005 else f"{abs(change):.0%} {less if change < 0 else more}".replace("%", " %")


def _ms(value: float) -> str:
    return f"{value:.3g} ms"


def _money(one: Measured) -> str:
    return "" if one.usd is None else f", {one.usd:.3g} USD for 1,000"
