"""The model card of a report: what a model is for, what it was made of, how it decides and where its limits are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from functions.core.selection.html import Markup, escape, facts, join, section
from models.decided import decides
from models.readable import readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from functions.core.selection.candidate import Candidate
    from models.contract import Contract


def model_card(
    contract: Contract,
    record: Mapping[str, Any],
    candidate: Candidate,
    metrics: Mapping[str, Any],
    used: Mapping[str, Any],
    doubts: Sequence[str],
) -> Markup:
    """Return the card; `used` is what the run used so far, as its record tells it."""
    return section(
        "Model card",
        facts(
            [
                ("what for", escape(contract.description or "model.yaml does not say")),
                ("data", escape(_data(record))),
                *([("weights", escape(record["weights"]["said"]))] if record.get("weights") else []),
                ("measured", escape(_measured(metrics))),
                ("how it decides", escape(_decides(contract, candidate.experiment))),
                ("limits", _limits(record, doubts)),
                ("cost of the run", escape(_cost(candidate.seconds, used))),
            ]
        ),
    )


def _data(record: Mapping[str, Any]) -> str:
    rejected = record.get("rejected_rows")
    return f"{record['source']}: {record.get('rows', 'unknown')} rows, {rejected} set aside"


def _measured(metrics: Mapping[str, Any]) -> str:
    """Return the metrics that the contract asks for, and of an interval what it holds, on the holdout."""
    told = []
    for name in dict.fromkeys([*metrics["asked"], "coverage", "interval_width"]):
        if name not in metrics["holdout"]:
            continue
        ends = metrics["holdout_intervals"].get(name)
        between = "" if ends is None else f" ({readable(ends[0], 3)} to {readable(ends[1], 3)})"
        told.append(f"{name} {readable(metrics['holdout'][name])}{between}")
    told += [
        f"repeating {name}: mae {readable(one['mae'])}"
        for name, one in metrics.get("naive", {}).items()
        if "mae" in one
    ]
    return "; ".join(told) or "nothing: it does not serve as trained"


def _decides(contract: Contract, experiment: Mapping[str, Any]) -> str:
    decision, threshold = experiment.get("decision"), experiment.get("threshold")
    if contract.interval is not None:
        declared = f"{contract.interval.coverage:g} of truths are to lie between"
        return f"it answers with a number and the two ends of an interval, which {declared}"
    if not contract.target.classes:
        return "it answers with a number"
    if decision is not None:
        return f"{contract.target.classes[-1]} {decides(decision)}"
    if threshold is not None:
        name = contract.target.classes[threshold["positive"]]
        return f"{name} from a probability of {threshold['value']:.4g} on, as its estimator was tuned"
    return "as its estimator does, mostly the likeliest class"


def _limits(record: Mapping[str, Any], doubts: Sequence[str]) -> Markup:
    told = [
        "It is known to answer well only rows like those of its dataset, and not those of other regions or times.",
        *doubts,
    ]
    if record.get("rejected_rows"):
        told.append(f"{record['rejected_rows']} rows of the table did not fit model.yaml, and taught it nothing.")
    return Markup(f'<ul class="doubts">{join(Markup(f"<li>{escape(one)}</li>") for one in told)}</ul>')


def _cost(seconds: float, used: Mapping[str, Any]) -> str:
    told = f"{seconds:.3g} seconds of training for the best experiment"
    usage = used.get("usage") or {}
    if "seconds" not in usage:
        return told
    grams = sum((usage.get("grams") or {}).values())
    money = f"{usage.get('usd', 0):.4g} USD, {grams:.3g} g CO2e"
    return f"{told}; {readable(usage['seconds'])} seconds of functions before this step, {money}"
