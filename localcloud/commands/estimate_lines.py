"""An estimate in lines: what a stack costs and emits, with what was assumed and what is missing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

UNITS: Mapping[str, str] = {
    "thousand_predictions": "1,000 predictions",
    "training_run": "a training run",
    "job": "a job",
    "idle_month": "an idle month",
    "month": "a month of traffic",
}
NAME = 20
LABEL, WIDTH = 8, 100
LEAST_USD = 0.005
SHOWN = 6
"""Resources that are listed: those that cost most."""


def lines(estimate: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines; of a cloud without a tariff, the one that says so."""
    where = " ".join(part for part in (estimate["cloud"], estimate["region"]) if part)
    if not estimate["figures"]:
        yield from (f"estimate: {remark}" for remark in estimate["remarks"])
        return
    prices = estimate["prices"]
    yield f"estimate of {where}, at list prices read on {prices['read_on']}, without discounts, taxes and free tiers"
    for remark in estimate["remarks"]:
        yield from _told("NOTE", remark)
    yield f"  {'':<{NAME}} {'USD':>10}  {'kWh':>9}  gCO2e, low to high"
    for unit, words in UNITS.items():
        yield _row(words, estimate["figures"][unit])
    if len(estimate["models"]) > 1:
        for model, figures in estimate["models"].items():
            yield _row(f"1,000 of {model}", figures["thousand_predictions"])
            yield _row(f"a run of {model}", figures["training_run"])
    yield from _costs(estimate)
    yield from _carbon(estimate)
    for each in estimate["alternatives"]:
        yield from _told("or", f"{each['kind']}: {_alternative(each)}")
    yield from _missing(estimate)


def _told(label: str, text: str) -> Iterator[str]:
    """Yield a text below its label, wrapped."""
    first, *others = textwrap.wrap(text, WIDTH - LABEL - 2, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"  {label:<{LABEL}}{first}"
    yield from (f"  {'':<{LABEL}}{line}" for line in others)


def _row(words: str, figure: Mapping[str, Any]) -> str:
    grams = figure["grams"]
    said = "not known" if grams is None else between(grams)
    return f"  {words:<{NAME}} {usd(figure['usd']):>10}  {_digits(figure['kwh']['central']):>9}  {said}"


def _costs(estimate: Mapping[str, Any]) -> Iterator[str]:
    for words in estimate["assumptions"]:
        yield from _told("assumed", words)
    if estimate["standing_usd"] is None:
        return
    yield (
        f"  month   {usd(estimate['standing_usd'])} USD standing, whatever is asked,"
        f" and {usd(estimate['usage_usd'])} by usage"
    )
    dearest = sorted(estimate["resources"], key=lambda each: -abs(each["month"]["usd"]))
    for each in dearest[:SHOWN]:
        share = f"{usd(each['standing_usd'])} standing, {usd(each['usage_usd'])} usage"
        yield f"    {usd(each['month']['usd']):>10} USD  {each['name']}: {share}"
    if others := dearest[SHOWN:]:
        rest = sum(each["month"]["usd"] for each in others)
        yield f"    {usd(rest):>10} USD  {len(others)} other resources"
    if tiers := estimate["free_tiers"]:
        total = sum(each["usd"] for each in tiers)
        said = (
            f"{each['name']} {usd(each['usd'])} of {each['quantity']:,.0f} {each['unit']}"
            f"{' (unverified)' if each['unverified'] else ''}"
            for each in tiers
        )
        yield from _told("free", f"tiers of the account take off up to {usd(total)} USD: {', '.join(said)}")


def _carbon(estimate: Mapping[str, Any]) -> Iterator[str]:
    month = estimate["figures"]["month"]
    yield from _told("carbon", f"SCI, ISO/IEC 21031:2024, location-based, modelled: {estimate['boundary']}")
    if estimate["grid"] is not None:
        yield from _told("grid", f"{between(estimate['grid'])} g/kWh: {estimate['grid']['said']}")
        told = f"E {between(month['kwh'])} kWh, O {between(month['operational_grams'])} g"
        yield from _told("month", f"{told}, M {between(month['embodied_grams'])} g")
    if (machine := estimate["always_on"]) is not None:
        yield from _told("machine", _machine(machine))


def _machine(machine: Mapping[str, Any]) -> str:
    words = (
        f"always on, {machine['vcpus']} vCPUs and {machine['gb']} GB: {between(machine['machine']['grams'])} g a month;"
        f" the predict functions {between(machine['functions']['grams'])} g"
    )
    crossing, most = machine["crossing"], machine["most"]
    if crossing == 0:
        return f"{words}; what is kept ready emits more at any rate"
    if crossing is None or crossing > most:
        return f"{words}; functions emit less at every rate that it can answer, {most:,.0f}/s"
    return f"{words}; functions emit less up to {crossing:,.0f} predictions/s"


def _alternative(each: Mapping[str, Any]) -> str:
    parts = []
    if each["usd"] is not None and abs(each["usd"]) < LEAST_USD:
        parts.append("the same USD")
    elif each["usd"] is not None:
        parts.append(f"{usd(abs(each['usd']))} USD {'less' if each['usd'] >= 0 else 'more'}")
    if each["grams"] is not None:
        parts.append(f"{_digits(abs(each['grams']))} g {'less' if each['grams'] >= 0 else 'more'}")
    condition = f", {each['condition']}" if each["condition"] else ""
    return f"{each['setting']}: {each['now']} -> {each['other']}: {', '.join(parts)} a month{condition}"


def _missing(estimate: Mapping[str, Any]) -> Iterator[str]:
    prices = estimate["prices"]
    if prices["standing_in"]:
        yield from _told("prices", f"of {prices['base']}, for want of the region's: {', '.join(prices['standing_in'])}")
    if prices["unverified"]:
        yield from _told("prices", f"unverified: {', '.join(prices['unverified'])}")
    for each in estimate["not_priced"]:
        names = f" ({', '.join(each['names'][:3])}{', ...' if len(each['names']) > 3 else ''})" if each["names"] else ""
        yield from _told("without", f"{each['what']}{names}: {each['why']}")
    count = sum(len(each["names"]) for each in estimate["free_of_charge"])
    yield from _told("nothing", f"cost by themselves {count} resources of {len(estimate['free_of_charge'])} types")


def usd(figure: float | None) -> str:
    """Return an amount with cents, or with three digits where it is less; a dash where nobody knows it."""
    if figure is None:
        return "-"
    return f"{figure:,.2f}" if abs(figure) >= 1 or figure == 0 else _digits(figure)


def between(interval: Mapping[str, float]) -> str:
    """Return a figure with its bounds: `1.3 (0.8 to 2.4)`."""
    return f"{_digits(interval['central'])} ({_digits(interval['low'])} to {_digits(interval['high'])})"


def _digits(figure: float) -> str:
    """Return three significant digits, without an exponent."""
    if figure == 0:
        return "0"
    if abs(figure) >= 100:
        return f"{figure:,.0f}"
    decimals = 2
    while abs(figure) < 10 ** (1 - decimals) and decimals < 12:
        decimals += 1
    return f"{figure:.{decimals if abs(figure) < 10 else 1}f}"
