"""What a stack says of its own cost and carbon, in its outputs: docs/outputs.schema.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from infra.estimate.document import Stated, bill_of
from infra.estimate.interval import Interval
from infra.estimate.situation import Node
from infra.estimate.use import Per
from infra.settings import Settings
from infra.vocabulary import Cloud
from models.catalogue import load
from models.contract import Contract, Search
from models.section import names


def stated(cloud: Cloud, settings: Settings, graph: Iterable[Node]) -> dict[str, Any]:
    """Return the estimate of a stack that has just been declared, without what only a reader of pages wants."""
    counted, capped = experiments(settings.models), budgets(settings.models)
    region = cloud.charges.here() if cloud.charges is not None else ""
    told: dict[str, Any] = {
        "region": region,
        "traffic": settings.estimate.model_dump(exclude_none=True),
        "experiments": counted,
        **({"budgets": capped} if capped else {}),
    }
    bill = bill_of(graph, cloud, Stated(region=region, traffic=told["traffic"], experiments=counted))
    if bill is None:
        return {**told, "prices_read_on": None, "usd": None, **_grams({})}
    units = {
        "thousand_predictions": bill.per(Per.PREDICTION, 1000),
        "training_run": bill.per(Per.RUN),
        "idle_month": bill.per(Per.MONTH),
        "month": bill.month(),
    }
    return {
        **told,
        "region": bill.region,
        "prices_read_on": bill.tariff.read_on,
        "usd": {unit: figure.usd for unit, figure in units.items()} if bill.priced else None,
        **_grams({unit: figure.grams for unit, figure in units.items() if figure.grams is not None}),
    }


def _grams(units: Mapping[str, Interval]) -> dict[str, dict[str, float] | None]:
    """Return the central figures and their bounds; None where nobody has read the region's grid."""
    return {
        "grams": {unit: grams.central for unit, grams in units.items()} or None,
        "grams_low": {unit: grams.low for unit, grams in units.items()} or None,
        "grams_high": {unit: grams.high for unit, grams in units.items()} or None,
    }


def experiments(models: Iterable[str]) -> Mapping[str, float]:
    """Return how many experiments on all rows a run of each model comes to that is here and is trained here."""
    return {model: search.whole_experiments for model, search in _searches(models)}


def budgets(models: Iterable[str]) -> Mapping[str, str]:
    """Return what the experiments of a run may use, in words, by the models whose contracts say so."""
    return {model: search.budget.words for model, search in _searches(models) if search.budget is not None}


def _searches(models: Iterable[str]) -> Iterator[tuple[str, Search]]:
    here = names()
    for model in models:
        if model in here and isinstance(contract := load(model), Contract):
            yield model, contract.search
