"""The estimate as JSON: everything that a page, a comment or another program says about it.

    {"format": 1, "cloud", "region", "project", "stack",
     "prices": {"read_on", "base", "standing_in": [], "unverified": [], "old": []} or null,
     "grid": {"low", "central", "high", "said", "readings": [{"source", "grams", "year"}]} or null,
     "traffic": {...}, "experiments": {model: n}, "assumptions": [], "boundary": "...", "remarks": [],
     "figures": {unit: figure}, "standing_usd", "usage_usd",
     "meters": {function: what a billed second of it costs and emits: interface/meter.py},
     "resources": [{"component", "name", "type", "standing_usd", "usage_usd", "month": figure}],
     "models": {model: {"thousand_predictions": figure, "training_run": figure}},
     "free_tiers": [], "not_priced": [], "free_of_charge": [],
     "always_on": {"vcpus", "gb", "machine": figure, "functions": figure, "crossing", "most"} or null,
     "alternatives": []}

A unit is `thousand_predictions`, `training_run`, `job`, `idle_month` or `month`. A figure is
{"usd", "kwh", "operational_grams", "embodied_grams", "grams"}: USD without free tiers, the others
{"low", "central", "high"}. USD are null where the region has no price, grams where nobody has read its grid.
Standing cost is that of a month in which nobody asks for anything; usage cost is what the traffic adds to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from infra.estimate import assumed
from infra.estimate.alternatives import alternatives
from infra.estimate.always_on import always_on
from infra.estimate.bill import Bill, Figure
from infra.estimate.coverage import free_of_charge, free_tiers, not_priced
from infra.estimate.grid import Grid
from infra.estimate.interval import Interval
from infra.estimate.meter import meter
from infra.estimate.remarks import remarks
from infra.estimate.situation import Node, Situation, component
from infra.estimate.tables import table
from infra.estimate.tariff import tariff
from infra.estimate.traffic import Traffic
from infra.estimate.use import Per
from infra.vocabulary import Cloud

FORMAT = 1
BOUNDARY = (
    "functions (work, and what is kept ready), stores, logs, data out; not: gateway, queue, workflow engine and"
    " scheduler, for which nobody publishes a coefficient, networks inside a region, callers, building and deploying"
)
UNITS: Mapping[str, tuple[Per, float]] = {
    "thousand_predictions": (Per.PREDICTION, 1000),
    "training_run": (Per.RUN, 1),
    "job": (Per.JOB, 1),
    "idle_month": (Per.MONTH, 1),
}


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What a graph does not say of its stack."""

    region: str = ""
    traffic: Mapping[str, Any] | None = None
    """As in the settings; None for the defaults."""
    experiments: Mapping[str, float]
    budgets: Mapping[str, str] = field(default_factory=dict)


def stated_by(graph: Mapping[str, Any], experiments: Mapping[str, float]) -> Stated:
    """Read what a graph's outputs say of its stack; `experiments` are those of a graph from before they did."""
    told = (graph.get("outputs") or {}).get("estimate") or {}
    return Stated(
        region=told.get("region", ""),
        traffic=told.get("traffic"),
        experiments=told.get("experiments", experiments),
        budgets=told.get("budgets", {}),
    )


def document(graph: Mapping[str, Any], cloud: Cloud, stated: Stated, today: date) -> dict[str, Any]:
    """Return the estimate of a graph that `localcloud.commands.graph` wrote, at today's tariffs."""
    nodes = [
        Node(type=row["type"], name=row["name"], parent=row["parent"], inputs=row["inputs"])
        for row in graph["resources"]
        if not row.get("component")
    ]
    head = {"format": FORMAT, "project": graph.get("project", ""), "stack": graph.get("stack", "")}
    return {**head, **estimate(nodes, cloud, stated, today)}


def bill_of(nodes: Iterable[Node], cloud: Cloud, stated: Stated) -> Bill | None:
    """Return the bill of a graph; None for a cloud that states no charges, or has no tariff."""
    prices = tariff(cloud.name)
    if prices is None or cloud.charges is None:
        return None
    graph = tuple(nodes)
    known = {key: value for key, value in (stated.traffic or {}).items() if key in Traffic.model_fields}
    return Bill(
        Situation(
            graph,
            traffic=Traffic(**known),
            region=stated.region or cloud.charges.region(graph),
            experiments=stated.experiments,
            budgets=stated.budgets,
        ),
        cloud.charges,
        prices,
    )


def estimate(nodes: Iterable[Node], cloud: Cloud, stated: Stated, today: date) -> dict[str, Any]:
    """Return everything about a graph but the stack's name."""
    graph = tuple(nodes)
    bill = bill_of(graph, cloud, stated)
    if bill is None:
        nothing = f"nobody has said what {cloud.name} charges: none of its {len(graph)} resources is priced"
        return {"cloud": cloud.name, "region": stated.region, "figures": {}, "remarks": [nothing]}
    month, idle = bill.month(), bill.per(Per.MONTH)
    return {
        "cloud": cloud.name,
        "region": bill.region,
        "prices": _prices(bill, today),
        "grid": _grid(bill.grid),
        "traffic": bill.situation.traffic.model_dump(),
        "experiments": dict(bill.situation.trained),
        "assumptions": list(_assumptions(bill)),
        "boundary": BOUNDARY,
        "remarks": list(remarks(bill, today)),
        "figures": {**{unit: _figure(bill.per(*of)) for unit, of in UNITS.items()}, "month": _figure(month)},
        "standing_usd": idle.usd,
        "usage_usd": None if month.usd is None or idle.usd is None else month.usd - idle.usd,
        "meters": dict(_meters(bill)),
        "resources": list(_resources(bill)),
        "models": dict(_models(bill)),
        "free_tiers": [asdict(saved) for saved in free_tiers(bill)] if bill.priced else [],
        "not_priced": [asdict(covered) for covered in not_priced(bill)],
        "free_of_charge": [asdict(covered) for covered in free_of_charge(bill)],
        "always_on": _always_on(bill),
        "alternatives": [asdict(other) for other in alternatives(bill)],
    }


def _prices(bill: Bill, today: date) -> dict[str, Any]:
    prices, used = bill.tariff, bill.quantities
    return {
        "read_on": prices.read_on,
        "base": prices.base,
        "standing_in": prices.standing_in(used, bill.region) if bill.priced else [],
        "unverified": sorted(name for name in used if prices.prices[name].unverified),
        "old": prices.old(today),
    }


def _grid(grid: Grid | None) -> dict[str, Any] | None:
    if grid is None:
        return None
    sources = table("grid")["source"]
    readings = [
        {
            "source": sources[each.source]["name"],
            "url": sources[each.source]["url"],
            "grams": each.grams,
            "year": each.year,
        }
        for each in grid.readings
    ]
    return {**asdict(grid.grams_per_kwh), "said": grid.said, "readings": readings}


def _assumptions(bill: Bill) -> Iterator[str]:
    traffic = bill.situation.traffic
    yield (
        f"predictions a second: {traffic.predictions_per_second:,g}, rows a request: {traffic.rows_a_request:,g},"
        f" which takes {traffic.milliseconds_a_request:g} ms on a whole processor; cold starts an hour:"
        f" {traffic.starts_an_hour:g}, of {traffic.milliseconds_a_start:g} ms; rows captured of"
        f" {bill.situation.captured_share:.0%} of the requests"
    )
    yield (
        f"training runs a month: {traffic.runs_a_month:,g}, with {bill.situation.experiments_a_run:g} experiments of"
        f" {traffic.seconds_an_experiment:g} s, other steps of {traffic.seconds_a_step:g} s, bakes:"
        f" {bill.situation.bakes}, {traffic.dataset_megabytes:g} MB of data; jobs a month: {traffic.jobs_a_month:,g},"
        f" of {traffic.seconds_a_job:g} s"
    )
    yield from assumed.said()


def _interval(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else asdict(interval)


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "usd": figure.usd,
        "kwh": _interval(figure.kwh),
        "operational_grams": _interval(figure.operational),
        "embodied_grams": _interval(figure.embodied),
        "grams": _interval(figure.grams),
    }


def _meters(bill: Bill) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in bill.situation.graph:
        if resource.type == bill.charges.function:
            read = bill.charges.served(resource, bill.situation)
            found = meter(bill.tariff.cloud, bill.region, read.architecture, read.memory_mb, read.profile)
            if found is not None:
                yield component(resource), found._asdict()


def _resources(bill: Bill) -> Iterator[dict[str, Any]]:
    for resource in bill.situation.graph:
        if lines := [line for line in bill.lines if line.resource is resource]:
            month, standing = bill.month(lines), bill.month(line for line in lines if line.use.per is Per.MONTH)
            yield {
                "component": component(resource),
                "name": resource.name,
                "type": resource.type,
                "standing_usd": standing.usd,
                "usage_usd": None if month.usd is None or standing.usd is None else month.usd - standing.usd,
                "month": _figure(month),
            }


def _models(bill: Bill) -> Iterator[tuple[str, dict[str, Any]]]:
    for model in bill.situation.models:
        thousand, run = bill.of_model(model)
        yield model, {"thousand_predictions": _figure(thousand), "training_run": _figure(run)}


def _always_on(bill: Bill) -> dict[str, Any] | None:
    if bill.grid is None:
        return None
    found = always_on(bill)
    return {
        "vcpus": found.vcpus,
        "gb": found.gb,
        "machine": _figure(found.machine),
        "functions": _figure(found.functions),
        "crossing": found.crossing,
        "most": found.most,
    }
