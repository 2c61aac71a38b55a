"""The sections on cost and carbon: two estimates, both by the head's tariffs and at the head's traffic, compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sml.review.report import Line, Prose, Section, Table, Words, cell, counted

MONTH: Final[Mapping[str, Words]] = {
    "month": Words("a month"),
    "idle_month": Words("of that standing, also when nobody asks"),
}
UNITS: Final[Mapping[str, Words]] = {
    "thousand_predictions": Words("1,000 predictions"),
    "training_run": Words("a training run"),
    "job": Words("a job"),
}
KILO: Final = 1000
TRAFFIC: Final = 2
"""How many of an estimate's assumptions tell the traffic; the others are of the method."""
ALTERNATIVES: Final = 5


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The estimates of both sides; each may be empty, where nobody estimated it."""

    base: Mapping[str, Any]
    head: Mapping[str, Any]

    @property
    def differ(self) -> bool:
        """Whether both are known, and their figures differ."""
        return bool(self._known) and self.base.get("figures") != self.head.get("figures")

    def first(self) -> Iterator[Line]:
        """Yield what the first line says: USD a month, and CO2e a month with its range."""
        if not self.head.get("figures"):
            return
        before, after = self._month(self.base), self._month(self.head)
        yield (Words(f"USD/month {_change(_usd(before), _usd(after), known=bool(before))}"),)
        unit, kilo = ("kgCO2e", KILO) if (_central(after) or 0) >= KILO else ("gCO2e", 1)
        shown = [_number(_central(figure), kilo) for figure in (before, after)]
        yield (Words(f"{_change(shown[0], shown[1], known=bool(before))} {unit}/month{_range(after, kilo)}"),)

    def sections(self) -> Iterator[Section]:
        """Yield the figures with what they assume beside them; then, folded, the resources, and what would be less."""
        if not self.head.get("figures"):
            return
        alike = bool(self._known) and not self.differ
        told: list[Line] = [(Words("assumed: "), Prose(words)) for words in self.head["assumptions"][:TRAFFIC]]
        told += [(Words("note: "), Prose(remark)) for remark in self.head["remarks"]]
        told += self._standing_in()
        yield Section(
            title=Words(
                f"Cost and carbon{', which do not differ' if alike else ''}, at list prices without free tiers"
            ),
            lines=tuple(told),
            table=Table(columns=(Words("of"), Words("USD"), Words("gCO2e, low to high")), rows=tuple(self._rows())),
            folded=alike,
        )
        if rows := tuple(self._resources()):
            columns = (Words("resource"), Words("USD a month: standing"), Words("by usage"), Words("gCO2e a month"))
            yield Section(title=Words("Cost and carbon of each resource"), table=Table(columns=columns, rows=rows))
        if others := self.head["alternatives"][:ALTERNATIVES]:
            yield Section(title=Words("What would be cheaper or greener"), lines=tuple(map(_alternative, others)))
        yield Section(title=Words("How that was estimated"), lines=tuple(self._method()))

    def not_analysed(self) -> Iterator[Line]:
        """Yield what is not in the figures."""
        if not self.head.get("figures"):
            yield (Words("Cost and carbon: not estimated by this commit."),)
            yield from ((Prose(remark),) for remark in self.head.get("remarks", ()))
            return
        if not self._known:
            yield (Words("Cost and carbon of the base: not estimated."),)
        for one in self.head["not_priced"]:
            names = [part for name in one["names"][:3] for part in (Words(" "), str(name))]
            more = [Words(f" and {len(one['names']) - 3} more")] if len(one["names"]) > 3 else []
            yield (Words("Not priced: "), Prose(one["what"]), *names, *more, Words(": "), Prose(one["why"]))

    def dates(self) -> Iterator[str]:
        """Yield, for the last line, the dates of prices and the years of the grid's intensities."""
        if prices := self.head.get("prices"):
            yield from (Words("; prices as read on "), Prose(prices["read_on"]))
        if grid := self.head.get("grid"):
            years = sorted({str(reading["year"]) for reading in grid["readings"]})
            yield from (Words("; grid intensities of "), Prose(", ".join(years)))

    @property
    def _known(self) -> Mapping[str, Any]:
        return self.base.get("figures") or {}

    def _month(self, estimate: Mapping[str, Any]) -> Mapping[str, Any]:
        return (estimate.get("figures") or {}).get("month") or {}

    def _standing_in(self) -> Iterator[Line]:
        prices = self.head["prices"]
        if found := prices["standing_in"]:
            yield (
                Words(f"note: {counted(len(found), 'price')} of "),
                Prose(prices["base"]),
                Words(", for want of this region's"),
            )

    def _rows(self) -> Iterator[tuple[tuple[Line, ...], ...]]:
        yield from self._units(MONTH)
        shown = [_dollars(one.get("usage_usd")) for one in (self.base, self.head)]
        usage = Words("of that by usage, at the traffic above")
        yield (cell(usage), cell(Words(_change(shown[0], shown[1], known=bool(self._known)))), cell())
        yield from self._units(UNITS)

    def _units(self, units: Mapping[str, Words]) -> Iterator[tuple[tuple[Line, ...], ...]]:
        for unit, words in units.items():
            before, after = self._known.get(unit) or {}, self.head["figures"][unit]
            yield (
                cell(words),
                cell(Words(_change(_usd(before), _usd(after), known=bool(before)) + _more(before, after))),
                cell(Words(_change(_grams(before), _grams(after), known=bool(before)))),
            )

    def _resources(self) -> Iterator[tuple[tuple[Line, ...], ...]]:
        base, head = ({_key(one): one for one in side.get("resources", ())} for side in (self.base, self.head))
        for key in [*head, *(key for key in base if key not in head)]:
            before, after = base.get(key) or {}, head.get(key) or {}
            pairs = [
                (_dollars(before.get("standing_usd")), _dollars(after.get("standing_usd"))),
                (_dollars(before.get("usage_usd")), _dollars(after.get("usage_usd"))),
                (_grams(before.get("month") or {}), _grams(after.get("month") or {})),
            ]
            shown = [_change(one if before else "none", two if after else "none", known=True) for one, two in pairs]
            if not self._known or any(before != after for before, after in pairs):
                yield (cell(key[1], Words(" "), Prose(key[0])), *(cell(Words(text)) for text in shown))

    def _method(self) -> Iterator[Line]:
        for words in self.head["assumptions"][TRAFFIC:]:
            yield (Prose(words),)
        yield (Words("carbon: SCI, ISO/IEC 21031:2024, location-based, modelled: "), Prose(self.head["boundary"]))
        if grid := self.head["grid"]:
            yield (Words("grid: "), Prose(grid["said"]))
            for reading in grid["readings"]:
                shown = Words(f": {_number(reading['grams'])} g/kWh, ")
                yield (Prose(reading["source"]), shown, Prose(str(reading["year"])))
        prices = self.head["prices"]
        for key, words in (("standing_in", "prices that stand in for this region's: "), ("old", "old: ")):
            if found := prices[key]:
                yield (Words(words), Prose(", ".join(map(str, found))))
        for tier in self.head["free_tiers"]:
            yield (
                Words(f"not taken off: the account's free tier, {_dollars(tier['usd'])} USD of "),
                Prose(tier["name"]),
            )


def _key(resource: Mapping[str, Any]) -> tuple[str, str]:
    return str(resource["type"]).rpartition(":")[2], str(resource["name"])


def _alternative(one: Mapping[str, Any]) -> Line:
    saved = ", ".join(
        f"{shown} {unit} {'less' if amount >= 0 else 'more'}"
        for unit, amount, shown in (
            ("USD", one["usd"], _dollars(abs(one["usd"] or 0))),
            ("gCO2e", one["grams"], _number(abs(one["grams"] or 0))),
        )
        if amount
    )
    condition = f", {one['condition']}" if one["condition"] else ""
    return (
        str(one["setting"]),
        Words(" "),
        str(one["now"]),
        Words(" -> "),
        str(one["other"]),
        Words(f": {saved or 'the same'} a month"),
        Prose(condition),
    )


def _change(before: str, after: str, *, known: bool) -> str:
    """Return a figure of both sides; one alone where they are alike, or where there is none before."""
    return after if before == after or not known else f"{before} -> {after}"


def _more(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return how much more an amount is, or less, where both are known and differ."""
    if before.get("usd") is None or after.get("usd") is None or _usd(before) == _usd(after):
        return ""
    more = after["usd"] - before["usd"]
    return f" ({'+' if more > 0 else '-'}{_dollars(abs(more))})"


def _usd(figure: Mapping[str, Any]) -> str:
    return _dollars(figure.get("usd"))


def _dollars(found: float | None) -> str:
    """Return an amount with cents; with three digits where it is less than one; said to be unknown where it is."""
    if found is None:
        return "not known"
    return f"{found:,.2f}" if abs(found) >= 1 or found == 0 else _number(found)


def _central(figure: Mapping[str, Any]) -> float | None:
    return (figure.get("grams") or {}).get("central")


def _grams(figure: Mapping[str, Any]) -> str:
    grams = figure.get("grams")
    if grams is None:
        return "not known"
    return f"{_number(grams['central'])} ({_number(grams['low'])}-{_number(grams['high'])})"


def _range(figure: Mapping[str, Any], kilo: float) -> str:
    grams = figure.get("grams")
    return "" if grams is None else f" ({_number(grams['low'], kilo)}-{_number(grams['high'], kilo)})"


def _number(found: float | None, kilo: float = 1) -> str:
    """Return three significant digits, without an exponent."""
    if found is None:
        return "not known"
    scaled = found / kilo
    if scaled == 0:
        return "0"
    rounded = float(f"{scaled:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.12f}".rstrip("0").rstrip(".")
